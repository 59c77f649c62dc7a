//! Handlers, one file per resource. Each tells one short story: who, what, rule, write, answer.

pub(crate) mod access_tokens;
pub(crate) mod account;
pub(crate) mod administrators;
pub(crate) mod bridge_tokens;
pub(crate) mod companies;
pub(crate) mod deposits;
pub(crate) mod files;
pub(crate) mod providers;
pub(crate) mod refresh;
pub(crate) mod reports;
pub(crate) mod tasks;
pub(crate) mod verifications;
pub(crate) mod widget;

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, Path, Query},
    http::request::Parts,
};
use serde::de::DeserializeOwned;

use crate::error::{self, ApiError};

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

/// A product in a query, where it may be left out.
pub(crate) fn optional_product(text: Option<&str>) -> Result<Option<citadel_domain::Product>, ApiError> {
    match text {
        None | Some("") => Ok(None),
        Some(text) => text
            .parse()
            .map(Some)
            .map_err(|problem| error::invalid("product_type", format!("Unknown product: {problem}."))),
    }
}
