// The hidden frame: requests that need no card entry.
import { Api, failChallenge } from './api.js';
import { serve } from './channel.js';

/** @type {Api} */
let api;

serve({
  init(access) {
    api = new Api(access);
  },
  retrieve: (request) => api.retrieve(request),
  confirm: (request) => api.confirm(request),
  createPaymentMethod: (params) => api.createPaymentMethod(params),
  failChallenge,
});
