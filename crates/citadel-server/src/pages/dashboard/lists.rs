//! What pages with lists share: choices of a filter, names, and going on from a cursor.

use std::str::FromStr;

use citadel_domain::{Product, TaskStatus};
use citadel_store::{browse::Found, tasks::Kind};

use super::{
    asked::ROWS,
    page::{PageError, PageResult},
};
use crate::app::App;

/// As many are read as a page has, and one, to know whether there are more.
pub(super) const READ: u32 = ROWS as u32 + 1;

/// Something to filter by.
pub(super) struct Choice {
    pub(super) word: String,
    pub(super) name: String,
    pub(super) is_chosen: bool,
}

/// An id in an address. Whatever cannot be one is as good as unknown.
pub(super) fn id<T: FromStr>(text: &str) -> PageResult<T> {
    text.parse().map_err(|_| PageError::not_found())
}

/// The cursor of an address.
pub(super) fn before<T: FromStr>(text: Option<&str>) -> PageResult<Option<T>> {
    text.map(id).transpose()
}

/// The next page of a list.
pub(super) struct Older {
    pub(super) url: String,
    /// Not all that was looked through matched, so that there may be none.
    pub(super) is_search: bool,
}

/// Cuts off what is more than a page, and tells where the next one begins.
pub(super) fn older<T, I: ToString>(
    found: &mut Found<T, I>,
    id: impl Fn(&T) -> I,
    url: impl Fn(&str) -> String,
) -> Option<Older> {
    let is_search = found.rows.len() <= ROWS;
    found.rows.truncate(ROWS);
    let next = if is_search { found.back_to.take() } else { found.rows.last().map(id) };
    next.map(|next| Older { url: url(&next.to_string()), is_search })
}

fn choices(words: impl IntoIterator<Item = (String, String)>, chosen: Option<&str>) -> Vec<Choice> {
    let choice = |(word, name): (String, String)| Choice { is_chosen: chosen == Some(&word), word, name };
    words.into_iter().map(choice).collect()
}

pub(super) fn statuses(chosen: Option<TaskStatus>) -> Vec<Choice> {
    let words = TaskStatus::ALL.map(|status| (status.to_string(), status.to_string()));
    choices(words, chosen.map(TaskStatus::as_str))
}

pub(super) fn products(chosen: Option<Product>) -> Vec<Choice> {
    let words = Product::ALL.map(|product| (product.to_string(), product.to_string()));
    choices(words, chosen.map(Product::as_str))
}

pub(super) fn kinds(chosen: Option<Kind>) -> Vec<Choice> {
    let words =
        [Kind::Initial, Kind::Refresh].map(|kind| (kind.as_str().to_owned(), kind_name(kind).to_owned()));
    choices(words, chosen.map(Kind::as_str))
}

pub(super) fn providers(app: &App, chosen: Option<&str>) -> Vec<Choice> {
    choices(app.directory.providers("", None).map(|one| (one.id.clone(), one.name.clone())), chosen)
}

pub(super) const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Initial => "sign-in",
        Kind::Refresh => "refresh",
    }
}

/// The name of a provider, as people know it.
pub(super) fn provider_name(app: &App, id: &str) -> String {
    app.directory.provider(id).map_or_else(|| id.to_owned(), |provider| provider.name.clone())
}

/// The colour of a status. The word says the same.
pub(super) const fn tone(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Done => "good",
        status if status.is_final() => "bad",
        _ => "warm",
    }
}
