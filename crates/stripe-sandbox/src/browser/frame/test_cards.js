// Stripe's test cards, a click away.

import { within } from './dom.js';

const TEST_CARDS = [
  ['Succeeds', '4242 4242 4242 4242'],
  ['Asks for 3D Secure', '4000 0027 6000 3184'],
  ['3D Secure, then declined', '4000 0084 0000 1629'],
  ['Declined', '4000 0000 0000 0002'],
  ['Insufficient funds', '4000 0000 0000 9995'],
  ['Saved, then fails', '4000 0000 0000 0341'],
  ['Wrong security code', '4000 0000 0000 0127'],
  ['Expired', '4000 0000 0000 0069'],
];

/**
 * Lists the cards in the <details> node; `choose` is given the one that is clicked.
 * @param {HTMLElement} node
 * @param {(card: {number: string, expiry: string, cvc: string}) => void} choose
 */
export function listTestCards(node, choose) {
  const list = within(node, 'ul');
  // Always a few years ahead, so that it stays valid.
  const expiry = `12 / ${String((new Date().getFullYear() + 4) % 100).padStart(2, '0')}`;
  for (const [name, number] of TEST_CARDS) {
    const button = document.createElement('button');
    button.type = 'button';
    const label = document.createElement('span');
    label.textContent = name;
    const digits = document.createElement('span');
    digits.className = 'Digits';
    digits.textContent = number;
    button.append(label, digits);
    button.addEventListener('click', () => {
      choose({ number, expiry, cvc: '123' });
      node.removeAttribute('open');
      within(node, 'summary').focus();
    });
    const item = document.createElement('li');
    item.append(button);
    list.append(item);
  }
}
