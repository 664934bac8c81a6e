// Fields that format what is typed without losing the caret, and say what is wrong at the right moment:
// once a field is left, or as soon as it is full, or when the form is sent; never while typing is going on.
import * as card from './card.js';
import { byId } from './dom.js';

/** @typedef {import('./card.js').Problem} Problem */

const AFTER_THE_CLICK = 250; // milliseconds

/**
 * @typedef {object} Behaviour
 * @property {(text: string, deleting: boolean) => string} format
 * @property {(text: string) => Problem | null} problem what is wrong with a text
 * @property {(text: string) => boolean} isFull whether typing is over
 * @property {() => void} onChange
 */

class Field {
  /** @param {string} id @param {Behaviour} behaviour */
  constructor(id, { format, problem, isFull, onChange }) {
    this.format = format;
    this.findProblem = problem;
    this.isFull = isFull;
    this.onChange = onChange;
    /** Where the focus goes once it is full. @type {Field | undefined} */
    this.next = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.leaving = undefined;
    /** @type {HTMLInputElement} */
    this.input = byId(id);
    this.label = byId(`${id}-label`);
    this.errorNode = byId(`${id}-error`);
    /** @type {Problem | null} */
    this.shownProblem = null;
    this.markEmpty();
    this.input.addEventListener('focus', () => this.label.classList.add('Label--focused'));
    this.input.addEventListener('beforeinput', (event) => this.deleteAcrossSeparator(event));
    this.input.addEventListener('input', (event) => this.onInput(/** @type {InputEvent} */ (event)));
    this.input.addEventListener('blur', () => this.onBlur());
  }

  get problem() {
    return this.findProblem(this.input.value);
  }

  /**
   * A message takes space, and what is below moves down. Were it shown while the click that left the field
   * is still going on, the click would miss what it was aimed at: the page's own pay button, say.
   */
  onBlur() {
    this.label.classList.remove('Label--focused');
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => {
      if (!this.input.value || document.activeElement === this.input) return;
      this.showProblem(this.problem);
      this.onChange();
    }, AFTER_THE_CLICK);
  }

  get empty() {
    return this.input.value === '';
  }

  /** The classes that the Appearance API's rules go by. */
  markEmpty() {
    this.input.classList.toggle('Input--empty', this.empty);
    this.label.classList.toggle('Label--empty', this.empty);
  }

  /**
   * Backspace behind a separator removes the digit before it: the separator alone would come straight back.
   * @param {InputEvent} event
   */
  deleteAcrossSeparator(event) {
    const { input } = this;
    const { selectionStart: caret, value } = input;
    if (event.inputType !== 'deleteContentBackward' || !caret || caret !== input.selectionEnd) return;
    if (/\d/.test(value[caret - 1])) return;
    event.preventDefault();
    let from = caret;
    while (from > 0 && !/\d/.test(value[from - 1])) from -= 1;
    input.setRangeText('', Math.max(0, from - 1), caret, 'end');
    this.onInput({ inputType: event.inputType });
  }

  /** @param {{inputType?: string}} event */
  onInput({ inputType = '' }) {
    const { input } = this;
    const deleting = inputType.startsWith('delete');
    const before = input.value;
    const caret = input.selectionStart ?? before.length;
    const digitsBefore = card.digitsOf(before.slice(0, caret)).length;
    const atEnd = caret === before.length;
    const after = this.format(before, deleting);
    if (after !== before) {
      input.value = after;
      let position = atEnd ? after.length : 0;
      for (let seen = 0; !atEnd && position < after.length && seen < digitsBefore; position += 1) {
        if (/\d/.test(after[position])) seen += 1;
      }
      input.setSelectionRange(position, position);
    }
    this.showProblem(null);
    this.markEmpty();
    this.onChange();
    if (!this.isFull(after)) return;
    this.showProblem(this.problem);
    // Only typing moves on by itself: pasting or correcting inside leaves the caret where it is.
    if (!this.problem && atEnd && inputType === 'insertText') this.next?.input.focus();
  }

  /** @param {string} text */
  set(text) {
    this.input.value = this.format(text, false);
    this.markEmpty();
    this.showProblem(null);
  }

  /** @param {Problem | null} problem */
  showProblem(problem) {
    this.shownProblem = problem;
    this.errorNode.textContent = problem?.message ?? '';
    if (problem) this.input.setAttribute('aria-invalid', 'true');
    else this.input.removeAttribute('aria-invalid');
    this.input.classList.toggle('Input--invalid', Boolean(problem));
    this.label.classList.toggle('Label--invalid', Boolean(problem));
  }
}

/** The three fields of a card. `onChange` is called whenever one of them changes. */
export class CardFields {
  /** @param {() => void} onChange */
  constructor(onChange) {
    this.number = new Field('number', {
      format: card.formatNumber,
      problem: card.numberProblem,
      isFull: card.numberIsFull,
      onChange: () => {
        this.cvc.input.placeholder = this.brand.cvc === 4 ? '4 digits' : 'CVC';
        onChange();
      },
    });
    this.expiry = new Field('expiry', {
      format: card.formatExpiry,
      problem: (text) => card.expiryProblem(text),
      isFull: (text) => card.digitsOf(text).length === 4,
      onChange,
    });
    this.cvc = new Field('cvc', {
      format: (text) => card.formatCvc(text, this.brand),
      problem: (text) => card.cvcProblem(text, this.brand),
      isFull: () => false,
      onChange,
    });
    this.all = [this.number, this.expiry, this.cvc];
    this.number.next = this.expiry;
    this.expiry.next = this.cvc;
  }

  get brand() {
    return card.brandOf(card.digitsOf(this.number.input.value));
  }

  get complete() {
    return this.all.every((field) => !field.problem);
  }

  get empty() {
    return this.all.every((field) => field.empty);
  }

  get shownProblem() {
    return this.all.map((field) => field.shownProblem).find(Boolean);
  }

  /** Shows every problem, moves to the first, and returns it. */
  validate() {
    const wrong = this.all.filter((field) => field.problem);
    this.all.forEach((field) => field.showProblem(field.problem));
    wrong[0]?.input.focus();
    return wrong[0]?.problem ?? null;
  }

  /** What the API calls `card`. */
  details() {
    const { month, year } = card.parseExpiry(this.expiry.input.value);
    return {
      number: card.digitsOf(this.number.input.value),
      exp_month: month,
      exp_year: year,
      cvc: this.cvc.input.value,
    };
  }

  /** @param {{number: string, expiry: string, cvc: string}} texts */
  fill({ number, expiry, cvc }) {
    this.number.set(number);
    this.expiry.set(expiry);
    this.cvc.set(cvc);
  }

  clear() {
    this.fill({ number: '', expiry: '', cvc: '' });
  }

  /** @param {boolean} locked whether what is typed can't be changed */
  lock(locked) {
    this.all.forEach(({ input }) => (input.readOnly = locked));
  }
}
