//! Reports about a person: a copy of what all links knew at one moment, which stays as it was made.

use citadel_api_types::user_reports::{UserReport as ReportView, UserReportLink};
use citadel_domain::{LinkId, Product, UserReportId, payroll::PayrollData};
use citadel_store::{
    Tx, clients,
    links::{self, Link},
    reports as stored, tasks,
    user_reports::{self, UserReport},
    users::User,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{ObjectIds, PAYROLL_DATA, ReportKind, employments, file_urls, open, time};
use crate::{
    app::App,
    error::{self, ApiResult},
    owner_key::OwnerKey,
};

/// Links in a report, at the most.
const MOST_LINKS: i64 = 100;

/// What is kept of a report.
#[derive(Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The client's name.
    pub(super) requested_by: String,
    pub(super) links: Vec<Source>,
}

/// What one link knew.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(super) link_id: LinkId,
    pub(super) tracking_info: Option<String>,
    pub(super) provider_id: String,
    pub(super) products: Vec<Product>,
    pub(super) consented_at: Option<Timestamp>,
    pub(super) read_at: Timestamp,
    pub(super) data: PayrollData,
}

/// Opens what a person's links know, ahead of the transaction that makes a report of it: the links are many, and the store has
/// one writer.
pub(crate) async fn read_ahead(app: &App, tx: &mut Tx<'_>, user: &User) -> ApiResult<Vec<Source>> {
    let mut sources = Vec::new();
    for link in links::list(tx, user.tenant, Some(user.id), MOST_LINKS, 0).await? {
        if let Some(report) = stored::find(tx, user.tenant, link.id, PAYROLL_DATA).await? {
            sources.push(Source::open(app, tx, &link, &report).await?);
        }
    }
    Ok(sources)
}

/// Makes a report of everything that the person's links know now. What was read ahead is taken where it is still so.
pub(crate) async fn create(
    app: &App,
    tx: &mut Tx<'_>,
    user: &User,
    is_voe: bool,
    ahead: &[Source],
    now: Timestamp,
) -> ApiResult<UserReport> {
    let tenant = user.tenant;
    let mut sources = Vec::new();
    for link in links::list(tx, tenant, Some(user.id), MOST_LINKS, 0).await? {
        if link.consent_ended_at.is_some() {
            continue;
        }
        // Held, so that whoever deletes the link meanwhile finds this report and deletes it as well.
        if !links::lock(tx, tenant, link.id).await? {
            continue;
        }
        let Some(report) = stored::find(tx, tenant, link.id, PAYROLL_DATA).await? else { continue };
        let is_still_so = |source: &&Source| source.link_id == link.id && source.read_at == report.updated_at;
        let mut source = match ahead.iter().find(is_still_so) {
            Some(source) => source.clone(),
            None => Source::open(app, tx, &link, &report).await?,
        };
        if is_voe {
            source.data = source.data.without_pay();
        }
        sources.push(source);
    }
    let requested_by =
        clients::find(tx, tenant.client_id).await?.map(|client| client.name).unwrap_or_default();
    let source = app.next_id_source(tx, tenant, "user_report").await?;
    let id = UserReportId::generate(now, &*source);
    drop(source);
    let json = serde_json::to_vec(&Snapshot { requested_by, links: sources })
        .map(Zeroizing::new)
        .map_err(error::internal)?;
    let body_sealed =
        OwnerKey::of_user(app, user)?.seal("user_reports", "body_sealed", *id.as_bytes(), &json)?;
    let report = UserReport { id, tenant, user_id: user.id, is_voe, body_sealed, created_at: now };
    user_reports::create(tx, &report).await?;
    Ok(report)
}

/// Opens what is kept of a report.
pub(crate) fn snapshot(app: &App, user: &User, report: &UserReport) -> ApiResult<Snapshot> {
    let row = *report.id.as_bytes();
    OwnerKey::of_user(app, user)?.unseal_json("user_reports", "body_sealed", row, &report.body_sealed)
}

/// The answer. `links` are those that are still there: documents of the others are gone.
pub(crate) fn view(
    app: &App,
    report: &UserReport,
    snapshot: &Snapshot,
    links: &[Link],
) -> ApiResult<ReportView> {
    let shown = |source: &Source| {
        let link = links.iter().find(|link| link.id == source.link_id);
        let provider = app.directory.provider(&source.provider_id);
        Ok(UserReportLink {
            id: source.part_id(report),
            link_id: source.link_id.to_string(),
            tracking_info: source.tracking_info.clone(),
            data_source: "payroll".to_owned(),
            provider: source.provider_id.clone(),
            provider_name: provider
                .map_or_else(|| source.provider_id.clone(), |provider| provider.name.clone()),
            employments: jobs(app, report, source, link)?,
            disputed_at: link.and_then(|link| link.disputed_at).map(time),
        })
    };
    Ok(ReportView {
        report_id: report.id.to_string(),
        created_at: time(report.created_at),
        completed_at: time(report.created_at),
        last_task_at: snapshot.links.iter().map(|source| source.read_at).max().map(time),
        links: snapshot.links.iter().map(shown).collect::<ApiResult<_>>()?,
    })
}

impl Source {
    /// The id of this part of a report: both ids in one.
    async fn open(app: &App, tx: &mut Tx<'_>, link: &Link, report: &stored::Report) -> ApiResult<Self> {
        let json = open(app, link, PAYROLL_DATA, &report.body_sealed)?;
        let data = serde_json::from_slice(&json)
            .map_err(|_| error::internal("stored payroll data cannot be read; the parser would quote it"))?;
        Ok(Self {
            link_id: link.id,
            tracking_info: link.tracking_info.clone(),
            provider_id: link.provider_id.clone(),
            products: link.allowed_products.clone(),
            consented_at: tasks::last_consent(tx, link.tenant, link.id).await?,
            read_at: report.updated_at,
            data,
        })
    }

    fn part_id(&self, report: &UserReport) -> String {
        let both = self.link_id.as_bytes().iter().zip(report.id.as_bytes());
        citadel_domain::tokens::hex(&both.map(|(one, other)| one ^ other).collect::<Vec<_>>())
    }
}

fn jobs(app: &App, report: &UserReport, source: &Source, link: Option<&Link>) -> ApiResult<Vec<Value>> {
    let Some(link) = link else {
        // Its ids came from the link.
        return Ok(Vec::new());
    };
    let ids = ObjectIds { app, link };
    let list = source.data.employments.iter().map(|job| {
        let mut shown = if report.is_voe || !ReportKind::Income.is_allowed(link) {
            let mut shown = serde_json::to_value(employments::employment(&ids, job, source.read_at))?;
            for field in ["income", "income_unit", "pay_rate", "pay_frequency"] {
                shown[field] = Value::Null;
            }
            for list in ["statements", "annual_income_summary", "bank_accounts", "w2s"] {
                shown[list] = json!([]);
            }
            shown
        } else {
            serde_json::to_value(employments::income_employment(&ids, job, source.read_at))?
        };
        shown["gse_accepted"] = Value::Null;
        Ok(shown)
    });
    let list: Vec<Value> = list.collect::<Result<_, serde_json::Error>>().map_err(error::internal)?;
    let json = serde_json::to_vec(&list).map_err(error::internal)?;
    let mut filled = Vec::with_capacity(json.len());
    file_urls::fill(app, link, &json, &mut filled)?;
    serde_json::from_slice(&filled).map_err(error::internal)
}
