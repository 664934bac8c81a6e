//! Lists in pages: `?limit=`, `?cursor=`, and the envelope they come in.

use std::borrow::Cow;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::domain::{ApiKey, FieldErrors, Invitation, Member, Plan};
use crate::http::problem::Problem;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub results: Vec<T>,
    /// For `?cursor=` of the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// Which page of a list.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many results at most, 1 to 200.
    #[param(required = false, value_type = u16, minimum = 1, maximum = 200, default = 50)]
    limit: usize,
    /// The page before's `next_cursor`.
    #[param(required = false, value_type = String, pattern = "^[A-Za-z0-9_-]{26}[AEIMQUYcgkosw048]$")]
    cursor: Option<Cursor>,
}

/// Which page of the plans, and of which plans.
#[derive(Debug)]
pub struct PlansQuery {
    pub include_archived: bool,
    pub page: PageQuery,
}

impl<S: Sync> FromRequestParts<S> for PageQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let page = query.page();
        query.end()?;
        Ok(page)
    }
}

impl<S: Sync> FromRequestParts<S> for PlansQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut query = Query::of(parts);
        let page = query.page();
        let include_archived = match query.take("include_archived").as_deref() {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => query.wrong("include_archived", "Must be true or false."),
        };
        query.end()?;
        Ok(Self { include_archived, page })
    }
}

/// A query string being read: what is left of it, and what was wrong so far.
struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    errors: FieldErrors,
}

impl<'a> Query<'a> {
    fn of(parts: &'a Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        Self { pairs: form_urlencoded::parse(query.as_bytes()).collect(), errors: FieldErrors::new() }
    }

    fn take(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let index = self.pairs.iter().position(|(given, _)| given == name)?;
        Some(self.pairs.remove(index).1)
    }

    fn wrong<T: Default>(&mut self, name: &str, message: &str) -> T {
        self.errors.add(name, message);
        T::default()
    }

    fn page(&mut self) -> PageQuery {
        let limit = self.take("limit").map_or(DEFAULT_LIMIT, |text| match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
            _ => self.wrong("limit", "Must be a whole number, 1 to 200."),
        });
        let cursor = self.take("cursor").and_then(|text| {
            Cursor::decode(&text).or_else(|| self.wrong("cursor", "Is not a cursor that this list gave."))
        });
        PageQuery { limit, cursor }
    }

    /// # Errors
    /// 422 if anything was wrong or something is left.
    fn end(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            let known = ["limit", "cursor", "include_archived"].contains(&&*name);
            let message =
                if known { "Is given twice, or not for this list." } else { "There is no such parameter." };
            self.errors.add(name, message);
        }
        if self.errors.is_empty() { Ok(()) } else { Err(crate::domain::Refusal::from(self.errors).into()) }
    }
}

/// Where a page ended: the id of its last item, and how many items came up to it, which is where the next
/// page begins if that item is gone meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cursor {
    seen: u32,
    last: Uuid,
}

impl Cursor {
    fn encode(self) -> String {
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&self.seen.to_be_bytes());
        bytes[4..].copy_from_slice(self.last.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; 20] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (seen, last) = bytes.split_first_chunk::<4>()?;
        Some(Self { seen: u32::from_be_bytes(*seen), last: Uuid::from_slice(last).ok()? })
    }
}

/// What a list is made of.
pub trait Listed {
    fn id(&self) -> Uuid;
}

macro_rules! listed {
    ($($item:ty),*) => {
        $(impl Listed for $item {
            fn id(&self) -> Uuid {
                self.id.into()
            }
        })*
    };
}

listed!(ApiKey, Invitation, Member, Plan);

impl PageQuery {
    /// The page of `items` that was asked for.
    pub fn cut<T: Listed>(&self, mut items: Vec<T>) -> Page<T> {
        let start = self.cursor.map_or(0, |cursor| {
            let after = items.iter().position(|item| item.id() == cursor.last).map(|index| index + 1);
            after.unwrap_or(cursor.seen as usize).min(items.len())
        });
        let more = items.len() - start > self.limit;
        let mut results = items.split_off(start);
        results.truncate(self.limit);
        let next_cursor = results.last().filter(|_| more).map(|last| {
            let seen = u32::try_from(start + results.len()).unwrap_or(u32::MAX);
            Cursor { seen, last: last.id() }.encode()
        });
        Page { results, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Item(u128);

    impl Listed for Item {
        fn id(&self) -> Uuid {
            Uuid::from_u128(self.0)
        }
    }

    fn parts(query: &str) -> Parts {
        Request::get(format!("/?{query}")).body(()).unwrap().into_parts().0
    }

    async fn page(query: &str) -> Result<PageQuery, Problem> {
        PageQuery::from_request_parts(&mut parts(query), &()).await
    }

    #[tokio::test]
    async fn following_the_cursor_visits_every_item_once() {
        let items: Vec<_> = (0..7).map(Item).collect();
        let mut seen = vec![];
        let mut query = "limit=3".to_owned();
        for _ in 0..3 {
            let page = page(&query).await.unwrap().cut(items.clone());
            seen.extend(page.results);
            match page.next_cursor {
                Some(cursor) => query = format!("limit=3&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, items);
    }

    #[tokio::test]
    async fn a_page_that_ends_with_the_list_is_the_last() {
        let cut = page("limit=3").await.unwrap().cut((0..3).map(Item).collect());
        assert_eq!((cut.results.len(), cut.next_cursor), (3, None));
    }

    #[tokio::test]
    async fn what_came_or_went_meanwhile_moves_no_page() {
        let first = page("limit=2").await.unwrap().cut((0..5).map(Item).collect());
        let query = format!("cursor={}", first.next_cursor.unwrap());
        let grown = page(&query).await.unwrap().cut([9, 0, 1, 2, 3].map(Item).into());
        assert_eq!(grown.results, [Item(2), Item(3)]);
        let without_the_last = page(&query).await.unwrap().cut([0, 5, 2, 3].map(Item).into());
        assert_eq!(without_the_last.results, [Item(2), Item(3)]);
        let emptied = page(&query).await.unwrap().cut(Vec::<Item>::new());
        assert!(emptied.results.is_empty());
    }

    #[tokio::test]
    async fn what_is_wrong_is_named() {
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=201", "limit"),
            ("limit=many", "limit"),
            ("limit=", "limit"),
            ("limit=1&limit=2", "limit"),
            ("cursor=abc", "cursor"),
            ("page=2", "page"),
            ("include_archived=true", "include_archived"),
        ] {
            let problem = page(query).await.unwrap_err();
            assert_eq!(
                (problem.status().as_u16(), problem.errors()[0].field.as_str()),
                (422, field),
                "{query}"
            );
        }
    }

    #[tokio::test]
    async fn plans_may_include_the_archived() {
        let of = async |query: &str| PlansQuery::from_request_parts(&mut parts(query), &()).await;
        assert!(of("include_archived=true&limit=1").await.unwrap().include_archived);
        assert!(!of("").await.unwrap().include_archived);
        assert_eq!(of("include_archived=1").await.unwrap_err().status(), 422);
    }
}
