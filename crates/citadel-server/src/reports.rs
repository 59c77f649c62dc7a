//! Reports: what a link knows, as the contract shows it.
//!
//! The lists inside a report are serialised once, when data arrives, and kept short and sealed; a read opens them, fills in file
//! addresses (which age, so they cannot be stored) and wraps the envelope around. What was changed at a provider is told from
//! the changes themselves.

mod company;
mod deposits;
pub(crate) mod documents;
mod employments;
mod file_urls;
mod objects;
mod provenance;
mod short;
pub(crate) mod user;

use citadel_api_types::{Redacted, administrators::DirectoryEnvelope, reports::ReportEnvelope};
use citadel_domain::{
    Environment, ObjectId, Product, TaskStatus,
    payroll::{CompanyData, PayrollData},
};
use citadel_store::{
    Tenant, Tx, changes,
    changes::Change,
    links,
    links::Link,
    reports as stored,
    reports::Report,
    tasks::{self, Task},
};
use jiff::{Timestamp, tz::Offset};
use memchr::memmem;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

pub(crate) use self::employments::{deduction_word, earning_word};
use crate::{
    app::App,
    error::{self, ApiResult},
    jobs::change,
    owner_key::OwnerKey,
    purposes,
};

pub(crate) use company::payroll_rows;
pub(crate) use deposits::{Proof, proof_of_funding, two_digits, user_deposit_switch};
pub(crate) use file_urls::{find_grant, masked_address};
pub(crate) use objects::KeptJobs;

/// What can be asked of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReportKind {
    /// Jobs without pay.
    Employment,
    /// Jobs with pay.
    Income,
    /// A company's people.
    Directory,
    /// Where pay lands.
    DirectDeposit,
    /// A part of pay that goes to a lender.
    Pll,
    /// The account from which a company pays.
    Funding,
}

impl ReportKind {
    /// The word under which the report is kept and asked for.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Employment => "employment",
            Self::Income => "income",
            Self::Directory => "directory",
            Self::DirectDeposit => "direct_deposit",
            Self::Pll => "pll",
            Self::Funding => "funding",
        }
    }

    /// Whether a link that may serve `product` may show this report. Income includes employment.
    pub(crate) const fn serves(self, product: Product) -> bool {
        matches!(
            (self, product),
            (Self::Employment, Product::Employment | Product::Income)
                | (Self::Income, Product::Income)
                | (Self::Directory, Product::Admin)
                | (Self::DirectDeposit, Product::DepositSwitch)
                | (Self::Pll, Product::Pll)
                | (Self::Funding, Product::Fas)
        )
    }

    /// Whether it is told from what was changed at the provider.
    const fn tells_changes(self) -> bool {
        matches!(self, Self::DirectDeposit | Self::Pll | Self::Funding)
    }

    /// Whether a link may show this report.
    pub(crate) fn is_allowed(self, link: &Link) -> bool {
        link.allowed_products.iter().any(|product| self.serves(*product))
    }
}

/// The word under which the normalised data itself is kept, for documents.
pub(crate) const PAYROLL_DATA: &str = "payroll_data";

/// A form of a link's data that is kept: its kind and its JSON.
pub(crate) type StoredForm = (&'static str, Zeroizing<Vec<u8>>);

/// Payroll data in every form that is kept for a link, as `(kind, JSON)`. A link that may not serve income keeps no pay.
pub(crate) fn stored_forms(
    app: &App,
    link: &Link,
    data: &PayrollData,
    now: Timestamp,
) -> ApiResult<Vec<StoredForm>> {
    let ids = ObjectIds { app, link };
    let mut forms = Vec::new();
    if ReportKind::Employment.is_allowed(link) {
        let list: Vec<_> = data
            .employments
            .iter()
            .map(|employment| employments::employment(&ids, employment, now))
            .collect();
        forms.push((ReportKind::Employment.as_str(), to_json(&list)?));
    }
    if ReportKind::Income.is_allowed(link) {
        let list: Vec<_> = data
            .employments
            .iter()
            .map(|employment| employments::income_employment(&ids, employment, now))
            .collect();
        forms.push((ReportKind::Income.as_str(), to_json(&list)?));
        forms.push((PAYROLL_DATA, to_json(data)?));
    } else if ReportKind::Employment.is_allowed(link) {
        forms.push((PAYROLL_DATA, to_json(&data.clone().without_pay())?));
    }
    Ok(forms)
}

/// A company in the form that is kept for a link. A link that only moves its funding account keeps nobody's name.
pub(crate) fn company_forms(app: &App, link: &Link, company: &CompanyData) -> ApiResult<Vec<StoredForm>> {
    if !ReportKind::Directory.is_allowed(link) {
        return Ok(Vec::new());
    }
    let list = company::directory(&ObjectIds { app, link }, company);
    Ok(vec![(ReportKind::Directory.as_str(), to_json(&list)?)])
}

fn to_json(value: &impl serde::Serialize) -> ApiResult<Zeroizing<Vec<u8>>> {
    serde_json::to_vec(value).map(Zeroizing::new).map_err(error::internal)
}

/// Everything that a report is told from.
pub(crate) struct Facts {
    pub(crate) link: Link,
    task: Option<Task>,
    refresh: Option<Task>,
    report: Option<Report>,
    changes: Vec<Change>,
}

impl Facts {
    /// Reads them for the link that an access token opens.
    pub(crate) async fn find(
        tx: &mut Tx<'_>,
        tenant: Tenant,
        access_token_hash: &[u8; 32],
        kind: ReportKind,
    ) -> Result<Option<Self>, citadel_store::Error> {
        match links::find_by_access_token(tx, tenant, access_token_hash).await? {
            Some(link) => Self::of_link(tx, link, kind).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads them for a link.
    pub(crate) async fn of_link(
        tx: &mut Tx<'_>,
        link: Link,
        kind: ReportKind,
    ) -> Result<Self, citadel_store::Error> {
        let tenant = link.tenant;
        Ok(Self {
            task: tasks::latest_for_link(tx, tenant, link.id).await?,
            refresh: tasks::latest_refresh(tx, tenant, link.id).await?,
            report: stored::find(tx, tenant, link.id, kind.as_str()).await?,
            changes: if kind.tells_changes() {
                changes::list_for_link(tx, tenant, link.id).await?
            } else {
                Vec::new()
            },
            link,
        })
    }

    /// Whether anything was read or changed.
    pub(crate) fn has_data(&self) -> bool {
        self.report.is_some() || !self.changes.is_empty()
    }

    /// When the newest task ended, if it ended well.
    pub(crate) fn finished_at(&self) -> Option<Timestamp> {
        let task = self.task.as_ref().filter(|task| task.status == TaskStatus::Done)?;
        task.finished_at
    }
}

/// What every report begins with.
struct Opening {
    id: String,
    status: &'static str,
    completed_at: Option<String>,
    finished_at: Option<String>,
    refresh_status: Option<&'static str>,
}

impl Opening {
    fn of(app: &App, kind: ReportKind, facts: &Facts) -> Self {
        let task = facts.task.as_ref();
        let finished = facts.finished_at();
        Self {
            id: documents::report_id(&ObjectIds { app, link: &facts.link }, kind).to_string(),
            status: task.map_or(TaskStatus::New, |task| task.status).as_str(),
            completed_at: finished.map(legacy_time),
            finished_at: finished.map(time),
            refresh_status: facts.refresh.as_ref().map(|task| task.status.as_str()),
        }
    }
}

/// The JSON of a report.
pub(crate) fn render(
    app: &App,
    kind: ReportKind,
    facts: &Facts,
    access_token: Option<&Redacted>,
    with_provenance: bool,
) -> ApiResult<Vec<u8>> {
    let opening = Opening::of(app, kind, facts);
    let report = match kind {
        ReportKind::Employment | ReportKind::Income => jobs(app, kind, facts, &opening, access_token),
        ReportKind::Directory => directory(app, facts, &opening, access_token),
        ReportKind::DirectDeposit => {
            deposits::deposit_report(app, change::DEPOSIT_SWITCH, facts, opening, access_token)
        }
        ReportKind::Pll => deposits::deposit_report(app, change::PLL, facts, opening, access_token),
        ReportKind::Funding => deposits::funding_report(app, facts, opening, access_token),
    }?;
    let report = with_dispute(report, &facts.link);
    if with_provenance { provenance::add(&report, facts) } else { Ok(report) }
}

/// The person says that the report is wrong: it tells so at its end, and nothing else in it changes (P24).
fn with_dispute(mut report: Vec<u8>, link: &Link) -> Vec<u8> {
    if let Some(at) = link.disputed_at
        && report.pop() == Some(b'}')
    {
        report.extend_from_slice(format!(",\"disputed_at\":\"{}\"}}", time(at)).as_bytes());
    }
    report
}

fn jobs(
    app: &App,
    kind: ReportKind,
    facts: &Facts,
    opening: &Opening,
    access_token: Option<&Redacted>,
) -> ApiResult<Vec<u8>> {
    let link = &facts.link;
    let pdf_report = facts.report.as_ref().map(|_| pdf_address(app, link, kind)).transpose()?;
    let envelope = serde_json::to_vec(&ReportEnvelope {
        id: &opening.id,
        status: opening.status,
        completed_at: opening.completed_at.as_deref(),
        finished_at: opening.finished_at.as_deref(),
        access_token,
        tracking_info: link.tracking_info.as_deref(),
        refresh_status: opening.refresh_status,
        employments: RawValue::NULL,
        pdf_report: pdf_report.as_deref(),
        provider: Some(&link.provider_id),
        data_source: Some("payroll"),
        is_suspicious: false,
    })
    .map_err(error::internal)?;
    with_stored_list(app, kind, facts, &envelope, "\"employments\":null")
}

/// The address of a report's document, for an hour.
pub(crate) fn pdf_address(app: &App, link: &Link, kind: ReportKind) -> ApiResult<String> {
    file_urls::address(app, link, documents::report_id(&ObjectIds { app, link }, kind))
}

fn directory(
    app: &App,
    facts: &Facts,
    opening: &Opening,
    access_token: Option<&Redacted>,
) -> ApiResult<Vec<u8>> {
    let envelope = serde_json::to_vec(&DirectoryEnvelope {
        id: &opening.id,
        status: opening.status,
        completed_at: opening.completed_at.as_deref(),
        finished_at: opening.finished_at.as_deref(),
        access_token,
        tracking_info: facts.link.tracking_info.as_deref(),
        refresh_status: opening.refresh_status,
        provider: Some(&facts.link.provider_id),
        directory: RawValue::NULL,
    })
    .map_err(error::internal)?;
    with_stored_list(app, ReportKind::Directory, facts, &envelope, "\"directory\":null")
}

/// The envelope with the stored list in the place of its `member`, with fresh file addresses; an empty list before the first
/// data. The list is JSON since it was stored, so it is copied and not read again. No text inside the envelope can be taken
/// for the member: JSON writes its quotes with a backslash.
fn with_stored_list(
    app: &App,
    kind: ReportKind,
    facts: &Facts,
    envelope: &[u8],
    member: &str,
) -> ApiResult<Vec<u8>> {
    let place = memmem::find(envelope, member.as_bytes());
    let place = place.ok_or_else(|| error::internal("an envelope without its list"))?;
    let (head, tail) = (&envelope[..place + member.len() - "null".len()], &envelope[place + member.len()..]);
    let Some(report) = &facts.report else { return Ok([head, b"[]", tail].concat()) };
    let list = open(app, &facts.link, kind.as_str(), &report.body_sealed)?;
    let mut json = Vec::with_capacity(envelope.len() + file_urls::room(app, &list));
    json.extend_from_slice(head);
    file_urls::fill(app, &facts.link, &list, &mut json)?;
    json.extend_from_slice(tail);
    Ok(json)
}

/// Seals a form for its place.
pub(crate) fn seal(key: &OwnerKey, link: &Link, kind: &'static str, json: &[u8]) -> ApiResult<Vec<u8>> {
    key.seal("reports", kind, *link.id.as_bytes(), &short::shorten(json)?)
}

/// Opens a stored form.
pub(crate) fn open(
    app: &App,
    link: &Link,
    kind: &'static str,
    sealed: &[u8],
) -> ApiResult<Zeroizing<Vec<u8>>> {
    short::lengthen(OwnerKey::of_link(app, link)?.unseal("reports", kind, *link.id.as_bytes(), sealed)?)
}

/// Ids of things inside a link's data: a function of the link and the provider's own ids, so that a refresh gives the
/// same ids again.
pub(crate) struct ObjectIds<'a> {
    pub(crate) app: &'a App,
    pub(crate) link: &'a Link,
}

impl ObjectIds<'_> {
    pub(crate) fn id(&self, path: &[&str]) -> ObjectId {
        let path = path.join("\u{1f}");
        let mut bytes = [0; 16];
        if self.link.tenant.environment == Environment::Sandbox {
            // The same in every store that grew from the same seed.
            self.app.id_source(self.link.tenant, self.link.id.as_bytes(), &path, 0).fill(&mut bytes);
        } else {
            bytes.copy_from_slice(&self.hash(&path)[..16]);
        }
        ObjectId::from_bytes(bytes)
    }

    /// A keyed hash of a text about the link, to see whether it changed without keeping it.
    pub(crate) fn print(&self, text: &str) -> String {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&self.hash(&format!("print\u{1f}{text}"))[..16]);
        ObjectId::from_bytes(bytes).to_string()
    }

    fn hash(&self, path: &str) -> [u8; 32] {
        self.app.keyring.keyed_hash(purposes::OBJECT_ID, &format!("{}\u{1f}{path}", self.link.id))
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
