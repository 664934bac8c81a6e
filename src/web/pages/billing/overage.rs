//! `/billing/overage`: what lies beyond the plan's limits, at which price, and up to how much.

use leptos::prelude::*;
use leptos::server_fn::ServerFn;

use crate::billing::OverageCharge;
use crate::domain::{
    Level, Money, OverageConsent, OveragePrices, OverageUsage, PeriodUsage, Role, Status, Subscription,
    UsageType, group_digits,
};
use crate::web::AppError;
use crate::web::components::ask_admin::AskAdmin;
use crate::web::components::field::Field;
use crate::web::components::form::{Attempt, Form, Refused};
use crate::web::components::notice::Notice;
use crate::web::components::page::{Head, Heading, load, set_status};
use crate::web::components::submit::Submit;
use crate::web::components::table::{Column, Row, Table};
use crate::web::format;
use crate::web::server_fns::billing::AgreeToOverage;
use crate::web::ssr::context::{admins_to_ask, services, user};

enum Data {
    /// Whom a member asks, by name.
    Member(String),
    Admin(Box<Shown>),
}

/// What an admin sees.
struct Shown {
    subscription: Option<Subscription>,
    /// None where the plan sells none.
    overage: Option<OverageUsage>,
    /// Those of the plan, for the periods to come.
    prices: Option<OveragePrices>,
    last: Option<PeriodUsage>,
    charges: Vec<OverageCharge>,
    consents: Vec<OverageConsent>,
}

#[component]
pub fn Overage() -> impl IntoView {
    load(data(), move |data| {
        let shown = match data {
            Data::Member(names) => view! { <ForAdmins names/> }.into_any(),
            Data::Admin(shown) => page(*shown),
        };
        view! {
            <Head title="Overage" description="What your group may spend beyond its plan, and what it pays for it."/>
            {shown}
        }
        .into_any()
    })
}

async fn data() -> Result<Data, AppError> {
    let (user, services) = (user()?, services());
    user.must_have_group()?;
    if user.role == Role::Member {
        return Ok(Data::Member(admins_to_ask(&user).await?.unwrap_or_default()));
    }
    let subscription = services.billing.subscription(&user).await?;
    let overage = match subscription {
        Some(_) => services.metering.usage(&user).await?.overage,
        None => None,
    };
    let prices = subscription.as_ref().and_then(|subscription| subscription.plan.overage);
    Ok(Data::Admin(Box::new(Shown {
        prices,
        overage,
        last: services.metering.history(&user).await?.into_iter().next(),
        charges: services.billing.overage_charges(&user).await?,
        consents: services.billing.overage_consents(&user).await?,
        subscription,
    })))
}

fn page(shown: Shown) -> AnyView {
    let Shown { subscription, overage, prices, last, charges, consents } = shown;
    let offered = subscription.zip(prices);
    let main = match offered {
        None => view! {
            <section class="empty">
                <h2>"Your plan ends at its limits"</h2>
                <p>"It sells nothing beyond them: nothing can be overspent, and nothing is charged but its price."</p>
                <p><a class="button" data-tone="plain" href="/subscribe">"Compare plans"</a></p>
            </section>
        }
        .into_any(),
        Some((subscription, prices)) => {
            view! { <Agreement subscription prices overage last/> }.into_any()
        }
    };
    view! {
        <Heading title="Overage" text="What your group may spend beyond its plan's limits, and what it pays for it."/>
        {main}
        {(!charges.is_empty()).then(|| view! { <Charges charges/> })}
        {(!consents.is_empty()).then(|| view! { <Consents consents/> })}
    }
    .into_any()
}

#[component]
fn Agreement(
    subscription: Subscription,
    prices: OveragePrices,
    overage: Option<OverageUsage>,
    last: Option<PeriodUsage>,
) -> impl IntoView {
    let attempt = Attempt::of::<AgreeToOverage>();
    let enabled = overage.as_ref().is_some_and(|overage| overage.enabled);
    let cap = match attempt.clone().refused() {
        Some(_) => attempt.value("cap"),
        None => overage.as_ref().and_then(|overage| overage.cap.clone()).unwrap_or_default(),
    };
    let state = match &overage {
        Some(overage) if overage.enabled => {
            let cap = overage.cap.clone().unwrap_or_default();
            let (spent, projected) = (money(&overage.spent, &prices), money(&overage.projected, &prices));
            view! {
                <Notice level=Level::Ok>
                    <strong>{format!("Enabled, up to {} a period. ", money(&cap, &prices))}</strong>
                    {format!("This period: {spent} so far, {projected} by its end at this pace.")}
                </Notice>
            }
            .into_any()
        }
        _ if subscription.status == Status::Trialing => view! {
            <Notice level=Level::Ok>
                "A trial is never charged. What you agree to here holds from the first paid period on."
            </Notice>
        }
        .into_any(),
        _ => {
            view! { <p>"Not enabled: at its limits, your group can spend no more until the next period."</p> }
                .into_any()
        }
    };
    let would = last.map(|last| {
        let cost = UsageType::ALL.into_iter().map(|kind| {
            let resource = last.resources[kind];
            let beyond = resource.limit.map_or(0, |limit| (resource.used - limit).max(0));
            prices.amount(kind, beyond)
        });
        let cost = prices.money(cost.sum());
        let span = format::span(last.start, last.end);
        view! {
            <div><dt>"The last period would have cost"</dt><dd>{format!("{cost} ({span})")}</dd></div>
        }
    });
    let facts = UsageType::ALL.into_iter().filter_map(|kind| {
        let package = prices.packages[kind]?;
        let text = format!("{} for {} begun", prices.money(package.price), group_digits(package.per));
        Some(view! { <div><dt>{kind.label()}</dt><dd>{text}</dd></div> })
    });
    let (id, message) = (subscription.id.to_string(), attempt.message(&["cap"]));
    let disable = enabled.then(|| {
        view! {
            <Form to=AgreeToOverage::PATH>
                <input type="hidden" name="id" value=id.clone()/>
                <input type="hidden" name="enabled" value="false"/>
                <Submit label="Disable" tone="plain"/>
            </Form>
        }
    });
    view! {
        <section class="panel overage" aria-labelledby="agreement">
            <h2 id="agreement">{format!("Beyond {}", subscription.plan.name)}</h2>
            {state}
            <dl class="facts">
                {facts.collect_view()}
                {would}
            </dl>
            <Refused message/>
            <Form to=AgreeToOverage::PATH>
                <input type="hidden" name="id" value=subscription.id.to_string()/>
                <input type="hidden" name="enabled" value="true"/>
                <div class="stacked-form">
                    <Field
                        name="cap"
                        label="The most it may cost in a period"
                        hint="For LLM and voice tokens together. Beyond it nothing more is granted or charged."
                        value=cap
                        error=attempt.error("cap")
                    />
                    <p class="field__hint">
                        "By agreeing, your group pays for the packages it begins beyond its limits, on the invoice of its next \
                         renewal. Kept with your name, the time and these prices."
                    </p>
                    <Submit label=if enabled { "Change the cap" } else { "Agree and enable" }/>
                </div>
            </Form>
            {disable}
        </section>
    }
}

const CHARGED: &[Column] = &[
    Column::text("Period"),
    Column::short("Tokens"),
    Column::number("Used"),
    Column::number("Included"),
    Column::number("Packages"),
    Column::number("Amount"),
    Column::short("Invoice"),
];

#[component]
pub fn Charges(charges: Vec<OverageCharge>) -> impl IntoView {
    let rows = charges.into_iter().map(|charge| {
        let amount = |minor| Money::new(minor, charge.currency).to_string();
        let packages = format!("{} × {}", group_digits(charge.packages), amount(charge.package_price));
        let placed = match (&charge.problem, charge.placed_at) {
            (Some(problem), _) => problem.clone(),
            (None, Some(_)) => "On an invoice".to_owned(),
            (None, None) => "To come".to_owned(),
        };
        Row::new(format::span(charge.period_start, charge.period_end))
            .cell(charge.usage_type.label())
            .cell(group_digits(charge.used))
            .cell(group_digits(charge.included))
            .cell(packages)
            .cell(amount(charge.amount_minor))
            .cell(placed)
    });
    let rows: Vec<Row> = rows.collect();
    view! {
        <section class="section" aria-labelledby="charges">
            <h2 id="charges">"Charged so far"</h2>
            <Table caption="Charged so far" columns=CHARGED rows/>
        </section>
    }
}

const AGREED: &[Column] =
    &[Column::short("When"), Column::text("Who"), Column::text("What"), Column::text("Prices")];

#[component]
fn Consents(consents: Vec<OverageConsent>) -> impl IntoView {
    let rows = consents.into_iter().map(|consent| {
        let what = match consent.cap {
            Some(cap) => format!("Up to {cap} a period"),
            None => "Disabled".to_owned(),
        };
        let prices = format::overage_lines(consent.prices.or(consent.next_prices).as_ref());
        let prices: Vec<_> = prices.iter().map(|line| line.trim_start_matches("Beyond that, ")).collect();
        Row::new(format::date_time(consent.at)).cell(consent.by).cell(what).cell(prices.join(", "))
    });
    let rows: Vec<Row> = rows.collect();
    view! {
        <section class="section" aria-labelledby="agreed">
            <h2 id="agreed">"Agreed to"</h2>
            <Table caption="Agreed to" columns=AGREED rows/>
        </section>
    }
}

/// A decimal string as people read it.
fn money(decimal: &str, prices: &OveragePrices) -> String {
    Money::parse(decimal, prices.currency).map_or_else(|_| decimal.to_owned(), |money| money.to_string())
}

#[component]
fn ForAdmins(names: String) -> impl IntoView {
    set_status(403);
    view! {
        <Heading title="Overage"/>
        <section class="empty empty--page">
            <h2>"Overage is for your group's admins"</h2>
            <p><AskAdmin to="say what may be spent beyond the plan" names/></p>
        </section>
    }
}
