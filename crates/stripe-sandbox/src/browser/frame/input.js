// Fields that format what is typed without losing the caret, and say what is wrong at the right moment:
// once a field is left, or as soon as it is full, or when the form is sent; never while typing is going on.
import * as card from './card.js';

const AFTER_THE_CLICK = 250; // milliseconds

class Field {
  constructor(id, { format, problem, isFull, onChange }) {
    Object.assign(this, { id, format, findProblem: problem, isFull, onChange });
    this.input = document.getElementById(id);
    this.errorNode = document.getElementById(`${id}-error`);
    this.shownProblem = null;
    this.input.addEventListener('beforeinput', (event) => this.deleteAcrossSeparator(event));
    this.input.addEventListener('input', (event) => this.onInput(event));
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
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => {
      if (!this.input.value || document.activeElement === this.input) return;
      this.showProblem(this.problem);
      this.onChange(this, '');
    }, AFTER_THE_CLICK);
  }

  get empty() {
    return this.input.value === '';
  }

  /** Backspace behind a separator removes the digit before it: the separator alone would come straight back. */
  deleteAcrossSeparator(event) {
    const { input } = this;
    const { selectionStart: caret, value } = input;
    if (event.inputType !== 'deleteContentBackward' || caret !== input.selectionEnd || caret === 0) return;
    if (/\d/.test(value[caret - 1])) return;
    event.preventDefault();
    let from = caret;
    while (from > 0 && !/\d/.test(value[from - 1])) from -= 1;
    input.setRangeText('', Math.max(0, from - 1), caret, 'end');
    this.onInput({ inputType: event.inputType });
  }

  onInput({ inputType = '' }) {
    const { input } = this;
    const deleting = inputType.startsWith('delete');
    const before = input.value;
    const caret = input.selectionStart;
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
    this.onChange(this, inputType);
    if (!this.isFull(after)) return;
    this.showProblem(this.problem);
    // Only typing moves on by itself: pasting or correcting inside leaves the caret where it is.
    if (!this.problem && atEnd && inputType === 'insertText') this.next?.input.focus();
  }

  set(text) {
    this.input.value = this.format(text, false);
    this.showProblem(null);
  }

  showProblem(problem) {
    this.shownProblem = problem;
    this.errorNode.textContent = problem?.message ?? '';
    if (problem) this.input.setAttribute('aria-invalid', 'true');
    else this.input.removeAttribute('aria-invalid');
    this.input.classList.toggle('Input--invalid', Boolean(problem));
  }
}

/** The three fields of a card. `onChange` is called whenever one of them changes. */
export class CardFields {
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

  fill({ number, expiry, cvc }) {
    this.number.set(number);
    this.expiry.set(expiry);
    this.cvc.set(cvc);
  }

  clear() {
    this.fill({ number: '', expiry: '', cvc: '' });
  }

  lock(locked) {
    this.all.forEach(({ input }) => (input.readOnly = locked));
  }
}
