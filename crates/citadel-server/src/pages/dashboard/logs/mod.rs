//! The record of calls, as its client's developers look at it. One call is [`call`], calls as they come [`tail`].

pub(super) mod call;
pub(super) mod tail;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use citadel_domain::{AccessKeyId, CallId};
use citadel_store::{
    Error, access_keys,
    calls::{self, Call, Filter, Status},
};
use serde::Deserialize;

use super::{
    asked::{ROWS, filled, query, time_of, value},
    guard::Here,
    page::{Frame, PageError, PageResult, show, time},
};
use crate::app::App;

#[derive(Template)]
#[template(path = "dashboard/logs.html")]
struct Page {
    frame: Frame,
    asked: Asked,
    keys: Vec<(String, String)>,
    is_live: bool,
    is_filtered: bool,
    calls: Vec<Line>,
    older: Option<String>,
    has_bodies: bool,
}

/// A call, as the table and the tail show it.
struct Line {
    url: String,
    at: String,
    call: String,
    status: String,
    class: &'static str,
    took: String,
    by: String,
}

impl Line {
    fn of(here: &Names, call: &Call) -> Self {
        Self {
            url: format!("{}/{}", here.url, call.id),
            at: time(call.at),
            call: format!("{} {}", call.method, call.path),
            status: format!("{} {}", call.status, word(call.status)),
            class: class(call.status),
            took: took(call.duration_us),
            by: here.by(call),
        }
    }

    /// What the script of the page puts into a new row.
    fn cells(&self) -> [&str; 5] {
        [&self.at, &self.call, &self.status, &self.took, &self.by]
    }
}

/// What callers are called here.
pub(super) struct Names {
    /// Of the list.
    url: String,
    /// Active keys.
    keys: Vec<(AccessKeyId, String)>,
}

impl Names {
    async fn read(app: &App, here: &Here) -> Result<Self, Error> {
        let tenant = here.tenant;
        let db = app.db.scoped(tenant.client_id);
        let keys = db.read(async move |tx| access_keys::list_active(tx, tenant.client_id).await).await?;
        let keys = keys.into_iter().filter(|key| key.environment == tenant.environment);
        let name = |key: access_keys::AccessKey| {
            let name = if key.name.is_empty() { format!("key {}", key.id) } else { key.name };
            (key.id, name)
        };
        Ok(Self { url: here.url("logs"), keys: keys.map(name).collect() })
    }

    fn by(&self, call: &Call) -> String {
        let Some(id) = call.access_key_id else { return "widget".to_owned() };
        let known = self.keys.iter().find(|(key, _)| *key == id);
        known.map_or_else(|| "a key that has ended".to_owned(), |(_, name)| name.clone())
    }
}

/// Which calls are listed.
#[derive(Clone, Default, Deserialize)]
pub(in crate::pages::dashboard) struct Asked {
    status: Option<String>,
    route: Option<String>,
    key: Option<String>,
    request: Option<String>,
    since: Option<String>,
    until: Option<String>,
    before: Option<String>,
    live: Option<String>,
}

impl Asked {
    fn text(text: &Option<String>) -> &str {
        text.as_deref().unwrap_or_default()
    }

    fn is_key(&self, id: &str) -> bool {
        self.key.as_deref() == Some(id)
    }

    fn filter(&self) -> PageResult<Filter> {
        let key = filled(self.key.as_deref()).map(str::parse::<AccessKeyId>).transpose();
        Ok(Filter {
            status: filled(self.status.as_deref()).map(status).transpose()?,
            route: filled(self.route.as_deref()).map(str::to_owned),
            access_key_id: key.map_err(|_| PageError::not_found())?,
            link_id: None,
            since: time_of("Since", self.since.as_deref())?,
            until: time_of("Until", self.until.as_deref())?,
        })
    }

    fn is_filtered(&self) -> bool {
        let filters = [&self.status, &self.route, &self.key, &self.request, &self.since, &self.until];
        filters.into_iter().chain([&self.before]).any(|filter| filled(filter.as_deref()).is_some())
    }
}

pub(in crate::pages::dashboard) async fn get_logs(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let (tenant, filter) = (here.tenant, asked.filter()?);
    let db = app.db.scoped(tenant.client_id);
    if let Some(text) = filled(asked.request.as_deref())
        && let Ok(id) = text.parse::<CallId>()
        && db.read(async move |tx| calls::get(tx, tenant, id).await).await?.is_some()
    {
        return Ok(Redirect::to(&here.url(&format!("logs/{id}"))).into_response());
    }
    let before: Option<CallId> = value("Before", asked.before.as_deref())?;
    let names = Names::read(&app, &here).await?;
    // Of a request id that is not there, nothing is.
    let mut found = match filled(asked.request.as_deref()) {
        Some(_) => Vec::new(),
        None => {
            db.read(async move |tx| calls::list(tx, tenant, &filter, before, ROWS as u32 + 1).await).await?
        }
    };
    let goes_on = found.len() > ROWS;
    found.truncate(ROWS);
    let older = found.last().filter(|_| goes_on).map(|last| {
        let before = last.id.to_string();
        let filters = [
            ("status", asked.status.as_deref()),
            ("route", asked.route.as_deref()),
            ("key", asked.key.as_deref()),
            ("since", asked.since.as_deref()),
            ("until", asked.until.as_deref()),
            ("before", Some(before.as_str())),
        ];
        query(&names.url, &filters)
    });
    let is_filtered = asked.is_filtered();
    show(&Page {
        frame: here.frame("logs"),
        is_live: asked.live.is_some() && !is_filtered,
        is_filtered,
        calls: found.iter().map(|call| Line::of(&names, call)).collect(),
        keys: names.keys.iter().map(|(id, name)| (id.to_string(), name.clone())).collect(),
        asked,
        older,
        has_bodies: app.keeps_call_bodies,
    })
}

/// `404`, or `4xx`.
fn status(text: &str) -> PageResult<Status> {
    let wrong = || PageError::wrong("Status: write one, such as 404, or a class, such as 4xx.");
    if let Some(digit) = text.strip_suffix("xx") {
        let digit = digit.parse().ok().filter(|digit| (1..=5).contains(digit));
        return digit.map(Status::Class).ok_or_else(wrong);
    }
    let status = text.parse().ok().filter(|status| (100..=599).contains(status));
    status.map(Status::Exactly).ok_or_else(wrong)
}

/// What a status says, for who does not know the numbers.
const fn word(status: i64) -> &'static str {
    match status {
        ..400 => "done",
        400..500 => "refused",
        _ => "failed",
    }
}

const fn class(status: i64) -> &'static str {
    match status {
        ..400 => "good",
        400..500 => "warm",
        _ => "bad",
    }
}

fn took(micros: i64) -> String {
    format!("{}.{} ms", micros / 1000, micros % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_one_or_a_class() {
        assert_eq!(status("404").ok(), Some(Status::Exactly(404)));
        assert_eq!(status("4xx").ok(), Some(Status::Class(4)));
        for wrong in ["xx", "6xx", "40", "600", "4x", "-1"] {
            assert!(status(wrong).is_err(), "{wrong}");
        }
        assert_eq!(took(1_234), "1.2 ms");
    }
}
