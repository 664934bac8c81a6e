//! What people ask for: the packages of a plan, and whether and up to which cap a group wants them.

use serde::{Deserialize, Serialize};

use super::{Currency, FieldErrors, MAX_COUNT, Money, OveragePrices, Package, PerType, Refusal, UsageType};

/// What an admin says to overage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OverageAgreement {
    /// Whether what lies beyond the limits may be spent, and is paid.
    pub enabled: bool,
    /// The most it may cost in a period: a decimal string in the plan's currency. Needed where it is enabled.
    #[serde(default)]
    pub cap: Option<String>,
}

impl OverageAgreement {
    /// The ceiling.
    ///
    /// # Errors
    /// [`Refusal::Invalid`] on `cap`.
    pub fn cap(&self, currency: Currency) -> Result<Money, Refusal> {
        let typed = self.cap.as_deref().map(str::trim).filter(|typed| !typed.is_empty());
        let refuse = |message: String| Refusal::field("cap", message);
        let typed = typed.ok_or_else(|| refuse("Say how much it may cost in a period.".into()))?;
        let cap =
            Money::parse(typed, currency).map_err(|message| refuse(message.replace("Price", "The cap")))?;
        if cap.minor == 0 { Err(refuse("The cap must be more than 0.".into())) } else { Ok(cap) }
    }
}

/// What a plan asks for a resource's overage, not yet checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PackageInput {
    /// Tokens in one package, 1 to 2^53-1.
    pub per: i64,
    /// Price of one package: a decimal string such as `0.02`, in the plan's currency.
    pub price: String,
}

/// What a plan asks for what lies beyond its limits, not yet checked; null for a resource that ends at its limit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OverageInput {
    #[serde(default)]
    pub llm: Option<PackageInput>,
    #[serde(default)]
    pub voice: Option<PackageInput>,
}

impl OverageInput {
    /// Checks the packages of a plan with these limits.
    pub fn check(
        &self,
        currency: Currency,
        limits: PerType<Option<i64>>,
        errors: &mut FieldErrors,
    ) -> Option<OveragePrices> {
        let mut package = |kind: UsageType, input: &Option<PackageInput>| {
            let PackageInput { per, price } = input.as_ref()?;
            let field = |name: &str| format!("overage.{kind}.{name}");
            if limits[kind].is_none() {
                errors.add(field("per"), "Unlimited tokens have nothing beyond their limit.");
            } else if !(1..=MAX_COUNT).contains(per) {
                errors.add(field("per"), "Enter how many tokens are in a package.");
            }
            let price = errors.take(&field("price"), Money::parse(price, currency))?;
            if price.minor == 0 {
                errors.add(field("price"), "Price must be more than 0.");
            }
            Some(Package { per: *per, price: price.minor })
        };
        let packages = PerType {
            llm: package(UsageType::Llm, &self.llm),
            voice: package(UsageType::Voice, &self.voice),
        };
        (packages.llm.is_some() || packages.voice.is_some()).then_some(OveragePrices { currency, packages })
    }

    /// The packages of a plan that was checked.
    ///
    /// # Errors
    /// As [`Money::parse`].
    pub fn prices(&self, currency: Currency) -> Result<Option<OveragePrices>, String> {
        let package = |input: &Option<PackageInput>| {
            let price = |input: &PackageInput| {
                Money::parse(&input.price, currency)
                    .map(|price| Package { per: input.per, price: price.minor })
            };
            input.as_ref().map(price).transpose()
        };
        let packages = PerType { llm: package(&self.llm)?, voice: package(&self.voice)? };
        Ok((packages.llm.is_some() || packages.voice.is_some())
            .then_some(OveragePrices { currency, packages }))
    }
}

impl From<&OveragePrices> for OverageInput {
    fn from(prices: &OveragePrices) -> Self {
        let input = |package: Package| PackageInput {
            per: package.per,
            price: prices.money(package.price).decimal(),
        };
        let PerType { llm, voice } = prices.packages.map(|package| package.map(input));
        Self { llm, voice }
    }
}
