//! Reports: payroll data as the contract shows it.
//!
//! The `employments` of a report are serialised once, when data arrives, and kept sealed; a read opens them, fills in
//! file addresses (which age, so they cannot be stored) and wraps the envelope around.

mod employments;
mod file_urls;

use citadel_api_types::{Redacted, reports::ReportEnvelope};
use citadel_domain::{ObjectId, Product, TaskStatus, payroll::PayrollData};
use citadel_store::{Place, links::Link, reports::Report, tasks::Task};
use jiff::{Timestamp, tz::Offset};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::{
    app::App,
    error::{self, ApiResult},
    purposes,
};

pub(crate) use employments::{statement_id, w2_id};
pub(crate) use file_urls::find_grant;

/// The reports that payroll data is turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportKind {
    /// Jobs without pay.
    Employment,
    /// Jobs with pay.
    Income,
}

impl ReportKind {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Employment => "employment",
            Self::Income => "income",
        }
    }

    /// Whether a link that may serve `product` may show this report. Income includes employment.
    pub(crate) const fn serves(self, product: Product) -> bool {
        matches!(
            (self, product),
            (Self::Employment, Product::Employment | Product::Income) | (Self::Income, Product::Income)
        )
    }
}

/// The word under which the normalised data itself is kept, for documents.
pub(crate) const PAYROLL_DATA: &str = "payroll_data";

/// A form of payroll data that is kept: its kind and its JSON.
pub(crate) type StoredForm = (&'static str, Zeroizing<Vec<u8>>);

/// Payroll data in every form that is kept for a link, as `(kind, JSON)`. A link that may not serve income keeps no pay.
pub(crate) fn stored_forms(
    app: &App,
    link: &Link,
    data: &PayrollData,
    now: Timestamp,
) -> ApiResult<Vec<StoredForm>> {
    let serves = |kind: ReportKind| link.allowed_products.iter().any(|product| kind.serves(*product));
    let ids = ObjectIds { app, link };
    let mut forms = Vec::new();
    if serves(ReportKind::Employment) {
        let list: Vec<_> = data
            .employments
            .iter()
            .map(|employment| employments::employment(&ids, employment, now))
            .collect();
        forms.push((ReportKind::Employment.as_str(), to_json(&list)?));
    }
    if serves(ReportKind::Income) {
        let list: Vec<_> = data
            .employments
            .iter()
            .map(|employment| employments::income_employment(&ids, employment, now))
            .collect();
        forms.push((ReportKind::Income.as_str(), to_json(&list)?));
        forms.push((PAYROLL_DATA, to_json(data)?));
    }
    Ok(forms)
}

fn to_json(value: &impl serde::Serialize) -> ApiResult<Zeroizing<Vec<u8>>> {
    serde_json::to_vec(value).map(Zeroizing::new).map_err(error::internal)
}

/// Where a stored form is sealed.
pub(crate) fn place(link: &Link, kind: &'static str) -> Place {
    Place::new(link.tenant, "reports", kind, *link.id.as_bytes())
}

/// The JSON of a report.
pub(crate) fn render(
    app: &App,
    kind: ReportKind,
    link: &Link,
    task: Option<&Task>,
    report: Option<&Report>,
    access_token: &Redacted,
) -> ApiResult<Vec<u8>> {
    let employments = match report {
        Some(report) => {
            let opened = open(app, link, kind.as_str(), &report.body_sealed)?;
            let json = file_urls::fill(app, link, &opened)?;
            RawValue::from_string(json).map_err(error::internal)?
        }
        None => RawValue::from_string("[]".to_owned()).map_err(error::internal)?,
    };
    let id = ObjectIds { app, link }.id(&["report", kind.as_str()]).to_string();
    let finished = task.filter(|task| task.status == TaskStatus::Done).and_then(|task| task.finished_at);
    serde_json::to_vec(&ReportEnvelope {
        id: &id,
        status: task.map_or(TaskStatus::New, |task| task.status).as_str(),
        completed_at: finished.map(legacy_time).as_deref(),
        finished_at: finished.map(time).as_deref(),
        access_token: Some(access_token),
        tracking_info: link.tracking_info.as_deref(),
        refresh_status: None,
        employments: &employments,
        pdf_report: None,
        provider: Some(&link.provider_id),
        data_source: Some("payroll"),
        is_suspicious: false,
    })
    .map_err(error::internal)
}

/// Opens a stored form.
pub(crate) fn open(
    app: &App,
    link: &Link,
    kind: &'static str,
    sealed: &[u8],
) -> ApiResult<Zeroizing<Vec<u8>>> {
    let key_place = Place::new(link.tenant, "links", "data_key_wrapped", *link.id.as_bytes());
    let data_key = app.keyring.unwrap_data_key(&key_place, &link.data_key_wrapped)?;
    Ok(data_key.open(&place(link, kind), sealed)?)
}

/// Ids of things inside a link's data: a function of the link and the provider's own ids, so that a refresh gives the
/// same ids again.
pub(crate) struct ObjectIds<'a> {
    pub(crate) app: &'a App,
    pub(crate) link: &'a Link,
}

impl ObjectIds<'_> {
    pub(crate) fn id(&self, path: &[&str]) -> ObjectId {
        let text = format!("{}\u{1f}{}", self.link.id, path.join("\u{1f}"));
        let hash = self.app.keyring.keyed_hash(purposes::OBJECT_ID, &text);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        ObjectId::from_bytes(bytes)
    }
}

/// `2026-06-18T01:43:32.553366Z`
pub(crate) fn time(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// `2021-04-06 11:30:00+00:00`, the older form with a space.
fn legacy_time(at: Timestamp) -> String {
    Offset::UTC.to_datetime(at).strftime("%Y-%m-%d %H:%M:%S+00:00").to_string()
}
