// The sandbox of a server under test, asked past the application.

import type { APIRequestContext } from '@playwright/test';

import { body } from './people';

/** Any key of this form opens it. */
export const STRIPE_KEY = 'sk_test_end2end_tests';

/** Its address, as the server says it at the start. */
export function stripeAddress(server: { output: () => string }) {
  return /^Stripe sandbox on (http:\/\/\S+)/m.exec(server.output())![1];
}

export class Stripe {
  private readonly address: string;
  private readonly headers = { Authorization: `Bearer ${STRIPE_KEY}` };

  constructor(
    private readonly request: APIRequestContext,
    server: { output: () => string },
  ) {
    this.address = `${stripeAddress(server)}/v1`;
  }

  async get(path: string) {
    return body(await this.request.get(`${this.address}${path}`, { headers: this.headers }));
  }

  async post(path: string, form: Record<string, string> = {}) {
    return body(await this.request.post(`${this.address}${path}`, { headers: this.headers, form }));
  }

  async delete(path: string) {
    return body(await this.request.delete(`${this.address}${path}`, { headers: this.headers }));
  }

  /** Has a subscription be paid by a test card from now on. */
  async payWith(subscription: string, card: string) {
    const { customer } = await this.get(`/subscriptions/${subscription}`);
    const { id } = await this.post(`/payment_methods/${card}/attach`, { customer });
    await this.post(`/subscriptions/${subscription}`, { default_payment_method: id });
  }

  /** Renews a subscription now, by a card that the bank declines: it becomes past due. */
  async failNextCharge(subscription: string) {
    await this.payWith(subscription, 'pm_card_chargeCustomerFail');
    await this.post(`/subscriptions/${subscription}`, {
      billing_cycle_anchor: 'now',
      payment_behavior: 'allow_incomplete',
      proration_behavior: 'none',
    });
  }

  /** Refunds a part of what was paid of an invoice, and credits another to its customer's balance. */
  async giveBack(invoice: string, refunded: number, credited: number) {
    const { data } = await this.get(`/invoice_payments?invoice=${invoice}`);
    const { payment_intent } = data[0].payment;
    await this.post('/refunds', { payment_intent, amount: String(refunded), reason: 'requested_by_customer' });
    const amount = String(credited);
    await this.post('/credit_notes', { invoice, amount, credit_amount: amount, reason: 'order_change' });
  }
}
