//! Handlers, one file per resource. Each tells one short story: who, what, rule, write, answer.

pub(crate) mod access_tokens;
pub(crate) mod account;
pub(crate) mod administrators;
pub(crate) mod bridge_tokens;
pub(crate) mod companies;
pub(crate) mod deposits;
pub(crate) mod event_stream;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod keys;
pub(crate) mod link_data;
pub(crate) mod links;
pub(crate) mod not_enabled;
pub(crate) mod orders;
pub(crate) mod providers;
pub(crate) mod refresh;
pub(crate) mod reports;
pub(crate) mod sandbox;
pub(crate) mod tasks;
pub(crate) mod templates;
pub(crate) mod user_deposits;
pub(crate) mod user_reports;
pub(crate) mod users;
pub(crate) mod verifications;
pub(crate) mod webhook_requests;
pub(crate) mod webhooks;
pub(crate) mod widget;

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use citadel_api_types::page::Page;
use jiff::{Timestamp, civil::Date, tz::Offset};
use serde::de::DeserializeOwned;

use crate::{
    app::App,
    error::{self, ApiError, ApiResult},
};

/// Rows on a page, at the most and unless asked otherwise.
pub(crate) const PAGE_SIZE: usize = 100;

/// An id in the path. Whatever cannot be an id is a 404 like an unknown one.
pub(crate) struct PathId<T>(pub(crate) T);

impl<S: Send + Sync, T: FromStr> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) =
            Path::<String>::from_request_parts(parts, state).await.map_err(|_| error::not_found())?;
        text.parse().map(Self).map_err(|_| error::not_found())
    }
}

/// Two of them.
pub(crate) struct PathIds<T, U>(pub(crate) T, pub(crate) U);

impl<S: Send + Sync, T: FromStr, U: FromStr> FromRequestParts<S> for PathIds<T, U> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| error::not_found())?;
        match (first.parse(), second.parse()) {
            (Ok(first), Ok(second)) => Ok(Self(first, second)),
            _ => Err(error::not_found()),
        }
    }
}

/// Query parameters; what does not parse is a 400 in the contract's shape.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(params) = Query::from_request_parts(parts, state)
            .await
            .map_err(|_| error::malformed("The query parameters cannot be read."))?;
        Ok(Self(params))
    }
}

/// Products of the published API that this server does not offer: no mistake of the caller's, so a 403.
pub(crate) const NOT_OFFERED: [&str; 6] =
    ["assets", "transactions", "insurance", "scoring", "balances", "documents"];

/// A product in a query, where it may be left out.
pub(crate) fn optional_product(text: Option<&str>) -> Result<Option<citadel_domain::Product>, ApiError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) if NOT_OFFERED.contains(&text) => Err(error::product_not_enabled()),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|problem| error::invalid("product_type", format!("Unknown product: {problem}."))),
    }
}

/// An id in a query, where it may be left out.
pub(crate) fn optional_id<T: FromStr>(field: &str, text: Option<&str>) -> ApiResult<Option<T>> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match text.parse() {
            Ok(id) => Ok(Some(id)),
            Err(_) => Err(error::invalid(field, "This is no id: send 32 hexadecimal characters.")),
        },
    }
}

/// A whole number from 1 in a query, where it may be left out.
pub(crate) fn positive(field: &str, text: Option<&str>) -> ApiResult<Option<usize>> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => match text.parse::<u32>() {
            Ok(number) if number > 0 => Ok(Some(number as usize)),
            _ => Err(error::invalid(field, "Send a whole number from 1.")),
        },
    }
}

/// How many rows a page has.
pub(crate) fn page_size(text: Option<&str>) -> ApiResult<usize> {
    Ok(positive("page_size", text)?.unwrap_or(PAGE_SIZE).min(PAGE_SIZE))
}

/// One page of a list that is known whole.
pub(crate) fn page_of<T>(
    app: &App,
    path: &str,
    filters: &[(&str, Option<&str>)],
    page: &Option<String>,
    size: &Option<String>,
    found: Vec<T>,
) -> ApiResult<Page<T>> {
    let asked = PageAsked::read(page, size)?;
    let count = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let at = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let rows = found.into_iter().skip(at(asked.offset())).take(at(asked.size)).collect();
    asked.answer(app, path, filters, count, rows)
}

/// The page of a list that is asked for.
#[derive(Clone, Copy)]
pub(crate) struct PageAsked {
    /// From 1.
    page: i64,
    /// How many rows it has.
    pub(crate) size: i64,
}

impl PageAsked {
    pub(crate) fn read(page: &Option<String>, size: &Option<String>) -> ApiResult<Self> {
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Ok(Self {
            page: number(positive("page", page.as_deref())?.unwrap_or(1)),
            size: number(page_size(size.as_deref())?),
        })
    }

    /// How many rows are before it.
    pub(crate) const fn offset(self) -> i64 {
        (self.page - 1).saturating_mul(self.size)
    }

    /// The page with its rows, of a list of so many.
    pub(crate) fn answer<T>(
        self,
        app: &App,
        path: &str,
        filters: &[(&str, Option<&str>)],
        count: i64,
        results: Vec<T>,
    ) -> ApiResult<Page<T>> {
        let Self { page, size } = self;
        if page > 1 && self.offset() >= count {
            return Err(error::not_found());
        }
        let at = |page: i64| {
            let (page, size) = (page.to_string(), size.to_string());
            address(app, path, filters, &[("page", &page), ("page_size", &size)])
        };
        Ok(Page {
            count,
            next: (self.offset() + size < count).then(|| at(page + 1)),
            previous: (page > 1).then(|| at(page - 1)),
            results,
        })
    }
}

/// The address of another page of the same list.
pub(crate) fn address(
    app: &App,
    path: &str,
    filters: &[(&str, Option<&str>)],
    place: &[(&str, &str)],
) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    for (name, value) in filters {
        if let Some(value) = value {
            pairs.append_pair(name, value);
        }
    }
    format!("{}{path}?{}", app.public_url, pairs.extend_pairs(place).finish())
}

/// A time: with its offset from UTC, or a day, which begins at midnight UTC.
pub(crate) fn optional_time(field: &str, text: Option<&str>) -> ApiResult<Option<Timestamp>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    // In a query an unescaped plus arrives as a space.
    let spelled = [text.to_owned(), text.replace(' ', "+")];
    let time = spelled.iter().find_map(|text| text.parse::<Timestamp>().ok());
    let day = || Offset::UTC.to_timestamp(text.parse::<Date>().ok()?.at(0, 0, 0, 0)).ok();
    // What the store keeps has microseconds, and must not leave its range.
    time.or_else(day)
        .filter(|time| (0..=253_402_300_799).contains(&time.as_second()))
        .map(Some)
        .ok_or_else(|| error::invalid(field, "Send a time as in 2026-11-18T15:00:00Z."))
}

/// The times of a list that is narrowed by `created_at__gte` and `created_at__lte`.
pub(crate) fn time_range(
    from: Option<&str>,
    to: Option<&str>,
) -> ApiResult<(Option<Timestamp>, Option<Timestamp>)> {
    let from = optional_time("created_at__gte", from)?;
    let to = optional_time("created_at__lte", to)?;
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        return Err(error::invalid("created_at__lte", "This is before created_at__gte."));
    }
    Ok((from, to))
}
