// Requests to the sandbox's API, made from its own origin with the publishable key.

/** @typedef {{type: string, code?: string, message: string, param?: string, [more: string]: any}} ApiError */
/** @typedef {'payment_intent' | 'setup_intent'} IntentKind */
/** @typedef {Record<string, any>} Fields */

/** @type {Record<IntentKind, string>} */
const COLLECTION = { payment_intent: 'payment_intents', setup_intent: 'setup_intents' };

/** @type {ApiError} */
const CONNECTION_ERROR = {
  type: 'api_connection_error',
  message: 'We are experiencing issues connecting to our servers. Please check your connection and try again.',
};

/**
 * Stripe's form encoding: `{card: {number: 1}, expand: ['a']}` is `card[number]=1&expand[0]=a`.
 * @param {Fields} params
 * @param {string} [prefix]
 */
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
  /** @param {{publishableKey: string, account?: string, apiVersion?: string}} access */
  constructor({ publishableKey, account, apiVersion }) {
    /** @type {Record<string, string>} */
    this.headers = { Authorization: `Bearer ${publishableKey}` };
    if (account !== undefined) this.headers['Stripe-Account'] = account;
    if (apiVersion !== undefined) this.headers['Stripe-Version'] = apiVersion;
  }

  /**
   * @param {'GET' | 'POST'} method
   * @param {string} path
   * @param {Fields} params
   * @returns {Promise<{error?: ApiError, object?: any}>}
   */
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

  /** @param {{kind: IntentKind, clientSecret: string}} which */
  async retrieve({ kind, clientSecret }) {
    const id = clientSecret.split('_secret_')[0];
    const path = `${COLLECTION[kind]}/${encodeURIComponent(id)}`;
    const { error, object } = await this.request('GET', path, { client_secret: clientSecret });
    return error ? { error } : { intent: object };
  }

  /** @param {{kind: IntentKind, id: string, secret: string, params: Fields}} request */
  async confirm({ kind, id, secret, params }) {
    const { error, object } = await this.request('POST', `${COLLECTION[kind]}/${encodeURIComponent(id)}/confirm`, {
      ...params,
      client_secret: secret,
      // Asks for a challenge that this script can show, where a server would be given a page to redirect to.
      use_stripe_sdk: true,
    });
    return error ? { error } : { intent: object };
  }

  /** @param {Fields} params */
  async createPaymentMethod(params) {
    const { error, object } = await this.request('POST', 'payment_methods', params);
    return error ? { error } : { paymentMethod: object };
  }
}

/**
 * Answers an authentication with "failed", for a challenge that was closed.
 * @param {{id: string, clientSecret: string}} intent
 */
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
