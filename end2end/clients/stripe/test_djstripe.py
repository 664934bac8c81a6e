"""dj-stripe, unmodified, at the sandbox: `djstripe_sync_models` takes over every kind of object that the sandbox keeps, by its
lists, into a database of Django's."""

import subprocess
import sys

import pytest
import stripe

KEY = "sk_test_TollgateSandboxSecretKey"
# Without TaxId: dj-stripe asks for tax ids by a parameter that Stripe's document doesn't have.
MODELS = [
    "Account",
    "BalanceTransaction",
    "Charge",
    "Coupon",
    "Customer",
    "Event",
    "Invoice",
    "InvoiceItem",
    "LineItem",
    "PaymentIntent",
    "PaymentMethod",
    "Price",
    "Product",
    "PromotionCode",
    "Refund",
    "Session",
    "SetupIntent",
    "Subscription",
    "SubscriptionItem",
    "SubscriptionSchedule",
    "TaxRate",
    "WebhookEndpoint",
]
PROGRAM = """
import sys
import django
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "djstripe"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField", SECRET_KEY="of no use", USE_TZ=True,
    STRIPE_API_HOST=sys.argv[1], STRIPE_TEST_SECRET_KEY=sys.argv[2], STRIPE_LIVE_MODE=False,
    DJSTRIPE_FOREIGN_KEY_TO_FIELD="id",
)
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("djstripe_sync_models", *sys.argv[3:], api_keys=[], fail_on_error=True)
"""


@pytest.fixture(scope="module")
def filled(sandbox):
    """The address of the sandbox, with an object of each kind in it."""
    v1 = stripe.StripeClient(KEY, base_addresses={"api": sandbox}).v1
    product = v1.products.create({"name": "Basic"}).id
    price = v1.prices.create(
        {"product": product, "currency": "usd", "unit_amount": 2999, "recurring": {"interval": "month"}}
    ).id
    coupon = v1.coupons.create({"percent_off": 10, "duration": "forever"}).id
    code = v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon}}).id
    rate = v1.tax_rates.create({"display_name": "VAT", "inclusive": False, "percentage": 19}).id
    customer = v1.customers.create(
        {
            "email": "ada@example.test",
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
            "tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}],
        }
    ).id
    v1.invoice_items.create({"customer": customer, "amount": 500, "currency": "usd"})
    subscription = v1.subscriptions.create(
        {
            "customer": customer,
            "items": [{"price": price}],
            "discounts": [{"promotion_code": code}],
            "default_tax_rates": [rate],
        }
    ).id
    v1.subscription_schedules.create({"from_subscription": subscription})
    v1.refunds.create({"charge": v1.charges.list({"customer": customer}).data[0].id, "amount": 100})
    v1.setup_intents.create({"customer": customer})
    v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer,
            "line_items": [{"price": price, "quantity": 1}],
            "success_url": "https://app.test/done",
        }
    )
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/hook", "enabled_events": ["invoice.paid"]})
    return sandbox


def test_every_model_is_synchronised(filled):
    command = [sys.executable, "-c", PROGRAM, filled, KEY, *MODELS]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    missing = [model for model in MODELS if f" {model} for " not in run.stdout.replace("Syncing ", "")]
    assert not missing, f"nothing of {missing}:\n{run.stdout}"
