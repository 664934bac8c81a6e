// What is around the card's fields: nothing in tabs, for one method needs no tab; a tab while it is collapsed; an
// accordion's item. Source: https://docs.stripe.com/payments/payment-element#layout
import { byId } from './dom.js';

const item = byId('method');
const header = byId('choose');
const radio = byId('radio');
const body = byId('method-body');

/** @typedef {{type?: string, radios?: string | boolean, paymentMethodLogoPosition?: string}} Layout */

export class Method {
  /** @param {() => void} onExpand called when the customer opens it */
  constructor(onExpand) {
    this.collapsed = false;
    /** @type {Layout} */
    this.layout = {};
    header.addEventListener('click', () => {
      if (!this.collapsed) return;
      this.setCollapsed(false);
      onExpand();
    });
  }

  /** @param {string | Layout} [given] */
  show(given = 'auto') {
    this.layout = typeof given === 'string' ? { type: given } : given;
    const { radios, paymentMethodLogoPosition } = this.layout;
    // Of one method only, a radio is shown where that is asked for.
    radio.hidden = !(this.accordion && (radios === 'always' || radios === true));
    header.classList.toggle('Tab--logo-end', paymentMethodLogoPosition === 'end');
    this.draw();
  }

  get accordion() {
    return this.layout.type === 'accordion';
  }

  /** @param {boolean} collapsed */
  setCollapsed(collapsed) {
    this.collapsed = collapsed;
    this.draw();
  }

  draw() {
    const { collapsed, accordion } = this;
    item.classList.toggle('AccordionItem', accordion);
    item.classList.toggle('AccordionItem--selected', accordion && !collapsed);
    header.classList.toggle('Tab', !accordion);
    header.classList.toggle('AccordionHeader', accordion);
    header.hidden = !accordion && !collapsed;
    header.setAttribute('aria-expanded', String(!collapsed));
    radio.classList.toggle('RadioIcon--checked', !collapsed);
    body.hidden = collapsed;
  }
}
