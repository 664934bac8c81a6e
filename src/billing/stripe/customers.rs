//! Customers, what they pay with and what their invoices are made out to.

use std::collections::HashMap;

use stripe::StripeError;
use stripe_billing::billing_portal_session::CreateBillingPortalSession;
use stripe_billing::subscription::UpdateSubscription;
use stripe_billing::tax_id::{
    CreateCustomerTaxId, CreateCustomerTaxIdType, DeleteCustomerTaxId, ListCustomerTaxId,
};
use stripe_core::customer::{
    CreateCustomer, OptionalFieldsCustomerAddress, RetrieveCustomer, RetrieveCustomerReturned,
    UpdateCustomer, UpdateCustomerInvoiceSettings,
};
use stripe_core::setup_intent::{
    CreateSetupIntent, CreateSetupIntentAutomaticPaymentMethods, CreateSetupIntentUsage, RetrieveSetupIntent,
};
use stripe_payment::payment_method::{AttachPaymentMethod, DetachPaymentMethod, RetrievePaymentMethod};
use stripe_shared::{ApiErrorsCode, ApiErrorsType, Customer, PaymentMethod, SetupIntent, TaxId};

use super::{Failure, PAYS_FOR_KEY, Result, Stripe};
use crate::billing::failure::is_missing;
use crate::domain::{BillingDetails, Refusal};

impl Stripe {
    /// A customer; none where Stripe has no such, or has it no more.
    pub async fn customer(&self, id: &str) -> Result<Option<Customer>> {
        match RetrieveCustomer::new(id).send(&self.client).await {
            Ok(RetrieveCustomerReturned::Customer(customer)) => Ok(Some(customer)),
            Ok(RetrieveCustomerReturned::DeletedCustomer(_)) => Ok(None),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    pub async fn create_customer(&self, name: &str, email: &str, group: &str) -> Result<String> {
        let metadata = HashMap::from([("tollgate_group".to_owned(), group.to_owned())]);
        let mut request = CreateCustomer::new().name(name).email(email).metadata(metadata);
        if let Some(clock) = &self.test_clock {
            request = request.test_clock(clock);
        }
        Ok(request.send(&self.client).await?.id.to_string())
    }

    /// Has invoices made out so from now on. What is empty is taken away.
    pub async fn set_billing_details(&self, customer: &str, details: &BillingDetails) -> Result<()> {
        let BillingDetails { name, line1, line2, postal_code, city, state, country, .. } = details.clone();
        let mut address = OptionalFieldsCustomerAddress::new();
        address.line1 = Some(line1);
        address.line2 = Some(line2);
        address.postal_code = Some(postal_code);
        address.city = Some(city);
        address.state = Some(state);
        address.country = Some(country);
        UpdateCustomer::new(customer).name(name).address(address).send(&self.client).await?;
        Ok(())
    }

    /// A customer's tax ids, the newest first.
    pub async fn tax_ids(&self, customer: &str) -> Result<Vec<TaxId>> {
        match ListCustomerTaxId::new(customer).send(&self.client).await {
            Ok(list) => Ok(list.data),
            Err(error) if is_missing(&error) => Ok(Vec::new()),
            Err(error) => Err(error.into()),
        }
    }

    /// # Errors
    /// A refusal on `tax_id` where it isn't one.
    pub async fn add_tax_id(&self, customer: &str, kind: &str, value: &str) -> Result<()> {
        let kind: CreateCustomerTaxIdType = kind
            .parse()
            .map_err(|_| Failure::Refused(Refusal::field("tax_id_type", "Stripe has no such kind.")))?;
        match CreateCustomerTaxId::new(customer, kind, value).send(&self.client).await {
            Ok(_) => Ok(()),
            Err(StripeError::Stripe(api, _)) if api.code == Some(ApiErrorsCode::TaxIdInvalid) => {
                let message = "This is no tax id of the chosen kind.";
                Err(Failure::Refused(Refusal::field("tax_id", message)))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a tax id away. One that is gone already is fine.
    pub async fn remove_tax_id(&self, customer: &str, id: &str) -> Result<()> {
        match DeleteCustomerTaxId::new(customer, id).send(&self.client).await {
            Ok(_) => Ok(()),
            Err(error) if is_missing(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Gives the customer a card; answers with the card's own id, which a test card's name is not.
    ///
    /// # Errors
    /// [`Refusal::CardDeclined`]; a refusal on `payment_method` where Stripe has no such.
    pub async fn attach(&self, payment_method: &str, customer: &str) -> Result<String> {
        match AttachPaymentMethod::new(payment_method).customer(customer).send(&self.client).await {
            Ok(card) => Ok(card.id.to_string()),
            Err(StripeError::Stripe(api, 400 | 404))
                if api.type_ == ApiErrorsType::InvalidRequestError
                    && api.param.as_deref() != Some("customer") =>
            {
                let message = "Stripe has no such payment method, or it can't be used.";
                Err(Failure::Refused(Refusal::field("payment_method", message)))
            }
            Err(error) => Err(error.into()),
        }
    }

    pub async fn payment_method(&self, id: &str) -> Result<PaymentMethod> {
        Ok(RetrievePaymentMethod::new(id).send(&self.client).await?)
    }

    /// Has both be paid by this payment method of the customer's from now on. The subscription's own goes before the
    /// customer's, so that the customer's alone would change nothing where it has one.
    pub async fn set_default(&self, customer: &str, subscription: &str, payment_method: &str) -> Result<()> {
        UpdateSubscription::new(subscription)
            .default_payment_method(payment_method)
            .send(&self.client)
            .await?;
        let mut settings = UpdateCustomerInvoiceSettings::new();
        settings.default_payment_method = Some(payment_method.to_owned());
        UpdateCustomer::new(customer).invoice_settings(settings).send(&self.client).await?;
        Ok(())
    }

    /// Takes a card away from its customer.
    pub async fn detach(&self, payment_method: &str) -> Result<()> {
        DetachPaymentMethod::new(payment_method).send(&self.client).await?;
        Ok(())
    }

    /// Begins keeping a card for a customer, to pay for a subscription by, which a card form then confirms.
    pub async fn create_setup_intent(&self, customer: &str, subscription: &str) -> Result<SetupIntent> {
        let request = CreateSetupIntent::new()
            .customer(customer)
            .metadata(HashMap::from([(PAYS_FOR_KEY.to_owned(), subscription.to_owned())]))
            .automatic_payment_methods(CreateSetupIntentAutomaticPaymentMethods::new(true))
            .usage(CreateSetupIntentUsage::OffSession);
        Ok(request.send(&self.client).await?)
    }

    /// A setup intent, or `None` where Stripe has no such.
    pub async fn setup_intent(&self, id: &str) -> Result<Option<SetupIntent>> {
        match RetrieveSetupIntent::new(id).send(&self.client).await {
            Ok(intent) => Ok(Some(intent)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The address of the customer's pages at Stripe, which lead back to `back`.
    ///
    /// # Errors
    /// A refusal where the portal isn't set up at Stripe.
    pub async fn portal(&self, customer: &str, back: &str) -> Result<String> {
        match CreateBillingPortalSession::new().customer(customer).return_url(back).send(&self.client).await {
            Ok(session) => Ok(session.url),
            // Stripe refuses it until its settings were saved once.
            Err(StripeError::Stripe(api, 400))
                if api.type_ == ApiErrorsType::InvalidRequestError && api.param.is_none() =>
            {
                let message =
                    "Stripe's customer portal isn't set up yet. It is switched on in Stripe's dashboard.";
                Err(Failure::Refused(Refusal::StripeRefused(message.into())))
            }
            Err(error) => Err(error.into()),
        }
    }
}
