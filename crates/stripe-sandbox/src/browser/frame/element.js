// The page inside a Payment or Card Element: joins the fields, the look, the API and the embedding page.
import { Api } from './api.js';
import { applyAppearance } from './appearance.js';
import { embedded, emit, reportHeight, serve } from './channel.js';
import { byId } from './dom.js';
import { loadFonts } from './fonts.js';
import { CardFields } from './input.js';
import { disagreement, fetchIntent, keepsCard } from './intent.js';
import { Method } from './method.js';
import { listTestCards } from './test_cards.js';

/** @typedef {import('./api.js').Fields} Fields */

/**
 * @typedef {object} Settings
 * @property {string} publishableKey
 * @property {string} [account]
 * @property {string} [apiVersion]
 * @property {string} [clientSecret]
 * @property {import('./intent.js').Deferred} [deferred] in place of a client secret
 * @property {Fields} [appearance]
 * @property {any[]} [fonts]
 * @property {'auto' | 'always' | 'never'} [loader]
 * @property {string} [surface] the colour behind the Element
 * @property {Fields} options the Element's own
 */

const layout = window.location.pathname.endsWith('/card') ? 'card' : 'payment';
const form = byId('form');
const brands = byId('brands');
const terms = byId('terms');
const skeleton = byId('skeleton');

/** @type {Api} */
let api;
/** @type {Settings} */
let settings;
/** @type {any} */
let intent;
/** @type {string | undefined} */
let lastChange;
/** @type {string | undefined} */
let lastBrand;
let busy = false;
let started = false;

const fields = new CardFields(changed);
const method = new Method(() => {
  changed();
  fields.number.input.focus();
});

function changed() {
  const { brand, empty, complete } = fields;
  brands.dataset.brand = brand.name;
  byId('brand-name').textContent = brand.label;
  const error = fields.shownProblem ?? undefined;
  const detail =
    layout === 'card'
      ? { empty, complete, error, brand: brand.name, value: { postalCode: '' } }
      : { empty, complete, collapsed: method.collapsed, value: { type: 'card' } };
  const digest = JSON.stringify(detail);
  if (digest !== lastChange) emit('change', detail);
  lastChange = digest;
  if (brand.name !== lastBrand && started) {
    emit('carddetailschange', { loading: false, details: { brands: [brand.name], funding: null } });
    lastBrand = brand.name;
  }
}

/** The consent that card networks ask for when a card is kept for later charges. */
function showTerms() {
  const wanted = settings.options.terms?.card ?? 'auto';
  const shown = wanted === 'always' || (wanted === 'auto' && keepsCard(intent, settings.deferred));
  const business = settings.options.business?.name ?? 'this business';
  terms.hidden = layout === 'card' || !shown;
  terms.textContent =
    `By providing your card information, you allow ${business} to charge your card for future payments ` +
    'in accordance with their terms.';
}

/** Whether what is typed can be changed now. */
function applyLock() {
  const locked = Boolean(settings.options.disabled ?? settings.options.readOnly);
  fields.lock(locked || busy);
  form.setAttribute('aria-disabled', String(locked));
  byId('test-cards').hidden = locked;
}

/** @param {Settings} given */
function apply(given) {
  settings = given;
  api = new Api(settings);
  loadFonts(settings.fonts ?? []);
  // The Card Element is one line, however fields are set otherwise.
  const form = layout === 'card' ? { inputs: 'spaced', labels: 'above' } : {};
  emit('scheme', { scheme: applyAppearance({ ...settings.appearance, ...form }, settings.options.style) });
  byId('main').style.backgroundColor = settings.surface ?? '';
  document.body.classList.toggle('NoIcon', Boolean(settings.options.hideIcon));
  if (layout === 'payment') method.show(settings.options.layout);
  applyLock();
  showTerms();
}

/** @param {Settings} given */
async function init(given) {
  document.body.dataset.layout = layout;
  apply(given);
  if (layout === 'payment' && settings.loader !== 'never') {
    skeleton.hidden = false;
    document.body.hidden = false;
    reportHeight(document.body);
    emit('loaderstart');
  }
  const error = await loadIntent();
  skeleton.hidden = true;
  if (error) return { error };
  method.setCollapsed(layout === 'payment' && Boolean(settings.options.layout?.defaultCollapsed));
  showTerms();
  byId('ready').hidden = false;
  document.body.hidden = false;
  reportHeight(document.body);
  started = true;
  emit('ready');
  emit('availablepaymentmethodschange', { paymentMethods: { card: { available: true } } });
  return {};
}

/** Fetches the intent, if there is one; returns why there can be no Element for it. */
async function loadIntent() {
  if (settings.deferred && !settings.deferred.takesCards) {
    return {
      type: 'invalid_request_error',
      message: 'No valid payment method types for this configuration: the Stripe sandbox offers cards only.',
    };
  }
  if (!settings.clientSecret) return undefined;
  const answer = await fetchIntent(api, settings.clientSecret);
  intent = answer.intent;
  return answer.error;
}

/**
 * Runs `work` with the card, unless something about it is wrong.
 * @param {(card: Fields) => Promise<Fields>} work
 */
async function withCard(work) {
  const problem = fields.validate();
  changed();
  if (problem) return { error: problem };
  busy = true;
  applyLock();
  form.setAttribute('aria-busy', 'true');
  try {
    const result = await work(fields.details());
    if (result.error) showCardError(result.error);
    return result;
  } finally {
    busy = false;
    applyLock();
    form.removeAttribute('aria-busy');
  }
}

/** @type {Record<string, 'number' | 'expiry' | 'cvc'>} */
const FIELD_OF_CODE = {
  incorrect_number: 'number', invalid_number: 'number', expired_card: 'expiry', invalid_expiry_year: 'expiry',
  invalid_expiry_month: 'expiry', incorrect_cvc: 'cvc', invalid_cvc: 'cvc',
};

/** Errors about one field are shown on it; a decline concerns them all and is the page's to show. @param {any} error */
function showCardError(error) {
  const field = FIELD_OF_CODE[error.code];
  if (field) fields[field].showProblem(error);
  changed();
}

/** The Element's default values, and what the page passes. @param {Fields} [given] */
function billingDetails(given) {
  const defaults = settings.options.defaultValues?.billingDetails;
  const details = { ...defaults, ...given };
  if (defaults?.address || given?.address) details.address = { ...defaults?.address, ...given?.address };
  return Object.keys(details).length ? details : undefined;
}

/** @param {Fields} request */
async function confirm(request) {
  return withCard(async (card) => {
    if (settings.deferred) {
      const { error, intent: made } = await api.retrieve({ kind: request.kind, clientSecret: request.secret });
      const refused = error ?? disagreement(settings.deferred, made);
      if (refused) return { error: refused };
    }
    const { payment_method_data: data = {}, ...params } = request.params;
    const billing = billingDetails(data.billing_details);
    const paymentMethod = { ...data, type: 'card', billing_details: billing, card };
    const { kind, id, secret } = request;
    return api.confirm({ kind, id, secret, params: { ...params, payment_method_data: paymentMethod } });
  });
}

serve({
  init,
  update: apply,
  async fetchUpdates() {
    const error = await loadIntent();
    showTerms();
    return { error };
  },
  validate() {
    if (method.collapsed) method.setCollapsed(false);
    const problem = fields.validate();
    changed();
    return problem ? { error: problem } : {};
  },
  confirm,
  createPaymentMethod(params) {
    return withCard((card) =>
      api.createPaymentMethod({ ...params, type: 'card', billing_details: billingDetails(params.billing_details), card }),
    );
  },
  createToken(params) {
    return withCard(async (card) => {
      const { error, object } = await api.request('POST', 'tokens', { card: { ...card, ...params } });
      return error ? { error } : { token: object };
    });
  },
  focus() {
    (fields.all.find((field) => field.problem) ?? fields.number).input.focus();
  },
  blur() {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
  },
  clear() {
    fields.clear();
    changed();
  },
  collapse() {
    method.setCollapsed(true);
    changed();
  },
});

listTestCards(byId('test-cards'), (testCard) => {
  method.setCollapsed(false);
  fields.fill(testCard);
  changed();
});

form.addEventListener('submit', (event) => {
  event.preventDefault();
  emit('enter');
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') emit('escape');
});

// Moving from one field to the next is not leaving the Element.
let focused = false;
window.addEventListener('focusin', () => {
  if (!focused) emit('focus');
  focused = true;
});
window.addEventListener('focusout', (event) => {
  if (event.relatedTarget) return;
  focused = false;
  emit('blur');
  changed();
});

if (!embedded) {
  // Opened by itself, there is no page to take the card to.
  document.body.hidden = false;
  document.body.dataset.layout = 'alone';
}
