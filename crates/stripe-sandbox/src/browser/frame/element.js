// The page inside a Payment or Card Element: joins the fields, the look, the API and the embedding page.
import { Api } from './api.js';
import { applyAppearance } from './appearance.js';
import { embedded, emit, reportHeight, serve } from './channel.js';
import { CardFields } from './input.js';
import { listTestCards } from './test_cards.js';

const layout = window.location.pathname.endsWith('/card') ? 'card' : 'payment';
const form = document.getElementById('form');
const brands = document.getElementById('brands');
const terms = document.getElementById('terms');
const expand = document.getElementById('expand');

let api;
let settings = {};
let collapsed = false;
let lastChange;

const fields = new CardFields(changed);

function changed() {
  const { brand } = fields;
  brands.dataset.brand = brand.name;
  document.getElementById('brand-name').textContent = brand.label;
  const { empty, complete } = fields;
  const error = fields.shownProblem ?? undefined;
  const detail =
    layout === 'card'
      ? { empty, complete, error, brand: brand.name, value: { postalCode: '' } }
      : { empty, complete, collapsed, value: { type: 'card' } };
  const digest = JSON.stringify(detail);
  if (digest !== lastChange) emit('change', detail);
  lastChange = digest;
}

function setCollapsed(value) {
  collapsed = value;
  form.hidden = value;
  expand.hidden = !value;
  changed();
}

/** The consent that card networks ask for when a card is kept for later charges. */
function showTerms(intent) {
  const kept =
    intent?.object === 'setup_intent' ||
    intent?.setup_future_usage === 'off_session' ||
    settings.setupFutureUsage === 'off_session' ||
    ['setup', 'subscription'].includes(settings.mode);
  const business = settings.options?.business?.name ?? 'this business';
  terms.hidden = layout === 'card' || !kept || settings.options?.terms?.card === 'never';
  terms.textContent =
    `By providing your card information, you allow ${business} to charge your card for future payments ` +
    'in accordance with their terms.';
}

function apply(given) {
  settings = given;
  api = new Api(settings.publishableKey);
  emit('scheme', { scheme: applyAppearance(settings.appearance, settings.options?.style) });
  document.querySelector('main').style.backgroundColor = settings.surface ?? '';
  form.setAttribute('aria-disabled', String(Boolean(settings.options?.disabled ?? settings.options?.readOnly)));
  fields.lock(Boolean(settings.options?.disabled ?? settings.options?.readOnly));
}

const isOver = (intent) => ['succeeded', 'canceled'].includes(intent.status);

async function init(given) {
  apply(given);
  showTerms();
  if (settings.clientSecret) {
    const kind = settings.clientSecret.startsWith('seti_') ? 'setup_intent' : 'payment_intent';
    const { error, intent } = await api.retrieve({ kind, clientSecret: settings.clientSecret });
    if (error) return { error };
    if (isOver(intent)) {
      const code = `${kind}_unexpected_state`;
      const message = `This ${kind === 'payment_intent' ? 'PaymentIntent' : 'SetupIntent'} is in a terminal state and cannot be used to initialize Elements.`;
      return { error: { type: 'invalid_request_error', code, message, [kind]: intent } };
    }
    showTerms(intent);
  }
  document.body.dataset.layout = layout;
  document.body.hidden = false;
  reportHeight(document.body);
  emit('ready');
  return {};
}

/** Runs `work` with the card, unless something about it is wrong. */
async function withCard(work) {
  const problem = fields.validate();
  changed();
  if (problem) return { error: problem };
  fields.lock(true);
  form.setAttribute('aria-busy', 'true');
  try {
    const result = await work(fields.details());
    if (result.error) showCardError(result.error);
    return result;
  } finally {
    fields.lock(false);
    form.removeAttribute('aria-busy');
  }
}

const FIELD_OF_CODE = {
  incorrect_number: 'number', invalid_number: 'number', expired_card: 'expiry', invalid_expiry_year: 'expiry',
  invalid_expiry_month: 'expiry', incorrect_cvc: 'cvc', invalid_cvc: 'cvc',
};

/** Errors about one field are shown on it; a decline concerns them all and is the page's to show. */
function showCardError(error) {
  fields[FIELD_OF_CODE[error.code]]?.showProblem(error);
  changed();
}

function billingDetails(given) {
  const details = { ...settings.options?.defaultValues?.billingDetails, ...given };
  return Object.keys(details).length ? details : undefined;
}

serve({
  init,
  update: apply,
  validate() {
    const problem = fields.validate();
    changed();
    return problem ? { error: problem } : {};
  },
  confirm(request) {
    return withCard((card) => {
      const { payment_method_data: data = {}, ...params } = request.params;
      const billing = billingDetails(data.billing_details);
      const paymentMethod = { ...data, type: 'card', billing_details: billing, card };
      return api.confirm({ ...request, params: { ...params, payment_method_data: paymentMethod } });
    });
  },
  createPaymentMethod(params) {
    return withCard(async (card) => {
      const billing = billingDetails(params.billing_details);
      const body = { ...params, type: 'card', billing_details: billing, card };
      const { error, object } = await api.request('POST', 'payment_methods', body);
      return error ? { error } : { paymentMethod: object };
    });
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
    document.activeElement?.blur();
  },
  clear() {
    fields.clear();
    changed();
  },
  collapse() {
    if (layout === 'payment') setCollapsed(true);
  },
});

listTestCards(document.getElementById('test-cards'), (testCard) => {
  fields.fill(testCard);
  changed();
});

expand.addEventListener('click', () => {
  setCollapsed(false);
  fields.number.input.focus();
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
