// The card form of the sandbox's own pages, through the same Stripe.js as any application's.

const form = document.querySelector('form[data-card]');
const dark = window.matchMedia('(prefers-color-scheme: dark)');

function appearance() {
  const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  return {
    theme: dark.matches ? 'night' : 'stripe',
    variables: {
      colorPrimary: token('--accent'),
      colorBackground: token('--field'),
      colorText: token('--text'),
      colorTextSecondary: token('--muted'),
      fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
      borderRadius: '8px',
    },
  };
}

function start() {
  const { key, mode, amount, currency } = form.dataset;
  const stripe = window.Stripe(key);
  const elements = stripe.elements({
    mode,
    amount: Number(amount),
    currency,
    paymentMethodCreation: 'manual',
    appearance: appearance(),
  });
  elements.create('payment').mount('#card');
  dark.addEventListener('change', () => elements.update({ appearance: appearance() }));

  const message = document.getElementById('card-error');
  const button = form.querySelector('button');

  async function send(more) {
    const body = new URLSearchParams(new FormData(form));
    for (const [name, value] of Object.entries(more)) body.set(name, value);
    const headers = { Accept: 'application/json' };
    const response = await fetch(form.action, { method: 'POST', body, headers });
    return response.json();
  }

  /** Resolves with the address to go to, or what went wrong in words; empty where the form itself shows it. */
  async function submit() {
    if ((await elements.submit()).error) return { problem: '' };
    const name = form.elements.namedItem('name')?.value || undefined;
    const email = form.elements.namedItem('email')?.value || undefined;
    const params = { billing_details: { name, email } };
    const { error, paymentMethod } = await stripe.createPaymentMethod({ elements, params });
    if (error) return { problem: error.message };
    let answer = await send({ payment_method: paymentMethod.id });
    if (answer.client_secret) {
      const challenge = await stripe.handleNextAction({ clientSecret: answer.client_secret });
      if (challenge.error) return { problem: challenge.error.message };
      answer = await send({ settled: 'true' });
    }
    return answer.error ? { problem: answer.error.message } : answer;
  }

  function setBusy(busy) {
    form.setAttribute('aria-busy', String(busy));
    button.disabled = busy;
  }

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    if (button.disabled) return;
    setBusy(true);
    message.textContent = '';
    let result;
    try {
      result = await submit();
    } catch {
      result = { problem: 'The sandbox could not be reached. Please try again.' };
    }
    if (result.url) {
      window.location.assign(result.url);
      return;
    }
    message.textContent = result.problem;
    setBusy(false);
  });

  // A page that comes back from the browser's cache is still as it was left.
  window.addEventListener('pageshow', () => setBusy(false));
}

if (form) start();
