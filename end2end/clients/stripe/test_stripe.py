"""Stripe's own Python client, unmodified, against the sandbox."""

import os
import uuid

import pytest
import stripe

KEY = "sk_test_TollgateSandboxSecretKey"
ADDRESSES = {"api": os.environ["SANDBOX_URL"]}


@pytest.fixture(scope="module")
def client():
    return stripe.StripeClient(KEY, base_addresses=ADDRESSES, max_network_retries=0)


@pytest.fixture(scope="module")
def price(client):
    product = client.v1.products.create({"name": "Basic"})
    recurring = {"interval": "month"}
    return client.v1.prices.create(
        {"product": product.id, "unit_amount": 2999, "currency": "usd", "recurring": recurring}
    )


def customer_with(client, card):
    settings = {"default_payment_method": card}
    return client.v1.customers.create({"payment_method": card, "invoice_settings": settings})


def test_a_subscription_is_bought_and_ended(client, price):
    customer = customer_with(client, "pm_card_visa")
    bought = client.v1.subscriptions.create(
        {"customer": customer.id, "items": [{"price": price.id}], "expand": ["latest_invoice"]}
    )
    assert (bought.status, bought.latest_invoice.amount_paid) == ("active", 2999)
    ending = client.v1.subscriptions.update(bought.id, {"cancel_at_period_end": True})
    assert ending.cancel_at_period_end
    assert client.v1.subscriptions.cancel(bought.id).status == "canceled"


def test_a_payment_needs_3d_secure(client):
    intent = client.v1.payment_intents.create(
        {
            "amount": 1099,
            "currency": "usd",
            "payment_method": "pm_card_authenticationRequired",
            "confirm": True,
            "return_url": "https://example.test/back",
        }
    )
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")


def test_lists_are_paged_to_their_end(client):
    email = f"{uuid.uuid4().hex}@example.test"
    made = [client.v1.customers.create({"email": email}).id for _ in range(7)][::-1]
    first = client.v1.customers.list({"email": email, "limit": 3})
    assert first.has_more
    assert [customer.id for customer in first.auto_paging_iter()] == made
    back = client.v1.customers.list({"email": email, "limit": 3, "ending_before": made[6]})
    assert [customer.id for customer in back.data] == made[3:6]


def test_expansion_puts_objects_in_place_of_ids(client, price):
    customer = customer_with(client, "pm_card_visa")
    client.v1.subscriptions.create({"customer": customer.id, "items": [{"price": price.id}]})
    paths = ["data.customer.invoice_settings.default_payment_method", "data.items.data.price.product"]
    found = client.v1.subscriptions.list({"customer": customer.id, "expand": paths}).data[0]
    assert found.customer.invoice_settings.default_payment_method.card.last4 == "4242"
    assert found["items"].data[0].price.product.name == "Basic"
    assert found.pending_setup_intent is None


def test_a_key_makes_one_request_of_two(client):
    key = {"idempotency_key": str(uuid.uuid4())}
    made = client.v1.customers.create({"name": "Ada"}, key)
    again = client.v1.customers.create({"name": "Ada"}, key)
    assert again.id == made.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError):
        client.v1.customers.create({"name": "Grace"}, key)


def refused(error, status, code, param, call):
    return pytest.param(call, error, (status, code, param), id=f"{status} {code}")


@pytest.mark.parametrize(
    ("call", "error", "expected"),
    [
        refused(
            stripe.InvalidRequestError,
            404,
            "resource_missing",
            "id",
            lambda client: client.v1.customers.retrieve("cus_none"),
        ),
        refused(
            stripe.InvalidRequestError,
            400,
            "amount_too_small",
            "amount",
            lambda client: client.v1.payment_intents.create({"amount": 10, "currency": "usd"}),
        ),
        refused(
            stripe.CardError,
            402,
            "card_declined",
            None,
            lambda client: customer_with(client, "pm_card_chargeDeclined"),
        ),
        refused(
            stripe.PermissionError,
            403,
            "account_invalid",
            None,
            lambda client: client.v1.customers.list({}, {"stripe_account": "acct_other"}),
        ),
        refused(
            stripe.InvalidRequestError,
            400,
            None,
            None,
            lambda client: client.v1.customers.list({}, {"stripe_version": "1999-12-31"}),
        ),
    ],
)
def test_what_is_refused_says_why(client, call, error, expected):
    with pytest.raises(error) as raised:
        call(client)
    caught = raised.value
    said = caught.json_body["error"]
    assert (caught.http_status, said.get("code"), said.get("param")) == expected
    assert caught.request_id.startswith("req_")


def test_a_key_that_is_none_is_refused():
    with pytest.raises(stripe.AuthenticationError):
        stripe.StripeClient("sk_test_1", base_addresses=ADDRESSES).v1.balance.retrieve()
