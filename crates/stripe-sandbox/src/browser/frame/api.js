// Requests to the sandbox's API, made from its own origin with the publishable key.

const COLLECTION = { payment_intent: 'payment_intents', setup_intent: 'setup_intents' };

const CONNECTION_ERROR = {
  type: 'api_connection_error',
  message: 'We are experiencing issues connecting to our servers. Please check your connection and try again.',
};

/** Stripe's form encoding: `{card: {number: 1}, expand: ['a']}` is `card[number]=1&expand[0]=a`. */
export function encode(params, prefix, out = new URLSearchParams()) {
  for (const [key, value] of Object.entries(params)) {
    const name = prefix ? `${prefix}[${key}]` : key;
    if (value === undefined) continue;
    if (value !== null && typeof value === 'object') encode(value, name, out);
    else out.append(name, value ?? '');
  }
  return out;
}

export class Api {
  constructor(publishableKey) {
    this.headers = { Authorization: `Bearer ${publishableKey}` };
  }

  async request(method, path, params = {}) {
    const form = encode(params);
    const url = method === 'GET' ? `/v1/${path}?${form}` : `/v1/${path}`;
    try {
      const response = await fetch(url, {
        method,
        headers: this.headers,
        body: method === 'GET' ? undefined : form,
        credentials: 'omit',
        cache: 'no-store',
      });
      const body = await response.json();
      return body.error ? { error: body.error } : { object: body };
    } catch {
      return { error: CONNECTION_ERROR };
    }
  }

  async retrieve({ kind, clientSecret }) {
    const id = clientSecret.split('_secret_')[0];
    const path = `${COLLECTION[kind]}/${encodeURIComponent(id)}`;
    const { error, object } = await this.request('GET', path, { client_secret: clientSecret });
    return error ? { error } : { intent: object };
  }

  async confirm({ kind, id, secret, params }) {
    const { error, object } = await this.request('POST', `${COLLECTION[kind]}/${encodeURIComponent(id)}/confirm`, {
      ...params,
      client_secret: secret,
      // Asks for a challenge that this script can show, where a server would be given a page to redirect to.
      use_stripe_sdk: true,
    });
    return error ? { error } : { intent: object };
  }
}

/** Answers an authentication with "failed", for a challenge that was closed. */
export async function failChallenge({ id, clientSecret }) {
  try {
    await fetch(`/3d_secure/${encodeURIComponent(id)}?view=frame`, {
      method: 'POST',
      body: new URLSearchParams({ client_secret: clientSecret, outcome: 'fail' }),
    });
    return {};
  } catch {
    return { error: CONNECTION_ERROR };
  }
}
