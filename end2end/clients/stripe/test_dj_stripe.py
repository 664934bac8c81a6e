"""dj-stripe, unmodified, at the sandbox: it copies what it finds there into a database of its own, model by model, and from
events."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import stripe

KEY = "sk_test_TollgateSandboxSecretKey"
# In seconds; a command takes two or three.
TIMEOUT = 60


def listed(resource, **params):
    """The ids of a resource's list, as Stripe's client reads them."""
    return {item.id for item in resource.list(params).auto_paging_iter()}


def of_each(owners, items):
    return {item.id for owner in owners.list().auto_paging_iter() for item in items(owner)}


# The models of what the sandbox has, and whose objects they are to be copies of.
SERVED = {
    "Account": lambda v1: {v1.accounts.retrieve_current().id},
    "BalanceTransaction": lambda v1: listed(v1.balance_transactions),
    "Charge": lambda v1: listed(v1.charges),
    "Coupon": lambda v1: listed(v1.coupons),
    "Customer": lambda v1: listed(v1.customers),
    "Dispute": lambda v1: listed(v1.disputes),
    "Event": lambda v1: listed(v1.events),
    "Invoice": lambda v1: listed(v1.invoices),
    "InvoiceItem": lambda v1: listed(v1.invoice_items),
    "LineItem": lambda v1: of_each(v1.invoices, lambda invoice: invoice.lines.auto_paging_iter()),
    "PaymentIntent": lambda v1: listed(v1.payment_intents),
    "PaymentMethod": lambda v1: of_each(
        v1.customers, lambda customer: v1.customers.payment_methods.list(customer.id).auto_paging_iter()
    ),
    "Price": lambda v1: listed(v1.prices),
    "Product": lambda v1: listed(v1.products),
    "PromotionCode": lambda v1: listed(v1.promotion_codes),
    "Refund": lambda v1: listed(v1.refunds),
    "Session": lambda v1: listed(v1.checkout.sessions),
    "SetupIntent": lambda v1: listed(v1.setup_intents),
    "Subscription": lambda v1: listed(v1.subscriptions),
    "SubscriptionItem": lambda v1: of_each(
        v1.subscriptions, lambda subscription: subscription["items"].auto_paging_iter()
    ),
    "SubscriptionSchedule": lambda v1: listed(v1.subscription_schedules),
    "TaxRate": lambda v1: listed(v1.tax_rates),
    "WebhookEndpoint": lambda v1: listed(v1.webhook_endpoints),
}

# It lists these with `id`, which Stripe's list of tax ids doesn't take, and the sandbox's doesn't either. It copies them from
# their events.
ONLY_FROM_EVENTS = {"TaxId"}

# It asks api.stripe.com itself for these, wherever it is told that Stripe is.
ONLY_AT_STRIPE = {"AccountV2"}

# The models of parts of Stripe that the sandbox hasn't got.
NOT_HERE = {
    "money that goes to others, of Connect": [
        "ApplicationFee", "ApplicationFeeRefund", "CountrySpec", "Transfer", "TransferReversal",
    ],
    "money that is paid out": ["Payout"],
    "fraud, by Radar": ["EarlyFraudWarning", "Review"],
    "files": ["File", "FileLink"],
    "goods that are sent": ["ShippingRate"],
    "tax by Stripe": ["TaxCode"],
    "entitlements": ["ActiveEntitlement", "Feature"],
    "people's identities": ["VerificationReport", "VerificationSession"],
    "issued cards": [
        "IssuingAuthorization", "IssuingCard", "IssuingCardholder", "IssuingDispute", "IssuingTransaction",
    ],
}  # fmt: skip


class Project:
    """A Django project with dj-stripe, and a database of its own."""

    def __init__(self, sandbox, database):
        self.database = database
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parent / "djstripe"),
            "DJANGO_SETTINGS_MODULE": "settings",
            "DATABASE": str(database),
            "SANDBOX_URL": sandbox,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        made = self.run("-m", "django", "migrate", "--run-syncdb")
        assert made.returncode == 0, made.stderr

    def run(self, *arguments):
        command = [sys.executable, *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, check=False, timeout=TIMEOUT
        )

    def ids(self, model):
        """The ids of a model's rows."""
        with sqlite3.connect(self.database) as database:
            return {id for (id,) in database.execute(f"SELECT id FROM djstripe_{model.lower()}")}


@pytest.fixture(scope="module")
def v1(sandbox):
    """The API of a sandbox in which there is one of everything."""
    v1 = stripe.StripeClient(KEY, base_addresses={"api": sandbox}).v1
    product = v1.products.create({"name": "Basic"})
    recurring = {"interval": "month"}
    price = v1.prices.create(
        {"product": product.id, "unit_amount": 2999, "currency": "usd", "recurring": recurring}
    )
    coupon = v1.coupons.create({"percent_off": 10, "duration": "once"})
    v1.promotion_codes.create({"promotion": {"type": "coupon", "coupon": coupon.id}})
    rate = v1.tax_rates.create({"display_name": "VAT", "percentage": 20, "inclusive": False})
    customer = v1.customers.create(
        {
            "email": "ada@example.test",
            "payment_method": "pm_card_visa",
            "invoice_settings": {"default_payment_method": "pm_card_visa"},
            "tax_id_data": [{"type": "eu_vat", "value": "DE123456789"}],
        }
    )
    subscription = v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "default_tax_rates": [rate.id]}
    )
    v1.subscription_schedules.create({"from_subscription": subscription.id})
    v1.invoice_items.create({"customer": customer.id, "amount": 500, "currency": "usd"})
    payment = {"amount": 1099, "currency": "usd", "payment_method_types": ["card"], "customer": customer.id}
    intent = v1.payment_intents.create({**payment, "payment_method": "pm_card_visa", "confirm": True})
    v1.payment_intents.create({**payment, "payment_method": "pm_card_createDispute", "confirm": True})
    v1.refunds.create({"payment_intent": intent.id, "amount": 100})
    v1.setup_intents.create({"customer": customer.id, "payment_method_types": ["card"]})
    v1.checkout.sessions.create(
        {
            "mode": "subscription",
            "customer": customer.id,
            "line_items": [{"price": price.id, "quantity": 1}],
            "success_url": "https://example.test/",
        }
    )
    v1.webhook_endpoints.create({"url": "http://127.0.0.1:9/hook", "enabled_events": ["invoice.upcoming"]})
    return v1


@pytest.fixture(scope="module")
def copied(sandbox, v1, tmp_path_factory):
    """A project into which every model has been copied that can be, and what the command printed."""
    project = Project(sandbox, tmp_path_factory.mktemp("dj-stripe") / "models.sqlite")
    return project, project.run("-m", "django", "djstripe_sync_models", *SERVED)


def test_every_model_is_accounted_for(copied):
    program = """
import django
django.setup()
from django.apps import apps
from djstripe.management.commands.djstripe_sync_models import Command
for model in apps.get_app_config("djstripe").get_models():
    if Command()._should_sync_model(model)[0]:
        print(model.__name__)
"""
    syncable = copied[0].run("-c", program).stdout.split()
    elsewhere = [model for models in NOT_HERE.values() for model in models]
    assert sorted(syncable) == sorted([*SERVED, *ONLY_FROM_EVENTS, *ONLY_AT_STRIPE, *elsewhere])


def test_the_command_finds_nothing_wrong(copied):
    _, command = copied
    assert command.returncode == 0, command.stdout + command.stderr
    assert "Error" not in command.stderr


@pytest.mark.parametrize("model", SERVED)
def test_model(copied, v1, model):
    project, _ = copied
    ids = SERVED[model](v1)
    assert ids
    assert project.ids(model) >= ids


def test_what_is_not_here_is_refused_as_that(copied):
    project, _ = copied
    models = [*ONLY_FROM_EVENTS, *(model for models in NOT_HERE.values() for model in models)]
    printed = project.run("-m", "django", "djstripe_sync_models", *models).stderr
    refused = re.findall(r"(?:Error listing|Failed syncing) (\w+).*message='(.*?)[.:] ?.*'", printed)
    unknown = {"TaxId": "Received unknown parameter"}
    assert dict(refused) == {model: unknown.get(model, "Unrecognized request URL (GET") for model in models}


def test_every_event_is_taken(sandbox, v1, tmp_path):
    project = Project(sandbox, tmp_path / "events.sqlite")
    processed = project.run("-m", "django", "djstripe_process_events", "--verbosity", "2")
    count = len(listed(v1.events))
    assert f"Processed {count} out of {count} Events" in processed.stdout, processed.stdout
    [customer] = listed(v1.customers)
    owner = {"type": "customer", "customer": customer}
    assert project.ids("TaxId") == listed(v1.tax_ids, owner=owner)
