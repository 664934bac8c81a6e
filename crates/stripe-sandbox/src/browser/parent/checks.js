// What an option may be. As in Stripe.js, a wrong value is an IntegrationError and an unknown name a warning; what
// Stripe.js knows and the sandbox doesn't have is refused by name.

/** @type {Set<string>} */
const warned = new Set();

/** Warns once: wrappers pass the same options again each time they draw. @param {string} message */
function warnOnce(message) {
  if (warned.has(message)) return;
  warned.add(message);
  console.warn(`[Stripe.js] ${message}`);
}

/**
 * @param {string} expected what it should be, as the message has it
 * @param {(value: any) => boolean} holds
 * @returns {Check}
 */
const expecting = (expected, holds) => (value, label, path) => {
  if (holds(value)) return;
  throw new IntegrationError(
    `Invalid value for ${label}: ${path} should be ${expected}. You specified: ${shown(value)}.`,
  );
};

const text = expecting('a string', (value) => typeof value === 'string');
const flag = expecting('a boolean', (value) => typeof value === 'boolean');
const object = expecting('an object', isObject);

/** @param {readonly string[]} values */
const oneOf = (values) =>
  expecting(`one of the following strings: ${values.join(', ')}`, (value) => values.includes(value));

/** @param {Check} check @returns {Check} */
const orNull = (check) => (value, label, path) => {
  if (value !== null) check(value, label, path);
};

/** @param {Check} check @returns {Check} */
const listOf = (check) => (value, label, path) => {
  if (!Array.isArray(value)) return expecting('an array', () => false)(value, label, path);
  value.forEach((item, index) => check(item, label, `${path}[${index}]`));
};

/** @param {Record<string, Check>} fields @returns {Check} */
const shape = (fields) => (value, label, path) => {
  object(value, label, path);
  checkFields(/** @type {Fields} */ (value), fields, label, `${path}.`);
};

/**
 * An object of these fields, or what the other check allows.
 * @param {Check} check
 * @param {Record<string, Check>} fields
 * @returns {Check}
 */
const nameOrShape = (check, fields) => (value, label, path) =>
  (isObject(value) ? shape(fields) : check)(value, label, path);

/** What Stripe.js knows and the sandbox has not. @type {Check} */
const unsupported = (_value, label, path) => {
  throw new IntegrationError(`${label}: ${path} is not supported by the Stripe sandbox.`);
};

/** What is allowed and changes nothing here. @param {Check} check @param {string} why @returns {Check} */
const withoutEffect = (check, why) => (value, label, path) => {
  check(value, label, path);
  warnOnce(`${label}: ${path} has no effect in the Stripe sandbox: ${why}.`);
};

/**
 * @param {Fields} given
 * @param {Record<string, Check>} fields
 * @param {string} label the call, as messages name it
 * @param {string} [prefix] of the names, within `given`
 */
function checkFields(given, fields, label, prefix = '') {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    if (Object.hasOwn(fields, name)) {
      fields[name](value, label, prefix + name);
    } else {
      warnOnce(
        `Unrecognized ${label} parameter: ${prefix}${name} is not a recognized parameter. ` +
          'This may cause issues with your integration in the future.',
      );
    }
  }
}
