// What the stand-in for Stripe.js makes of options: an effect, a refusal, or a warning.

import { expect } from '../fixtures';
import { fieldsOf, fillCard, openShop, outcome, PUBLISHABLE_KEY, test } from './support/shop';

const PAYMENT = { mode: 'payment', amount: 2999, currency: 'usd' };
const SUBSCRIPTION = { ...PAYMENT, mode: 'subscription' };

test.describe('what the sandbox lacks', () => {
  test('is refused by its name', async ({ page, shop }) => {
    await openShop(page, shop, { group: PAYMENT });
    for (const [call, name] of [
      ["stripe.confirmIdealPayment('pi_1_secret_2')", 'stripe.confirmIdealPayment()'],
      ['stripe.createConfirmationToken({ elements })', 'stripe.createConfirmationToken()'],
      ['stripe.initCheckoutElementsSdk({})', 'stripe.initCheckoutElementsSdk()'],
      ['stripe.redirectToCheckout({})', 'stripe.redirectToCheckout()'],
      ["stripe.createToken('pii', {})", 'stripe.createToken(): the type pii'],
      ["stripe.createPaymentMethod({ type: 'sepa_debit' })", 'stripe.createPaymentMethod(): the type sepa_debit'],
      ["stripe.handleNextAction({ hashedValue: 'x' })", 'stripe.handleNextAction(): hashedValue'],
      ["elements.create('address', { mode: 'billing' })", 'elements.create(): the address Element'],
      ["stripe.elements({ customerSessionClientSecret: 'x' })", 'elements(): customerSessionClientSecret'],
      ["elements.update({ onBehalfOf: 'acct_1' })", 'update(): onBehalfOf'],
      [`Stripe('${PUBLISHABLE_KEY}', { betas: ['x'] })`, 'Stripe(): betas'],
      [
        "stripe.confirmPayment({ elements, clientSecret: 'pi_1_secret_2', redirect: 'if_required', " +
          "confirmParams: { confirmation_token: 'ctoken_1' } })",
        'stripe.confirmPayment(): confirmParams.confirmation_token',
      ],
    ]) {
      expect(await outcome(page, call), call).toBe(`IntegrationError: ${name} is not supported by the Stripe sandbox.`);
    }
  });

  test('is warned of where it changes no more than the look', async ({ page, shop, said }) => {
    await openShop(page, shop, {
      group: {
        ...PAYMENT,
        locale: 'de',
        fonts: [{ cssSrc: 'https://fonts.test/x.css' }],
        appearance: {
          variables: { colourText: 'red', colorText: 12 },
          rules: { '.Nope': {}, '.Input': { blink: '1' } },
        },
      },
      element: { walletOptions: {} },
    });
    const warnings = said.map((line) => line.replace('warning [Stripe.js] ', ''));
    expect(warnings.sort()).toEqual(
      [
        "elements(): the Stripe sandbox's Elements are in English; locale de has no effect.",
        "elements(): fonts[0].cssSrc is not supported by the Stripe sandbox; give the font's family and src.",
        'create(): walletOptions has no effect in the Stripe sandbox: it offers cards only.',
        'elements(): appearance.variables.colourText is not a supported variable.',
        'elements(): appearance.variables.colorText is not a valid value: 12',
        'elements(): appearance.rules[".Nope"] is not a supported selector.',
        'elements(): appearance.rules[".Input"].blink is not a supported property, or not a valid value: 1',
      ].sort(),
    );
  });
});

test('a wrong value is refused, and an unknown name warned of', async ({ page, shop, said }) => {
  await openShop(page, shop, { group: PAYMENT });
  for (const [call, message] of [
    [
      "stripe.elements({ mode: 'later' })",
      'elements(): mode should be one of the following strings: payment, setup, subscription. You specified: later.',
    ],
    [
      "stripe.elements({ mode: 'payment', amount: 1.5, currency: 'usd' })",
      'elements(): amount should be a positive integer. You specified: 1.5.',
    ],
    [
      "stripe.elements({ mode: 'setup', appearance: { theme: 'dusk' } })",
      'elements(): appearance.theme should be one of the following strings: stripe, night, flat, none. ' +
        'You specified: dusk.',
    ],
    [
      "stripe.elements({ clientSecret: 'pi_1_secret_2', mode: 'payment' })",
      'elements(): pass either `clientSecret` or `mode`, not both.',
    ],
    ["card.update({ readOnly: 'yes' })", 'element.update(): readOnly should be a boolean. You specified: yes.'],
    [
      "card.update({ fields: { billingDetails: { address: { country: 'no' } } } })",
      'element.update(): fields.billingDetails.address.country should be one of the following strings: auto, never. ' +
        'You specified: no.',
    ],
  ]) {
    expect(await outcome(page, call), call).toBe(`IntegrationError: Invalid value for ${message}`);
  }
  expect(await outcome(page, "stripe.elements({ mode: 'payment', currency: 'usd' })")).toBe(
    "IntegrationError: Missing value for elements(): amount is required when mode is 'payment'.",
  );
  expect(said).toEqual([]);
  await page.evaluate("stripe.elements({ business: {} }); card.update({ wallets: { link: 'never' } })");
  expect(said).toEqual([
    'warning [Stripe.js] Unrecognized elements() parameter: business is not a recognized parameter. ' +
      'This may cause issues with your integration in the future.',
    "warning [Stripe.js] element.update(): wallets can't be changed once the Element has been created.",
  ]);
});

test('an accordion has a heading, and collapses', async ({ page, shop }) => {
  await openShop(page, shop, { group: PAYMENT, element: { layout: { type: 'accordion', defaultCollapsed: true } } });
  const { frame, number } = fieldsOf(page);
  const heading = frame.getByRole('button', { name: 'Card', exact: true });
  await expect(number).toBeHidden();
  await expect(heading).toHaveAttribute('aria-expanded', 'false');
  await heading.click();
  await expect(number).toBeFocused();
  await expect(heading).toHaveAttribute('aria-expanded', 'true');

  const collapsed = page.evaluate(
    () => new Promise((told) => (window as any).card.once('change', (event: any) => told(event.collapsed))),
  );
  await page.evaluate('void card.collapse()');
  expect(await collapsed).toBe(true);
  await expect(number).toBeHidden();
  // What is missing can be seen.
  await page.evaluate('elements.submit()');
  await expect(number).toBeVisible();
});

test('one method in tabs needs no tab, until it is collapsed', async ({ page, shop }) => {
  await openShop(page, shop, { group: PAYMENT, element: { layout: 'tabs' } });
  const { frame, number } = fieldsOf(page);
  const tab = frame.getByRole('button', { name: 'Card', exact: true });
  await expect(number).toBeVisible();
  await expect(tab).toBeHidden();
  await page.evaluate('void card.collapse()');
  await expect(tab).toBeVisible();
  await tab.click();
  await expect(tab).toBeHidden();
  await expect(number).toBeFocused();
});

test('what is read only stays so after an attempt to pay', async ({ page, shop, stripe }) => {
  await openShop(page, shop, { group: PAYMENT });
  await fillCard(page, '4000 0000 0000 0002');
  await page.evaluate('void card.update({ readOnly: true })');
  const { number } = fieldsOf(page);
  await expect(number).toHaveJSProperty('readOnly', true);
  const { client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
  await page.evaluate('elements.submit()');
  const pay = `stripe.confirmPayment({ elements, clientSecret: '${client_secret}', redirect: 'if_required' })`;
  expect(await outcome(page, pay)).toBe('Your card was declined.');
  await expect(number).toHaveJSProperty('readOnly', true);
  await page.evaluate('void card.update({ readOnly: false })');
  await expect(number).toHaveJSProperty('readOnly', false);
});

test('terms are shown where a card is kept, or as the page says', async ({ page, shop }) => {
  await openShop(page, shop, { group: SUBSCRIPTION, element: { business: { name: 'Tulips & Co' } } });
  const terms = fieldsOf(page).frame.getByText('By providing your card information');
  await expect(terms).toContainText('you allow Tulips & Co to charge your card for future payments');
  await page.evaluate("void card.update({ terms: { card: 'never' } })");
  await expect(terms).toBeHidden();
  await page.evaluate("elements.update({ mode: 'payment' })");
  await page.evaluate("void card.update({ terms: { card: 'auto' } })");
  await expect(terms).toBeHidden();
  await page.evaluate("void card.update({ terms: { card: 'always' } })");
  await expect(terms).toBeVisible();
});

test('billing details come from the default values and from the page', async ({ page, shop, stripe }) => {
  await openShop(page, shop, {
    group: PAYMENT,
    element: {
      defaultValues: { billingDetails: { name: 'Ada', address: { country: 'NL', city: 'Delft' } } },
      fields: { billingDetails: { email: 'never', address: { postalCode: 'never' } } },
    },
  });
  await fillCard(page, '4242 4242 4242 4242');
  const { id, client_secret } = await stripe.paymentIntents.create({ amount: 2999, currency: 'usd' });
  await page.evaluate('elements.submit()');
  const pay = (details: string) =>
    outcome(
      page,
      `stripe.confirmPayment({ elements, clientSecret: '${client_secret}', redirect: 'if_required', ` +
        `confirmParams: { payment_method_data: { billing_details: ${details} } } })`,
    );
  expect(await pay("{ email: 'ada@shop.test' }")).toBe(
    'IntegrationError: You specified "never" for fields.billing_details.address.postal_code when creating the payment ' +
      'Element, but did not pass confirmParams.payment_method_data.billing_details.address.postal_code when calling ' +
      'stripe.confirmPayment(). If you opt out of collecting data via the payment Element using the fields option, the ' +
      'data must be passed in when calling stripe.confirmPayment().',
  );
  expect(await pay("{ email: 'ada@shop.test', address: { postal_code: '2611' } }")).toBe('succeeded');
  const paid = await stripe.paymentIntents.retrieve(id, { expand: ['payment_method'] });
  expect((paid.payment_method as any).billing_details).toMatchObject({
    name: 'Ada',
    email: 'ada@shop.test',
    address: { country: 'NL', city: 'Delft', postal_code: '2611' },
  });
});

test('events say what happens in the frame', async ({ page, shop }) => {
  await openShop(page, shop, { group: PAYMENT });
  const events = () => page.evaluate(() => (window as any).events as string[]);
  await expect.poll(events).toEqual(['loaderstart', 'ready', 'availablepaymentmethodschange']);
  await page.evaluate('void (events = [])');

  await page.evaluate('void card.focus()');
  await expect(fieldsOf(page).number).toBeFocused();
  await page.keyboard.type('4');
  await page.keyboard.press('Escape');
  await expect.poll(events).toEqual(['focus', 'change', 'carddetailschange', 'escape']);
  await expect(page.locator('#card')).toHaveClass(/StripeElement--focus/);
  await page.evaluate('void card.blur()');
  await expect.poll(events).toContain('blur');
  await expect(page.locator('#card')).not.toHaveClass(/StripeElement--focus/);

  await fillCard(page, '4242 4242 4242 4242');
  await expect(page.locator('#card')).toHaveClass(/StripeElement--complete/);
  await page.evaluate('void card.clear()');
  await expect(page.locator('#card')).toHaveClass(/StripeElement--empty/);

  const updated = page.evaluate(
    () => new Promise((ended) => (window as any).elements.on('update-end', () => ended('ended'))),
  );
  // The promise is resolved when every Element shows it.
  await page.evaluate("elements.update({ appearance: { variables: { colorText: 'rgb(1, 2, 3)' } } })");
  await expect(fieldsOf(page).frame.locator('.Label').first()).toHaveCSS('color', 'rgb(1, 2, 3)');
  expect(await updated).toBe('ended');
});

test('the appearance is that of its themes, variables and rules', async ({ page, shop, said }) => {
  const appearance = {
    theme: 'flat',
    disableAnimations: true,
    variables: {
      borderRadius: '9px',
      inputColorBorder: 'rgb(1, 2, 3)',
      spacingGridColumn: '33px',
      labelFontWeight: '700',
    },
    rules: {
      '.Input': { backgroundColor: 'rgb(4, 5, 6)' },
      '.Input:focus': { borderColor: 'rgb(7, 8, 9)' },
      '.Label--focused': { color: 'rgb(10, 11, 12)' },
    },
  };
  await openShop(page, shop, { group: { ...PAYMENT, appearance } });
  const { frame, number } = fieldsOf(page);
  await expect(number).toHaveCSS('border-radius', '9px');
  await expect(number).toHaveCSS('border-color', 'rgb(1, 2, 3)');
  await expect(number).toHaveCSS('background-color', 'rgb(4, 5, 6)');
  await expect(number).toHaveCSS('transition-property', 'none');
  await expect(frame.locator('form')).toHaveCSS('column-gap', '33px');
  const label = frame.locator('.Label').first();
  await expect(label).toHaveCSS('font-weight', '700');
  await number.focus();
  await expect(number).toHaveCSS('border-color', 'rgb(7, 8, 9)');
  await expect(label).toHaveCSS('color', 'rgb(10, 11, 12)');

  // What an appearance doesn't say is as the theme has it.
  await page.evaluate("elements.update({ appearance: { theme: 'night' } })");
  await expect(number).toHaveCSS('background-color', 'rgb(48, 49, 61)');
  await expect(page.locator('#card iframe')).toHaveCSS('color-scheme', 'dark');
  await page.evaluate("elements.update({ appearance: { inputs: 'condensed' } })");
  await expect(frame.locator('form')).toHaveCSS('column-gap', '0px');
  await expect(label).toHaveCSS('position', 'absolute');
  await page.evaluate("elements.update({ appearance: { inputs: 'condensed', labels: 'above' } })");
  await expect(label).toHaveCSS('position', 'static');
  expect(said).toEqual([]);
});

test("the page's own fonts are loaded into the frame", async ({ page, shop, said }) => {
  const address = 'https://fonts.test/shop.woff2';
  await page.route(address, (route) => route.fulfill({ status: 404, headers: { 'Access-Control-Allow-Origin': '*' } }));
  const asked = page.waitForRequest(address);
  const fonts = [{ family: 'Shop', src: `url(${address})`, weight: '400' }];
  await openShop(page, shop, { group: { ...PAYMENT, fonts, appearance: { variables: { fontFamily: 'Shop' } } } });
  expect((await asked).frame().url()).toContain('/elements/payment');
  await expect(fieldsOf(page).number).toHaveCSS('font-family', 'Shop');
  await expect
    .poll(() => said)
    .toContain(`warning [Stripe.js] elements(): the font Shop could not be loaded from url(${address}).`);
});

test('an Element that could not be loaded says so once', async ({ page, shop }) => {
  await page.route('**/elements/payment?*', (route) => route.abort());
  await page.goto(shop);
  const told = page.evaluate(
    ([key, group]) =>
      new Promise((told) => {
        const errors: string[] = [];
        const card = (window as any).Stripe(key).elements(group).create('payment');
        card.on('loaderror', ({ error }: any) => {
          errors.push(error.type);
          // What else is told of it is told before this.
          setTimeout(() => told(errors));
        });
        card.mount('#card');
      }),
    [PUBLISHABLE_KEY, PAYMENT] as const,
  );
  expect(await told).toEqual(['api_connection_error']);
});

test('the Card Element names the states of its node as the page has it', async ({ page, shop }) => {
  const element = { classes: { base: 'my-card', complete: 'my-card-done' }, hideIcon: true };
  await openShop(page, shop, { group: {}, element, type: 'card' });
  await expect(page.locator('#card')).toHaveClass(/^my-card( |$)/);
  await expect(fieldsOf(page).frame.locator('#brands')).toBeHidden();
  await fillCard(page, '4242 4242 4242 4242');
  await expect(page.locator('#card')).toHaveClass(/my-card-done/);
  await page.evaluate('void card.unmount()');
  await expect(page.locator('#card')).toHaveClass('');
  await page.evaluate("card.mount('#card')");
  await expect(fieldsOf(page).number).toBeVisible();
  await page.evaluate('void card.destroy()');
  expect(await outcome(page, "card.mount('#card')")).toBe(
    'IntegrationError: This Element has already been destroyed. Please create a new one.',
  );
});
