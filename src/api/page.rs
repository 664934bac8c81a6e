//! Lists in pages: `?limit=`, `?cursor=`, and the envelope they come in.

use std::borrow::Cow;
use std::str::FromStr;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::billing::InvoiceKey;
use crate::domain::FieldErrors;
use crate::groups::GroupKey;
use crate::http::problem::Problem;
use crate::storage::{HoldKey, PageRequest, PageRows, PlanKey};

pub(super) const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 200;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    pub results: Vec<T>,
    /// For `?cursor=` of the next page; null on the last.
    pub next_cursor: Option<String>,
}

/// A page's parameters, for the API's document: requests are read by [`PageQuery`].
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "for the document")]
pub struct PageParams {
    /// How many results at most, 1 to 200.
    #[param(required = false, minimum = 1, maximum = 200, default = 50)]
    limit: u16,
    /// The page before's `next_cursor`.
    #[param(required = false, pattern = "^[A-Za-z0-9_-]{1,1400}$")]
    cursor: String,
}

/// Which page of a list whose rows are found by `K`.
#[derive(Debug)]
pub struct PageQuery<K> {
    limit: usize,
    cursor: Option<K>,
}

/// Which page of the plans, and of which plans.
#[derive(Debug)]
pub struct PlansQuery {
    pub include_archived: bool,
    pub page: PageQuery<PlanKey>,
}

impl<S: Sync, K: Cursor> FromRequestParts<S> for PageQuery<K> {
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

/// A query string being read: what is left of it, what was asked for, and what was wrong so far.
pub(super) struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    known: Vec<&'static str>,
    errors: FieldErrors,
}

impl<'a> Query<'a> {
    pub fn of(parts: &'a Parts) -> Self {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes()).collect();
        Self { pairs, known: Vec::new(), errors: FieldErrors::new() }
    }

    pub fn take(&mut self, name: &'static str) -> Option<Cow<'a, str>> {
        self.known.push(name);
        let index = self.pairs.iter().position(|(given, _)| given == name)?;
        Some(self.pairs.remove(index).1)
    }

    /// A parameter that `T` says how to read.
    pub fn parse<T: FromStr>(&mut self, name: &'static str, wrong: &str) -> Option<T> {
        self.read(name, |text| text.parse().map_err(|_| wrong.to_owned()))
    }

    /// A parameter that `read` reads; nothing where it is left out or wrong.
    pub fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let text = self.take(name)?;
        self.errors.take(name, read(&text))
    }

    pub fn wrong<T: Default>(&mut self, name: &str, message: &str) -> T {
        self.errors.add(name, message);
        T::default()
    }

    pub fn page<K: Cursor>(&mut self) -> PageQuery<K> {
        let limit = self.take("limit").map_or(DEFAULT_LIMIT, |text| match text.parse() {
            Ok(limit) if (1..=MAX_LIMIT).contains(&limit) => limit,
            _ => self.wrong("limit", "Must be a whole number, 1 to 200."),
        });
        PageQuery { limit, cursor: self.cursor("cursor") }
    }

    /// The cursor of a list that has this parameter for it.
    pub fn cursor<K: Cursor>(&mut self, name: &'static str) -> Option<K> {
        let text = self.take(name)?;
        let key = BASE64_URL_SAFE_NO_PAD.decode(&*text).ok().and_then(|bytes| K::from_bytes(&bytes));
        key.or_else(|| self.wrong(name, "Is not a cursor that this list gave."))
    }

    /// # Errors
    /// 422 if anything was wrong or something is left.
    pub fn end(mut self) -> Result<(), Problem> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            let known = self.known.contains(&&*name);
            let message = if known { "Is given twice." } else { "There is no such parameter here." };
            self.errors.add(name, message);
        }
        Ok(self.errors.into_result()?)
    }
}

/// The key of a list's rows, as a cursor carries it.
pub trait Cursor: Sized {
    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

/// Ids are in the order of creation, so most lists are found by them.
impl<T: From<Uuid> + Into<Uuid> + Copy> Cursor for T {
    fn to_bytes(&self) -> Vec<u8> {
        (*self).into().into_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Uuid::from_slice(bytes).ok().map(Self::from)
    }
}

impl Cursor for HoldKey {
    fn to_bytes(&self) -> Vec<u8> {
        self.0.as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        String::from_utf8(bytes.to_vec()).ok().filter(|id| !id.is_empty() && !id.contains('\0')).map(Self)
    }
}

impl Cursor for GroupKey {
    fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok()?.parse().ok()
    }
}

impl Cursor for InvoiceKey {
    fn to_bytes(&self) -> Vec<u8> {
        self.as_str().as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        std::str::from_utf8(bytes).ok().and_then(Self::new)
    }
}

impl Cursor for PlanKey {
    fn to_bytes(&self) -> Vec<u8> {
        let id: Uuid = self.id.into();
        [self.currency.code().as_bytes(), &self.yearly_minor.to_be_bytes(), id.as_bytes()].concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (currency, rest) = bytes.split_first_chunk::<3>()?;
        let (yearly_minor, id) = rest.split_first_chunk::<8>()?;
        Some(Self {
            currency: std::str::from_utf8(currency).ok()?.parse().ok()?,
            yearly_minor: i64::from_be_bytes(*yearly_minor),
            id: Uuid::from_slice(id).ok()?.into(),
        })
    }
}

impl<K: Clone> PageQuery<K> {
    /// What the list's owner is asked for.
    pub fn request(&self) -> PageRequest<K> {
        PageRequest { after: self.cursor.clone(), limit: self.limit }
    }

    /// How many rows at most, and where they begin.
    pub fn into_parts(self) -> (usize, Option<K>) {
        (self.limit, self.cursor)
    }
}

impl<T> Page<T> {
    /// The page of these rows, each of which `key` gives the key of.
    pub fn of<K: Cursor>(page: PageRows<T>, key: impl Fn(&T) -> K) -> Self {
        let next = page.rows.last().filter(|_| page.more).map(key);
        Self::new(page.rows, next.as_ref())
    }

    /// A page that the one with this key follows, if one does.
    pub fn new(results: Vec<T>, next: Option<&impl Cursor>) -> Self {
        let next_cursor = next.map(|key| BASE64_URL_SAFE_NO_PAD.encode(key.to_bytes()));
        Self { results, next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;
    use crate::domain::{Currency, UserId};

    fn parts(query: &str) -> Parts {
        Request::get(format!("/?{query}")).body(()).unwrap().into_parts().0
    }

    async fn page(query: &str) -> Result<PageQuery<UserId>, Problem> {
        PageQuery::from_request_parts(&mut parts(query), &()).await
    }

    #[tokio::test]
    async fn a_page_s_cursor_asks_for_what_comes_after_its_last_row() {
        let ids = [1, 2].map(|n| UserId(Uuid::from_u128(n)));
        let first = Page::of(PageRows { rows: ids.to_vec(), more: true }, |id| *id);
        let next = page(&format!("limit=7&cursor={}", first.next_cursor.unwrap())).await.unwrap();
        assert_eq!(next.request(), PageRequest { after: Some(ids[1]), limit: 7 });
        assert_eq!(Page::of(PageRows { rows: ids.to_vec(), more: false }, |id| *id).next_cursor, None);
    }

    #[test]
    fn a_plan_s_key_survives_its_cursor() {
        let key = PlanKey { currency: Currency::USD, yearly_minor: 35_988, id: Uuid::from_u128(5).into() };
        assert_eq!(PlanKey::from_bytes(&key.to_bytes()), Some(key));
        for bytes in [&b"usd"[..], &[0; 27], &[b'z'; 27]] {
            assert_eq!(PlanKey::from_bytes(bytes), None);
        }
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
