//! What there is to tell: receipts, and who had the data.

use citadel_domain::ObjectId;
use citadel_store::{
    Error, Tx,
    audit::{self, Act, Filter, Outcome, Record},
    clients,
    consents::{self, Consent},
};
use jiff::{Timestamp, ToSpan, tz::Offset};
use serde_json::Value;

use super::{visit::Visit, words};
use crate::app::App;

/// How long it is told who had the data, in months.
const MONTHS: i32 = 24;
/// Entries of the trail that are read at once.
const AT_ONCE: u32 = 200;

/// Who asked, and what was agreed to.
pub(super) struct Known {
    pub(super) client_name: String,
    /// The newest first.
    pub(super) receipts: Vec<Consent>,
}

impl Known {
    pub(super) async fn read(app: &App, visit: &Visit) -> Result<Self, Error> {
        let (tenant, link_id) = (visit.consent.tenant, visit.consent.link_id);
        let db = app.db.scoped(tenant.client_id);
        let read = db.read(async move |tx| {
            let client = clients::find(tx, tenant.client_id).await?;
            Ok::<_, Error>((client, consents::list_for_link(tx, tenant, link_id).await?))
        });
        let (client, receipts) = read.await?;
        let client_name = receipts
            .iter()
            .find_map(|receipt| receipt.client_name.clone())
            .or_else(|| client.map(|client| client.name))
            .unwrap_or_else(|| "A company that is not with us any more".to_owned());
        Ok(Self { client_name, receipts })
    }

    /// What a receipt was for.
    pub(super) fn purpose(receipt: &Consent) -> String {
        match receipt.purpose {
            Some(product) => words::purpose(product).to_owned(),
            None => words::listed(receipt.products.iter().map(|product| words::purpose(*product))),
        }
    }

    /// By which receipt something was done. The trail's times are the machine's and a sandbox's clock may be ahead of it: what
    /// seems to have come before every receipt goes with the first.
    fn receipt_at(&self, at: Timestamp) -> Option<&Consent> {
        self.receipts.iter().find(|receipt| receipt.given_at <= at).or_else(|| self.receipts.last())
    }
}

/// Data that left.
pub(super) struct Release {
    /// Its place in the trail.
    pub(super) number: i64,
    pub(super) at: Timestamp,
    pub(super) recipient: String,
    pub(super) purpose: String,
    /// What was asked for, by the trail's word.
    pub(super) data: String,
    /// The fields that it may hold, by the trail's words.
    pub(super) fields: Vec<String>,
    pub(super) times: u64,
}

/// Who had the data in the last 24 months, the newest first, from before an entry; at most so many.
pub(super) async fn releases(
    app: &App,
    visit: &Visit,
    known: &Known,
    before: Option<i64>,
    limit: usize,
) -> Result<Vec<Release>, Error> {
    let tenant = visit.consent.tenant;
    let link_id = ObjectId::from_bytes(*visit.consent.link_id.as_bytes());
    // What was released about the person holds what the link knew.
    let user_id = visit.live_link().and_then(|link| link.user_id);
    let user_id = user_id.map(|id| ObjectId::from_bytes(*id.as_bytes()));
    let since = Offset::UTC.to_datetime(app.clock.now()).saturating_sub(MONTHS.months());
    let filter = Filter {
        environment: Some(tenant.environment),
        outcome: Some(Outcome::Done),
        since: Offset::UTC.to_timestamp(since).ok(),
        ..Filter::default()
    };
    let db = app.db.scoped(tenant.client_id);
    let read = db.read(async move |tx| {
        let mut found = Vec::new();
        for object_id in [Some(link_id), user_id].into_iter().flatten() {
            let filter = Filter { object_id: Some(object_id), ..filter };
            found.extend(of_object(tx, tenant.client_id, filter, before, limit).await?);
        }
        Ok::<_, Error>(found)
    });
    let mut found = read.await?;
    found.sort_by_key(|record| std::cmp::Reverse(record.number));
    found.truncate(limit);
    Ok(found.into_iter().map(|record| release(known, record)).collect())
}

async fn of_object(
    tx: &mut Tx<'_>,
    client_id: citadel_domain::ClientId,
    filter: Filter,
    mut before: Option<i64>,
    limit: usize,
) -> Result<Vec<Record>, Error> {
    let mut found = Vec::new();
    loop {
        let some = audit::list(tx, client_id, filter, before, AT_ONCE).await?;
        let is_last = some.len() < AT_ONCE as usize;
        before = some.last().map(|record| record.number);
        found.extend(some.into_iter().filter(is_release));
        if is_last || found.len() >= limit {
            return Ok(found);
        }
    }
}

fn is_release(record: &Record) -> bool {
    let released = [Act::DataReleased, Act::DocumentReleased, Act::DataRevealed, Act::ExportMade];
    released.iter().any(|act| act.as_str() == record.act)
}

fn release(known: &Known, record: Record) -> Release {
    let detail: Value = serde_json::from_str(&record.detail).unwrap_or_default();
    let recipient = match record.actor_kind.as_str() {
        "member" => format!("{}, somebody in its dashboard", known.client_name),
        "stranger" => format!("{}, or whoever it gave the address of a document", known.client_name),
        _ => known.client_name.clone(),
    };
    let fields = detail["fields"].as_array().into_iter().flatten();
    Release {
        number: record.number,
        at: record.at,
        recipient,
        purpose: known.receipt_at(record.at).map(Known::purpose).unwrap_or_default(),
        data: detail["data"].as_str().unwrap_or(&record.act).to_owned(),
        fields: fields.filter_map(|field| field.as_str().map(str::to_owned)).collect(),
        times: detail["times"].as_u64().unwrap_or(1),
    }
}
