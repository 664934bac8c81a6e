// The hidden frame: requests that need no card entry.
import { Api, failChallenge } from './api.js';
import { serve } from './channel.js';

let api;

serve({
  init({ publishableKey }) {
    api = new Api(publishableKey);
  },
  retrieve: (request) => api.retrieve(request),
  confirm: (request) => api.confirm(request),
  failChallenge,
});
