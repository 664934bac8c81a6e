// The sandbox of a server under test, asked past the application.

/** Any key of this form opens it. */
export const STRIPE_KEY = 'sk_test_end2end_tests';

/** Its address, as the server says it at the start. */
export function stripeAddress(server: { output: () => string }) {
  return /^Stripe sandbox on (http:\/\/\S+)/m.exec(server.output())![1];
}
