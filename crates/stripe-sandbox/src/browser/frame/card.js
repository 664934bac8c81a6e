// What a card number, an expiration date and a security code look like, and what is wrong with them.
// Nothing here touches the document. Messages and codes are Stripe's.

/**
 * @typedef {object} Brand
 * @property {string} name
 * @property {string} label
 * @property {RegExp} start what its numbers start with
 * @property {number[]} lengths of its numbers
 * @property {number} [full] the length at which typing is over, where that isn't the longest
 * @property {number[]} [groups] how its numbers are written, where that isn't by fours
 * @property {number} [cvc] the length of its security codes, where that isn't 3
 */

/** @typedef {{type: string, code: string, message: string}} Problem */

/** @type {Brand[]} */
const BRANDS = [
  { name: 'visa', label: 'Visa', start: /^4/, lengths: [13, 16, 19], full: 16 },
  { name: 'mastercard', label: 'Mastercard', start: /^(5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720)/, lengths: [16] },
  { name: 'amex', label: 'American Express', start: /^3[47]/, lengths: [15], groups: [4, 6, 5], cvc: 4 },
  { name: 'discover', label: 'Discover', start: /^(6011|64[4-9]|65)/, lengths: [16, 19], full: 16 },
  { name: 'diners', label: 'Diners Club', start: /^(36|38|39|30[0-5])/, lengths: [14, 16], groups: [4, 6, 4], full: 14 },
  { name: 'jcb', label: 'JCB', start: /^35(2[89]|[3-8])/, lengths: [16] },
  { name: 'unionpay', label: 'UnionPay', start: /^(62|81)/, lengths: [16, 19], full: 16 },
];

/** @type {Brand} */
const UNKNOWN = { name: 'unknown', label: '', start: /^/, lengths: [16] };

/** @param {string} text */
export const digitsOf = (text) => text.replace(/\D/g, '');

/** @param {string} digits */
export const brandOf = (digits) => BRANDS.find(({ start }) => start.test(digits)) ?? UNKNOWN;

/** @param {Brand} brand */
const longest = (brand) => Math.max(...brand.lengths);

/** @param {string} text */
export function formatNumber(text) {
  let rest = digitsOf(text);
  const brand = brandOf(rest);
  rest = rest.slice(0, longest(brand));
  const groups = [];
  for (let i = 0; rest; i += 1) {
    const size = brand.groups?.[i] ?? 4;
    groups.push(rest.slice(0, size));
    rest = rest.slice(size);
  }
  return groups.join(' ');
}

/**
 * `MM / YY`. A first digit above 1 can only be a month of its own, and so can the 1 of an impossible 13.
 * While something is being deleted the separator isn't put back, or it could never be deleted.
 * @param {string} text
 */
export function formatExpiry(text, deleting = false) {
  let digits = digitsOf(text);
  const month = /^\s*(\d)\s*[/.-]/.exec(text);
  if (month || /^[2-9]/.test(digits) || /^1[3-9]/.test(digits)) digits = `0${digits}`;
  // A browser may fill in a year of four digits.
  if (/^\d\d20\d\d$/.test(digits)) digits = digits.slice(0, 2) + digits.slice(4);
  digits = digits.slice(0, 4);
  if (digits.length < 2 || (digits.length === 2 && deleting)) return digits;
  return `${digits.slice(0, 2)} / ${digits.slice(2)}`;
}

/** @param {string} text @param {Brand} brand */
export const formatCvc = (text, brand) => digitsOf(text).slice(0, brand.cvc ?? (brand === UNKNOWN ? 4 : 3));

/** @param {string} digits */
function passesLuhn(digits) {
  let sum = 0;
  for (let i = 0; i < digits.length; i += 1) {
    const digit = Number(digits[digits.length - 1 - i]) * (i % 2 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return sum % 10 === 0;
}

/** @param {string} code @param {string} message @returns {Problem} */
const problem = (code, message) => ({ type: 'validation_error', code, message });

/** @param {string} text */
export function numberProblem(text) {
  const digits = digitsOf(text);
  const brand = brandOf(digits);
  if (!brand.lengths.includes(digits.length)) return problem('incomplete_number', 'Your card number is incomplete.');
  if (!passesLuhn(digits)) return problem('invalid_number', 'Your card number is invalid.');
  return null;
}

/**
 * Whether typing is over, so that a wrong number can be called wrong at once and the focus moved on.
 * @param {string} text
 */
export function numberIsFull(text) {
  const digits = digitsOf(text);
  const brand = brandOf(digits);
  return digits.length === (brand.full ?? longest(brand));
}

/** @param {string} text */
export function parseExpiry(text) {
  const digits = digitsOf(text);
  return { month: Number(digits.slice(0, 2)), year: 2000 + Number(digits.slice(2, 4)) };
}

/** @param {string} text */
export function expiryProblem(text, today = new Date()) {
  if (digitsOf(text).length < 4 || digitsOf(text).startsWith('00')) {
    return problem('incomplete_expiry', "Your card's expiration date is incomplete.");
  }
  const { month, year } = parseExpiry(text);
  const thisYear = today.getFullYear();
  if (year < thisYear) return problem('invalid_expiry_year_past', "Your card's expiration year is in the past.");
  if (year > thisYear + 50) return problem('invalid_expiry_year', "Your card's expiration year is invalid.");
  if (year === thisYear && month < today.getMonth() + 1) {
    return problem('invalid_expiry_month_past', "Your card's expiration date is in the past.");
  }
  return null;
}

/** @param {string} text @param {Brand} brand */
export function cvcProblem(text, brand) {
  const { length } = digitsOf(text);
  const complete = brand === UNKNOWN ? length >= 3 : length === (brand.cvc ?? 3);
  return complete ? null : problem('incomplete_cvc', "Your card's security code is incomplete.");
}
