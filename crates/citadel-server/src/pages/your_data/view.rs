//! What the page says.

use askama::Template;
use citadel_domain::{CompanyId, Environment};
use citadel_store::{consents::Consent, links::Link};

use super::{
    known::{Known, releases},
    visit::{Refusal, Visit},
    words,
};
use crate::{app::App, trail::Data};

/// Releases on one page.
const MOST: usize = 25;

#[derive(Template)]
#[template(path = "your-data/page.html")]
pub(super) struct Page {
    path: String,
    csrf: String,
    notice: Option<&'static str>,
    client: String,
    is_sandbox: bool,
    /// `None` once everything is deleted.
    link: Option<Shown>,
    /// The newest one.
    receipt: Receipt,
    earlier: Vec<Receipt>,
    releases: Vec<Line>,
    /// Where older releases begin.
    older: Option<i64>,
    is_first: bool,
}

struct Shown {
    employer: Option<String>,
    provider: String,
    until: String,
    /// When sharing stopped.
    stopped: Option<String>,
    disputed: Option<String>,
}

struct Receipt {
    id: String,
    purpose: String,
    given: String,
    until: String,
    fields: Vec<String>,
}

/// A release.
struct Line {
    at: String,
    recipient: String,
    what: String,
    purpose: String,
    times: u64,
}

impl Page {
    pub(super) async fn read(
        app: &App,
        visit: Visit,
        done: Option<&str>,
        before: Option<i64>,
    ) -> Result<Self, Refusal> {
        let known = Known::read(app, &visit).await?;
        let mut found = releases(app, &visit, &known, before, MOST + 1).await?;
        let has_more = found.len() > MOST;
        found.truncate(MOST);
        let older = found.last().filter(|_| has_more).map(|last| last.number);
        let lines = found.into_iter().map(|release| Line {
            at: words::minute(release.at),
            recipient: release.recipient,
            what: what(&release.data, &release.fields),
            purpose: release.purpose,
            times: release.times,
        });
        let mut receipts = known.receipts.iter().map(receipt);
        let newest = receipts.next().unwrap_or_else(|| receipt(&visit.consent));
        Ok(Self {
            path: visit.path(),
            csrf: visit.csrf(),
            notice: notice(done, &visit),
            is_sandbox: visit.consent.tenant.environment == Environment::Sandbox,
            link: visit.live_link().map(|link| shown(app, link)),
            receipt: newest,
            earlier: receipts.collect(),
            releases: lines.collect(),
            older,
            is_first: before.is_none(),
            client: known.client_name,
        })
    }
}

/// What was just done, if it was.
fn notice(done: Option<&str>, visit: &Visit) -> Option<&'static str> {
    let link = visit.live_link();
    match done? {
        "stopped" => link.and_then(|link| link.consent_ended_at).map(|_| "Sharing has stopped."),
        "deleted" if link.is_none() => Some("Your data is deleted."),
        "disputed" => link.and_then(|link| link.disputed_at).map(|_| "Your dispute is noted."),
        "undisputed" => link.filter(|link| link.disputed_at.is_none()).map(|_| "Your dispute is taken back."),
        _ => None,
    }
}

fn shown(app: &App, link: &Link) -> Shown {
    let employer = |id: CompanyId| app.directory.find_company(id).map(|company| company.name.clone());
    let provider = app.directory.provider(&link.provider_id);
    Shown {
        employer: link.company_mapping_id.and_then(employer),
        provider: provider.map_or_else(|| link.provider_id.clone(), |provider| provider.name.clone()),
        until: words::day(link.consent_expires_at),
        stopped: link.consent_ended_at.map(words::minute),
        disputed: link.disputed_at.map(words::minute),
    }
}

fn receipt(receipt: &Consent) -> Receipt {
    let mut fields: Vec<_> =
        receipt.products.iter().flat_map(|product| Data::of(*product).fields()).collect();
    let mut seen = Vec::new();
    fields.retain(|field| {
        !seen.contains(field) && {
            seen.push(*field);
            true
        }
    });
    Receipt {
        id: receipt.id.to_string(),
        purpose: Known::purpose(receipt),
        given: words::minute(receipt.given_at),
        until: words::day(receipt.expires_at),
        fields: fields.into_iter().map(|field| words::field(field).to_owned()).collect(),
    }
}

/// The fields that left, or else what it was.
fn what(data: &str, fields: &[String]) -> String {
    if fields.is_empty() {
        return data.replace('_', " ");
    }
    words::listed(fields.iter().map(|field| words::field(field)))
}

#[derive(Template)]
#[template(path = "your-data/confirm.html")]
pub(super) struct Confirmation {
    path: String,
    csrf: String,
    /// The last part of the form's address.
    act: &'static str,
    question: String,
    points: Vec<String>,
    button: &'static str,
}

impl Confirmation {
    pub(super) fn to_stop(visit: &Visit, client: String) -> Self {
        Self {
            path: visit.path(),
            csrf: visit.csrf(),
            act: "stop",
            question: format!("Stop sharing with {client}?"),
            points: vec![
                format!("{client} can read and refresh nothing any more, at once, and is told that you stopped."),
                "What was read stays locked for 30 days, for the case that you sign in again. Then it is deleted."
                    .to_owned(),
                format!("What {client} has already received stays with it."),
            ],
            button: "Stop sharing",
        }
    }

    pub(super) fn to_delete(visit: &Visit, client: String) -> Self {
        Self {
            path: visit.path(),
            csrf: visit.csrf(),
            act: "delete",
            question: "Delete your data?".to_owned(),
            points: vec![
                "Everything that was read from your payroll account is deleted here, at once. It cannot be brought back."
                    .to_owned(),
                format!("{client} can read nothing any more, and is told of it."),
                format!("What {client} has already received stays with it."),
                "The receipts of what you agreed to stay, and so does this page.".to_owned(),
            ],
            button: "Delete my data",
        }
    }
}
