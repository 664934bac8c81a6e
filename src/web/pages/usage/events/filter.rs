//! Which events are asked for: by the page's address, and by the form that makes it.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use leptos::prelude::*;
use leptos_router::location::Url;

use crate::domain::{Period, UsageType, multiline_text};
use crate::metering::{EventChoices, EventFilter, EventPosition};
use crate::web::components::field::Choice;

const PATH: &str = "/usage/events";

/// The address of the events of a window, narrowed by these parameters.
pub fn link(filters: &[(&str, &str)], window: Option<Period>) -> String {
    let times = window.map(|window| [("from", written(window.start)), ("to", written(window.end))]);
    let times = times.iter().flatten().map(|(name, at)| (*name, at.as_str()));
    address(filters.iter().copied().chain(times))
}

/// A time as a form's field has it: UTC, without saying so.
fn written(at: DateTime<Utc>) -> String {
    at.naive_utc().format("%Y-%m-%dT%H:%M:%S%.f").to_string()
}

fn address<'a>(parameters: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let query: Vec<_> = parameters.map(|(name, value)| format!("{name}={}", Url::escape(value))).collect();
    if query.is_empty() { PATH.to_owned() } else { format!("{PATH}?{}", query.join("&")) }
}

/// What an address asks for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub filter: EventFilter,
    pub after: Option<EventPosition>,
}

/// What is wrong with an address, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong(pub String);

impl Asked {
    /// Reads what is given; an empty field of the form is as good as none.
    pub fn read(given: impl Fn(&str) -> Option<String>) -> Result<Self, Wrong> {
        let given = |name: &str| given(name).filter(|text| !text.is_empty());
        let time = |name: &str, what: &str| {
            let text = given(name);
            text.map(|text| read_time(&text).ok_or_else(|| Wrong(format!("{what} isn't a time."))))
                .transpose()
        };
        let filter = EventFilter {
            usage_type: parse(given("usage_type"), "Kind")?,
            user_id: parse(given("user_id"), "Member")?,
            model: given("model")
                .map(|model| multiline_text(&model, "Model", 0, 255).map(|_| model).map_err(Wrong))
                .transpose()?,
            key_id: parse(given("key_id"), "Key")?,
            from: time("from", "From")?,
            to: time("to", "Before")?,
        };
        if let (Some(from), Some(to)) = (filter.from, filter.to)
            && from >= to
        {
            return Err(Wrong(
                "The time before which to look has to be later than the one from which.".into(),
            ));
        }
        let after = match (time("after", "The page's beginning")?, given("after_id")) {
            (Some(occurred_at), Some(id)) if !id.contains('\0') => Some(EventPosition { occurred_at, id }),
            _ => None,
        };
        Ok(Self { filter, after })
    }

    /// The address of the same events, with more parameters.
    pub fn address(&self, more: &[(&str, &str)]) -> String {
        let EventFilter { usage_type, user_id, model, key_id, from, to } = &self.filter;
        let parameters = [
            ("usage_type", usage_type.map(|kind| kind.to_string())),
            ("user_id", user_id.map(|id| id.to_string())),
            ("model", model.clone()),
            ("key_id", key_id.map(|id| id.to_string())),
            ("from", from.map(written)),
            ("to", to.map(written)),
        ];
        let set = parameters.iter().filter_map(|(name, value)| Some((*name, value.as_deref()?)));
        address(set.chain(more.iter().copied()))
    }
}

fn parse<T: std::str::FromStr>(text: Option<String>, what: &str) -> Result<Option<T>, Wrong> {
    text.map(|text| text.parse().map_err(|_| Wrong(format!("{what} isn't one of the choices.")))).transpose()
}

/// A time of the form's fields, a date, or one as the API writes it.
fn read_time(text: &str) -> Option<DateTime<Utc>> {
    let local = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"]
        .iter()
        .find_map(|pattern| NaiveDateTime::parse_from_str(text, pattern).ok());
    let date = || Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(chrono::NaiveTime::MIN));
    let at = match local.or_else(date) {
        Some(local) => local.and_utc(),
        None => DateTime::parse_from_rfc3339(text).ok()?.to_utc(),
    };
    // What both databases compare alike.
    (1970..=9998).contains(&chrono::Datelike::year(&at)).then_some(at)
}

/// The filters, as a form that works without JavaScript.
#[component]
pub fn FilterForm(asked: Asked, choices: EventChoices) -> impl IntoView {
    let EventFilter { usage_type, user_id, model, key_id, from, to } = asked.filter;
    let EventChoices { members, keys, mut models } = choices;
    // Also one that nothing was used of in this period.
    models.extend(model.clone().filter(|model| !models.contains(model)));
    let kinds = UsageType::ALL.map(|kind| (kind.to_string(), kind.label().to_owned())).to_vec();
    let members: Vec<_> = members.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    let keys: Vec<_> = keys.into_iter().map(|(id, name)| (id.to_string(), name)).collect();
    let models: Vec<_> = models.into_iter().map(|model| (model.clone(), model)).collect();
    let text = |id: Option<String>| id.unwrap_or_default();
    // What stands for no choice comes first.
    let any = |label: &str, choices: Vec<(String, String)>| {
        std::iter::once((String::new(), label.to_owned())).chain(choices).collect::<Vec<_>>()
    };
    view! {
        <form method="get" action=PATH class="filters panel" aria-label="Filters">
            <Choice name="usage_type" label="Kind" choices=any("Any kind", kinds) chosen=text(usage_type.map(|kind| kind.to_string()))/>
            {(!members.is_empty()).then(|| view! {
                <Choice name="user_id" label="Member" choices=any("Everyone", members) chosen=text(user_id.map(|id| id.to_string()))/>
            })}
            <Choice name="model" label="Model" choices=any("Any model", models) chosen=text(model)/>
            <Choice name="key_id" label="Key" choices=any("Any key", keys) chosen=text(key_id.map(|id| id.to_string()))/>
            <Time name="from" label="From (UTC)" value=text(from.map(written))/>
            <Time name="to" label="Before (UTC)" value=text(to.map(written))/>
            <div class="filters__actions">
                <button class="button" data-tone="primary" type="submit">"Show"</button>
                <a class="button" data-tone="plain" href=PATH>"Clear"</a>
            </div>
        </form>
    }
}

#[component]
fn Time(name: &'static str, label: &'static str, value: String) -> impl IntoView {
    view! {
        <div class="field">
            <label for=name>{label}</label>
            // To the second: periods begin at any.
            <input id=name name=name type="datetime-local" step="1" class="input" value=value/>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &[(&str, &str)]) -> Result<Asked, Wrong> {
        Asked::read(|name| {
            query.iter().find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_an_address_asks_for_gives_the_same_address() {
        for address in [
            "/usage/events",
            "/usage/events?usage_type=llm&from=2026%2D11%2D07T09%3A12%3A05&to=2026%2D12%2D07T09%3A12%3A05",
            "/usage/events?model=a%20%26%20b",
        ] {
            let query = address.split_once('?').map_or("", |(_, query)| query);
            let pairs: Vec<_> = query
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .map(|(name, value)| (name, Url::unescape(value)))
                .collect();
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(read(&pairs).unwrap().address(&[]), address);
        }
    }

    #[test]
    fn empty_fields_ask_for_nothing_and_wrong_ones_are_named() {
        let empty = read(&[("usage_type", ""), ("from", ""), ("model", "")]).unwrap();
        assert_eq!(empty.filter, EventFilter::default());
        for (query, what) in [
            ([("usage_type", "sms"), ("", "")], "Kind"),
            ([("user_id", "me"), ("", "")], "Member"),
            ([("from", "yesterday"), ("", "")], "From"),
            ([("from", "2026-11-02"), ("to", "2026-11-01T00:00")], "The time before"),
        ] {
            let Wrong(text) = read(&query).unwrap_err();
            assert!(text.starts_with(what), "{text}");
        }
    }
}
