"""billing-e2e, unmodified, at the sandbox: its own scenarios of renewals, failed payments, changes of plan and cancellations,
by test clocks. It has no option for another address than Stripe's, so that of the library beneath it is set."""

import subprocess
import sys

import pytest
import stripe

KEY = "sk_test_TollgateSandboxSecretKey"
SCENARIOS = ["cancel-at-period-end", "failed-renewal", "plan-change", "renewal", "signup-card-problems"]
PROGRAM = """
import sys
import stripe._stripe_client
stripe._stripe_client.DEFAULT_API_BASE = sys.argv.pop(1)
from billing_e2e.cli import main
main()
"""


@pytest.fixture(scope="module")
def folder(sandbox, tmp_path_factory):
    """Where billing-e2e has written its scenarios, with prices of the sandbox's."""
    folder = tmp_path_factory.mktemp("billing-e2e")
    billing_e2e(sandbox, folder, "init")
    client = stripe.StripeClient(KEY, base_addresses={"api": sandbox})
    product = client.v1.products.create({"name": "Basic"})
    prices = [
        client.v1.prices.create(
            {"product": product.id, "currency": "usd", "unit_amount": amount, "recurring": {"interval": "month"}}
        ).id
        for amount in (2999, 7999)
    ]
    config = "stripe: {key: %s}\nvars: {monthly_price: %s, upgrade_price: %s}\n"
    (folder / "billing-e2e.yml").write_text(config % (KEY, *prices))
    return folder


def billing_e2e(sandbox, folder, *arguments):
    command = [sys.executable, "-c", PROGRAM, sandbox, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_scenarios_are_the_ones_that_are_known(folder):
    assert sorted(path.stem for path in (folder / "scenarios").glob("*.yml")) == SCENARIOS


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario(sandbox, folder, scenario):
    run = billing_e2e(sandbox, folder, "run", f"scenarios/{scenario}.yml")
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("✓") > 5, run.stdout
