//! What is done at Stripe, past the application.

use reqwest::Method;

use super::{History, id_of, is_over};
use crate::billing_chaos::steps::AtStripe;

impl History<'_> {
    /// Asks Stripe what it may refuse.
    async fn try_at_stripe(&self, method: Method, path: &str, form: &[(&str, &str)]) {
        self.stage().try_stripe(method, path, form).await;
    }

    pub(super) async fn confirm(&self, card: &str) {
        let Some(live) = self.live().await else { return };
        let path = format!(
            "/subscriptions/{}?expand[]=latest_invoice.confirmation_secret&expand[]=pending_setup_intent",
            live.stripe_subscription_id
        );
        let found = self.stage().stripe(Method::GET, &path, &[]).await;
        let setup = found["pending_setup_intent"]["id"].as_str().map(|id| format!("/setup_intents/{id}"));
        let secret = found["latest_invoice"]["confirmation_secret"]["client_secret"].as_str();
        let payment = secret.and_then(|secret| secret.split("_secret_").next());
        let intent = setup.or_else(|| payment.map(|id| format!("/payment_intents/{id}")));
        if let Some(intent) = intent {
            let form = [("payment_method", card)];
            self.try_at_stripe(Method::POST, &format!("{intent}/confirm"), &form).await;
        }
    }

    pub(super) async fn authenticate(&self, approves: bool) {
        let Some(customer) = self.customer().await else { return };
        for kind in ["payment_intents", "setup_intents"] {
            let path = format!("/{kind}?limit=10&customer={customer}");
            let found = self.stage().stripe(Method::GET, &path, &[]).await;
            let mut intents = found["data"].as_array().expect("a list").iter();
            if let Some(waits) = intents.find(|intent| intent["status"] == "requires_action") {
                self.stage().answer_challenge(id_of(waits), approves).await;
            }
        }
    }

    pub(super) async fn do_at_stripe(&self, done: AtStripe) {
        if let AtStripe::AfterLastRetry(chosen) = done {
            return self.stage().choose_after_last_retry(chosen).await;
        }
        let Some(newest) = self.at_stripe().await.into_iter().next() else { return };
        let path = format!("/subscriptions/{}", id_of(&newest));
        let change = async |form: &[(&str, &str)]| self.try_at_stripe(Method::POST, &path, form).await;
        let invoice = newest["latest_invoice"].as_str().unwrap_or_default();
        match done {
            AtStripe::AfterLastRetry(_) => {}
            AtStripe::ChangeCard(card) if !is_over(&newest) => {
                self.stage().change_card(id_of(&newest), card).await;
            }
            AtStripe::ChangeCard(_) => {}
            AtStripe::ChangePrice(plan) => {
                let (item, wanted) = (&newest["items"]["data"][0], &self.world.plans[plan]);
                if item["price"]["recurring"]["interval"] != wanted["interval"] {
                    return;
                }
                let price = wanted["stripe_price_id"].as_str().expect("a price");
                let form = [
                    ("items[0][id]", id_of(item)),
                    ("items[0][price]", price),
                    ("proration_behavior", "always_invoice"),
                ];
                change(&form).await;
            }
            AtStripe::EndLater(later) => {
                change(&[("cancel_at_period_end", if later { "true" } else { "false" })]).await;
            }
            AtStripe::End => self.try_at_stripe(Method::DELETE, &path, &[]).await,
            AtStripe::PauseAfterTrial => {
                change(&[("trial_settings[end_behavior][missing_payment_method]", "pause")]).await;
            }
            AtStripe::EndTrial => change(&[("trial_end", "now")]).await,
            AtStripe::GoOnAfterPause => {
                self.try_at_stripe(Method::POST, &format!("{path}/resume"), &[]).await;
            }
            AtStripe::PauseCollection(true) => change(&[("pause_collection[behavior]", "void")]).await,
            AtStripe::PauseCollection(false) => change(&[("pause_collection", "")]).await,
            AtStripe::PayInvoice => {
                self.try_at_stripe(Method::POST, &format!("/invoices/{invoice}/pay"), &[]).await;
            }
            AtStripe::VoidInvoice => {
                self.try_at_stripe(Method::POST, &format!("/invoices/{invoice}/void"), &[]).await;
            }
            AtStripe::Refund => {
                let customer = newest["customer"].as_str().expect("a customer");
                let path = format!("/charges?limit=1&customer={customer}");
                let charges = self.stage().stripe(Method::GET, &path, &[]).await;
                if let Some(charge) = charges["data"][0]["id"].as_str() {
                    self.try_at_stripe(Method::POST, "/refunds", &[("charge", charge)]).await;
                }
            }
        }
    }
}
