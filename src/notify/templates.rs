//! What messages say: a template for each topic, laid out as text and as HTML.
//!
//! A topic's template says its subject, its lines, its facts and what to do next, once; the two layouts turn that into plain
//! text and HTML, so that both say the same. HTML is escaped by its layout, whatever a group is called; only addresses, which
//! are made here and hold nothing that was typed, stand as they are.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use minijinja::{AutoEscape, Environment, ErrorKind, State, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::domain::{Currency, Money, group_digits};
use crate::error::{Error, Result};

type Failed = minijinja::Error;

macro_rules! topics {
    ($($name:literal),+ $(,)?) => {
        &[$(($name, include_str!(concat!("templates/", $name, ".jinja")))),+]
    };
}

/// Each topic's template, by the word that the topic is stored under.
const TOPICS: &[(&str, &str)] = topics![
    "invitation",
    "overage_cap_reached",
    "overage_enabled",
    "password_reset",
    "payment_approval",
    "payment_failed",
    "plan_changed",
    "sign_in_changed",
    "subscription_ended",
    "subscription_ending",
    "trial_ending",
    "usage_threshold",
];

const TEXT: &str = "layout.txt";
const HTML: &str = "layout.html";

static TEMPLATES: LazyLock<std::result::Result<Environment<'static>, Failed>> = LazyLock::new(environment);

fn environment() -> std::result::Result<Environment<'static>, Failed> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_auto_escape_callback(|name| match name {
        HTML => AutoEscape::Html,
        _ => AutoEscape::None,
    });
    environment.add_filter("tokens", group_digits);
    environment.add_filter("day", |at: String| written(&at, "%-d %B %Y"));
    environment.add_filter("time", |at: String| written(&at, "%-d %B %Y, %H:%M UTC"));
    environment.add_filter("money", |value: Value| {
        let (amount, currency) = (value.get_attr("amount")?, value.get_attr("currency")?);
        money(&amount.to_string(), &currency.to_string())
    });
    environment.add_filter("money_in", |amount: String, currency: String| money(&amount, &currency));
    environment.add_template(TEXT, include_str!("templates/layout.txt"))?;
    environment.add_template(HTML, include_str!("templates/layout.html"))?;
    for (name, source) in TOPICS {
        environment.add_template(name, source)?;
    }
    Ok(environment)
}

/// A time in words, as its reader needs it.
fn written(at: &str, format: &str) -> std::result::Result<String, Failed> {
    let at: DateTime<Utc> = at.parse().map_err(|_| invalid("not a time"))?;
    Ok(at.format(format).to_string())
}

fn money(amount: &str, currency: &str) -> std::result::Result<String, Failed> {
    let currency: Currency = currency.parse().map_err(invalid)?;
    Money::parse(amount, currency).map(|money| money.to_string()).map_err(invalid)
}

fn invalid(what: impl Into<std::borrow::Cow<'static, str>>) -> Failed {
    Failed::new(ErrorKind::InvalidOperation, what)
}

/// What a topic's template may speak of.
#[derive(Clone, Debug, Serialize)]
pub struct About<'a, D: Serialize> {
    /// The group's name.
    pub group: &'a str,
    /// The address people see, with a slash at its end.
    pub base: &'a str,
    /// Whether the reader is an admin of the group.
    pub admin: bool,
    /// The topic's own figures.
    pub data: D,
}

/// What stands below a message, for those that one may choose not to get.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Footer {
    /// Why the reader gets it. Where it is empty, the topic's template says it.
    pub note: String,
    /// Where the reader chooses which e-mails to get.
    pub settings_url: Option<String>,
    pub unsubscribe_url: Option<String>,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// Writes a message of a topic.
///
/// # Errors
/// [`Error::Internal`] for what a template can't say.
pub fn write<D: Serialize>(topic: &str, about: &About<'_, D>, footer: &Footer) -> Result<Content> {
    let failed = |error: &Failed| Error::Internal(format!("the template of {topic}: {error:#}"));
    let environment = TEMPLATES.as_ref().map_err(failed)?;
    render(environment, topic, about, footer).map_err(|error| failed(&error))
}

fn render<D: Serialize>(
    environment: &Environment<'_>,
    topic: &str,
    about: &About<'_, D>,
    footer: &Footer,
) -> std::result::Result<Content, Failed> {
    let template = environment.get_template(topic)?;
    let said = template.render_captured(about)?;
    let part = |name: &str| said_part(said.state(), name);
    // One line, as a header needs it.
    let subject = part("subject")?.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let note = if footer.note.is_empty() { part("note")? } else { Value::from(footer.note.as_str()) };
    let heading = if about.group.is_empty() { "Tollgate" } else { about.group };
    let shown = context! {
        heading,
        subject,
        note,
        lines => part("lines")?,
        facts => part("facts")?,
        action => part("action")?,
        settings_url => footer.settings_url,
        unsubscribe_url => footer.unsubscribe_url,
    };
    let text = environment.get_template(TEXT)?.render(&shown)?;
    let html = environment.get_template(HTML)?.render(&shown)?;
    Ok(Content { subject, text, html })
}

fn said_part(said: &State<'_, '_>, name: &str) -> std::result::Result<Value, Failed> {
    said.lookup(name).ok_or_else(|| invalid(format!("it doesn't say its {name}")))
}
