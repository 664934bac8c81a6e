//! The main flow through async-stripe, whose deserialiser wants every required field to be there.

use std::collections::HashMap;
use std::time::Duration;

use stripe_billing::SubscriptionStatus;
use stripe_billing::invoice::ListInvoice;
use stripe_billing::subscription::{
    CancelSubscription, CreateSubscription, CreateSubscriptionItems, CreateSubscriptionPaymentBehavior,
    CreateSubscriptionPaymentSettings, CreateSubscriptionPaymentSettingsSaveDefaultPaymentMethod,
    RetrieveSubscription, UpdateSubscription,
};
use stripe_core::customer::CreateCustomer;
use stripe_core::payment_intent::{ConfirmPaymentIntent, RetrievePaymentIntent};
use stripe_core::setup_intent::{ConfirmSetupIntent, CreateSetupIntent};
use stripe_payment::payment_method::AttachPaymentMethod;
use stripe_product::price::{
    CreatePrice, CreatePriceProductData, CreatePriceRecurring, CreatePriceRecurringInterval, RetrievePrice,
    UpdatePrice,
};
use stripe_product::product::UpdateProduct;
use stripe_sandbox::SECRET_KEY;
use stripe_types::{Currency, Expandable};

use super::support::Sandbox;

#[tokio::test]
async fn the_client_that_the_application_uses_understands_every_answer() {
    let sandbox = Sandbox::start().await;
    let client = stripe::ClientBuilder::new(SECRET_KEY)
        .url(format!("{}/", sandbox.origin()))
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap();

    let price = CreatePrice::new(Currency::USD)
        .unit_amount(2999)
        .product_data(CreatePriceProductData::new("Basic"))
        .recurring(CreatePriceRecurring::new(CreatePriceRecurringInterval::Month))
        .send(&client)
        .await
        .unwrap();
    let customer = CreateCustomer::new()
        .email("a@example.test")
        .metadata(HashMap::from([("group".to_owned(), "1".to_owned())]))
        .send(&client)
        .await
        .unwrap();
    let mut item = CreateSubscriptionItems::new();
    item.price = Some(price.id.to_string());
    let mut settings = CreateSubscriptionPaymentSettings::new();
    settings.save_default_payment_method =
        Some(CreateSubscriptionPaymentSettingsSaveDefaultPaymentMethod::OnSubscription);
    let subscription = CreateSubscription::new()
        .customer(customer.id.to_string())
        .items(vec![item])
        .payment_behavior(CreateSubscriptionPaymentBehavior::DefaultIncomplete)
        .payment_settings(settings)
        .expand(vec!["latest_invoice.confirmation_secret".to_owned(), "pending_setup_intent".to_owned()])
        .send(&client)
        .await
        .unwrap();
    assert_eq!(subscription.status, SubscriptionStatus::Incomplete);
    let Some(Expandable::Object(invoice)) = subscription.latest_invoice else {
        panic!("the invoice was expanded")
    };
    let secret = invoice.confirmation_secret.unwrap().client_secret;
    let intent = secret.split("_secret_").next().unwrap().to_owned();

    let declined = ConfirmPaymentIntent::new(intent.clone())
        .payment_method("pm_card_visa_chargeDeclined")
        .send(&client)
        .await
        .unwrap_err();
    assert!(matches!(declined, stripe::StripeError::Stripe(_, 402)), "{declined:?}");
    ConfirmPaymentIntent::new(intent.clone()).payment_method("pm_card_visa").send(&client).await.unwrap();

    let active = RetrieveSubscription::new(subscription.id.clone())
        .expand(vec!["default_payment_method".to_owned(), "latest_invoice".to_owned(), "customer".to_owned()])
        .send(&client)
        .await
        .unwrap();
    assert_eq!(active.status, SubscriptionStatus::Active);
    assert!(matches!(active.default_payment_method, Some(Expandable::Object(_))));
    let item = &active.items.data[0];
    assert!(item.current_period_start < item.current_period_end);

    let invoices = ListInvoice::new().customer(customer.id.to_string()).send(&client).await.unwrap();
    assert_eq!(invoices.data[0].amount_paid, 2999);
    let paid = RetrievePaymentIntent::new(intent)
        .expand(vec!["latest_charge".to_owned(), "payment_method".to_owned()])
        .send(&client)
        .await
        .unwrap();
    assert!(matches!(paid.latest_charge, Some(Expandable::Object(charge)) if charge.paid));
    let setup = CreateSetupIntent::new().customer(customer.id.to_string()).send(&client).await.unwrap();
    let method = AttachPaymentMethod::new("pm_card_mastercard").customer(customer.id.to_string());
    let method = method.send(&client).await.unwrap();
    let set_up = ConfirmSetupIntent::new(setup.id)
        .payment_method(method.id.to_string())
        .return_url("https://example.test/back");
    assert_eq!(set_up.send(&client).await.unwrap().status, stripe_shared::SetupIntentStatus::Succeeded);
    let product = price.product.id().to_string();
    let renamed = UpdateProduct::new(product.clone()).name("Basic Plan").send(&client).await.unwrap();
    assert_eq!(renamed.name, "Basic Plan");
    let found =
        RetrievePrice::new(price.id.clone()).expand(vec!["product".to_owned()]).send(&client).await.unwrap();
    assert!(matches!(found.product, Expandable::Object(product) if product.name == "Basic Plan"));
    let archived = UpdatePrice::new(price.id).active(false).send(&client).await.unwrap();
    assert!(!archived.active);
    let missing = RetrievePrice::new("price_nope").send(&client).await.unwrap_err();
    assert!(matches!(missing, stripe::StripeError::Stripe(_, 404)), "{missing:?}");

    let ending = UpdateSubscription::new(subscription.id.clone())
        .cancel_at_period_end(true)
        .send(&client)
        .await
        .unwrap();
    assert!(ending.cancel_at_period_end);
    let over = CancelSubscription::new(subscription.id).send(&client).await.unwrap();
    assert_eq!(over.status, SubscriptionStatus::Canceled);
}
