//! Reports as PDF: of one link, and of a person.

use citadel_documents::{
    Consent, DepositConfirmation, DepositPurpose, Request, Source, SourcedEmployment, Subject, Verification,
    VerificationKind,
};
use citadel_domain::{
    Environment, ObjectId, Product, TaskStatus,
    payroll::{Employment, PayrollData},
};
use citadel_store::{clients, links::Link, reports::Report, tasks, user_reports::UserReport};
use jiff::{Timestamp, ToSpan, tz::Offset};

use super::{
    Facts, ObjectIds, PAYROLL_DATA, ReportKind, deposits, employments, open,
    user::{self, Snapshot},
};
use crate::{
    app::App,
    error::{self, ApiResult},
    jobs::change,
};

/// How long a consent holds (P21).
const CONSENT_MONTHS: i32 = 12;

/// Everything that the documents of a link are drawn from.
pub(crate) struct Papers {
    pub(crate) link: Link,
    client_name: String,
    consented_at: Option<Timestamp>,
    data: Option<Report>,
    /// Of the report that is asked for, when it tells of a change.
    facts: Option<Facts>,
    kind: Option<ReportKind>,
}

impl Papers {
    pub(crate) async fn read(
        app: &App,
        tx: &mut citadel_store::Tx<'_>,
        link: Link,
        object: ObjectId,
    ) -> Result<Self, citadel_store::Error> {
        let kind = kind_of(&ObjectIds { app, link: &link }, object);
        let tenant = link.tenant;
        Ok(Self {
            client_name: clients::find(tx, tenant.client_id)
                .await?
                .map(|client| client.name)
                .unwrap_or_default(),
            consented_at: tasks::last_consent(tx, tenant, link.id).await?,
            data: citadel_store::reports::find(tx, tenant, link.id, PAYROLL_DATA).await?,
            facts: match kind.filter(|kind| kind.tells_changes()) {
                Some(kind) => Some(Facts::of_link(tx, link.clone(), kind).await?),
                None => None,
            },
            kind,
            link,
        })
    }

    /// The document with this id: a report, a pay statement or a W-2.
    /// `is_masked`: for a masked key.
    pub(crate) fn draw(&self, app: &App, object: ObjectId, is_masked: bool) -> ApiResult<Option<Vec<u8>>> {
        let footer = footer(self.link.tenant.environment);
        match self.kind {
            Some(kind @ (ReportKind::Income | ReportKind::Employment)) => {
                self.verification(app, kind, object, is_masked)
            }
            Some(kind @ (ReportKind::DirectDeposit | ReportKind::Pll)) => {
                self.deposit(app, kind, object, is_masked)
            }
            Some(_) => Ok(None),
            None => self.paper(app, object, footer),
        }
    }

    fn payroll_data(&self, app: &App) -> ApiResult<Option<PayrollData>> {
        let Some(report) = &self.data else { return Ok(None) };
        let json = open(app, &self.link, PAYROLL_DATA, &report.body_sealed)?;
        serde_json::from_slice(&json)
            .map(Some)
            .map_err(|_| error::internal("stored payroll data cannot be read; the parser would quote it"))
    }

    fn paper(&self, app: &App, object: ObjectId, footer: Option<&str>) -> ApiResult<Option<Vec<u8>>> {
        let Some(data) = self.payroll_data(app)? else { return Ok(None) };
        let ids = ObjectIds { app, link: &self.link };
        for job in &data.employments {
            if let Some(statement) =
                job.statements.iter().find(|each| employments::statement_id(&ids, job, each) == object)
            {
                let pdf = citadel_documents::statement_pdf(job, statement, footer);
                return pdf.map(Some).map_err(error::internal);
            }
            if let Some(w2) = job.w2s.iter().find(|each| employments::w2_id(&ids, job, each) == object) {
                return citadel_documents::w2_pdf(job, w2, footer).map(Some).map_err(error::internal);
            }
        }
        Ok(None)
    }

    fn verification(
        &self,
        app: &App,
        kind: ReportKind,
        object: ObjectId,
        is_masked: bool,
    ) -> ApiResult<Option<Vec<u8>>> {
        let (Some(data), Some(report)) = (self.payroll_data(app)?, &self.data) else { return Ok(None) };
        let is_voe = kind == ReportKind::Employment;
        let data = if is_voe { data.without_pay() } else { data };
        let verification = Verification {
            kind: kind_of_document(is_voe),
            request: self.request(object, report.updated_at, is_masked),
            person: subject(&data).unwrap_or_else(unknown),
            sources: vec![Source {
                provider_name: provider_name(app, &self.link.provider_id),
                data_source: "payroll".to_owned(),
                read_at: Some(report.updated_at),
                tracking_info: self.link.tracking_info.clone(),
                employments: sourced(app, &self.link, data, report.updated_at),
            }],
        };
        let pdf = citadel_documents::verification_pdf(&verification, footer(self.link.tenant.environment));
        pdf.map(Some).map_err(error::internal)
    }

    fn deposit(
        &self,
        app: &App,
        kind: ReportKind,
        object: ObjectId,
        is_masked: bool,
    ) -> ApiResult<Option<Vec<u8>>> {
        let Some(facts) = &self.facts else { return Ok(None) };
        let (word, purpose) = match kind {
            ReportKind::Pll => (change::PLL, DepositPurpose::PaycheckLinkedLoan),
            _ => (change::DEPOSIT_SWITCH, DepositPurpose::Switch),
        };
        let (account, before) = deposits::accounts(app, word, facts)?;
        let task = facts.task.as_ref();
        let finished_at = task.and_then(|task| task.finished_at);
        let confirmation = DepositConfirmation {
            purpose,
            request: self.request(object, finished_at.unwrap_or(self.link.updated_at), is_masked),
            person: self.payroll_data(app)?.as_ref().and_then(subject),
            provider_name: provider_name(app, &self.link.provider_id),
            employer_name: deposits::employer(app, &self.link).map(|employer| employer.name),
            account,
            before,
            status: task.map_or(TaskStatus::New, |task| task.status),
            finished_at,
            tracking_info: self.link.tracking_info.clone(),
        };
        let pdf = citadel_documents::deposit_pdf(&confirmation, footer(self.link.tenant.environment));
        pdf.map(Some).map_err(error::internal)
    }

    fn request(&self, object: ObjectId, created_at: Timestamp, is_masked: bool) -> Request {
        Request {
            report_id: object.to_string(),
            requested_by: self.client_name.clone(),
            created_at,
            consent: consent(self.consented_at, &self.link.allowed_products, &self.client_name),
            is_masked,
        }
    }
}

/// The PDF of a report about a person.
pub(crate) fn of_user(
    app: &App,
    report: &UserReport,
    snapshot: Snapshot,
    links: &[Link],
    is_masked: bool,
) -> ApiResult<Vec<u8>> {
    let person = snapshot.links.iter().find_map(|source| subject(&source.data));
    let consented_at = snapshot.links.iter().filter_map(|source| source.consented_at).max();
    let mut products: Vec<Product> = Vec::new();
    for product in snapshot.links.iter().flat_map(|source| &source.products) {
        if !products.contains(product) {
            products.push(*product);
        }
    }
    // Without any pay that may be told, the document is one of employment.
    let shared = |source: &user::Source| {
        links.iter().any(|link| link.id == source.link_id && ReportKind::Income.is_allowed(link))
    };
    let is_pay_withheld = !snapshot.links.is_empty() && !snapshot.links.iter().any(shared);
    let verification = Verification {
        kind: kind_of_document(report.is_voe || is_pay_withheld),
        request: Request {
            report_id: report.id.to_string(),
            requested_by: snapshot.requested_by.clone(),
            created_at: report.created_at,
            consent: consent(consented_at, &products, &snapshot.requested_by),
            is_masked,
        },
        person: person.unwrap_or_else(unknown),
        sources: snapshot
            .links
            .into_iter()
            .filter_map(|source| {
                // What a deleted link knew is gone.
                let link = links.iter().find(|link| link.id == source.link_id)?;
                Some(Source {
                    provider_name: provider_name(app, &source.provider_id),
                    data_source: "payroll".to_owned(),
                    read_at: Some(source.read_at),
                    tracking_info: source.tracking_info,
                    employments: sourced(app, link, source.data, source.read_at),
                })
            })
            .collect(),
    };
    citadel_documents::verification_pdf(&verification, footer(report.tenant.environment))
        .map_err(error::internal)
}

/// The report whose document has this id.
fn kind_of(ids: &ObjectIds<'_>, object: ObjectId) -> Option<ReportKind> {
    let kinds = [ReportKind::Income, ReportKind::Employment, ReportKind::DirectDeposit, ReportKind::Pll];
    kinds.into_iter().find(|kind| kind.is_allowed(ids.link) && report_id(ids, *kind) == object)
}

/// The id of a link's report, and of its document.
pub(super) fn report_id(ids: &ObjectIds<'_>, kind: ReportKind) -> ObjectId {
    ids.id(&["report", kind.as_str()])
}

const fn kind_of_document(is_voe: bool) -> VerificationKind {
    if is_voe { VerificationKind::EmploymentOnly } else { VerificationKind::IncomeAndEmployment }
}

fn footer(environment: Environment) -> Option<&'static str> {
    (environment == Environment::Sandbox).then_some(citadel_documents::SANDBOX_FOOTER)
}

fn provider_name(app: &App, id: &str) -> String {
    app.directory.provider(id).map_or_else(|| id.to_owned(), |provider| provider.name.clone())
}

fn consent(given_at: Option<Timestamp>, products: &[Product], asked_by: &str) -> Option<Consent> {
    let given_at = given_at?;
    let until = Offset::UTC.to_datetime(given_at).checked_add(CONSENT_MONTHS.months()).ok();
    Some(Consent {
        given_at,
        products: products.to_vec(),
        holds_until: until.and_then(|until| Offset::UTC.to_timestamp(until).ok()),
        how_to_stop: format!(
            "Ask {asked_by} to delete the connection, or change your password at the provider."
        ),
    })
}

fn subject(data: &PayrollData) -> Option<Subject> {
    let person = &data.employments.first()?.person;
    Some(Subject {
        name: employments::full_name(person).unwrap_or_default(),
        ssn: person.ssn.clone(),
        date_of_birth: person.date_of_birth,
    })
}

fn unknown() -> Subject {
    Subject { name: String::new(), ssn: None, date_of_birth: None }
}

fn sourced(app: &App, link: &Link, data: PayrollData, read_at: Timestamp) -> Vec<SourcedEmployment> {
    let ids = ObjectIds { app, link };
    let is_pay_shared = ReportKind::Income.is_allowed(link);
    let data = if is_pay_shared { data } else { data.without_pay() };
    let with_names = |employment: Employment| {
        let view = employments::income_employment(&ids, &employment, read_at).employment;
        SourcedEmployment {
            employment,
            missing: view.missing_data_fields,
            derived: view.derived_fields,
            is_pay_shared,
        }
    };
    data.employments.into_iter().map(with_names).collect()
}
