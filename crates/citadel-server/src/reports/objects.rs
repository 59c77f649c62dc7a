//! Parts of a link's data by themselves, cut out of the report that is kept (contract 5.5).

use citadel_api_types::{
    payroll::{Employment, IncomeEmployment, PayrollBankAccount, Profile},
    statements::{Statement, TaxDocument, TaxFields, W2},
};
use citadel_store::{
    Tx,
    links::Link,
    reports::{self as stored, Report},
};
use serde::Serialize;

use super::{ReportKind, file_urls, open, to_json};
use crate::{
    app::App,
    error::{self, ApiResult},
};

/// The jobs of a link as they are kept, with marks in the place of documents' addresses. Of a link that serves no income the pay
/// is empty.
pub(crate) struct KeptJobs {
    link: Link,
    has_pay: bool,
    jobs: Vec<IncomeEmployment>,
}

impl KeptJobs {
    /// The richest report about jobs that a link may show, if one is kept already.
    pub(crate) async fn find(tx: &mut Tx<'_>, link: &Link) -> Result<Option<Report>, citadel_store::Error> {
        stored::find(tx, link.tenant, link.id, kind_of(link).as_str()).await
    }

    /// Opens it. Before the first data there are no jobs.
    pub(crate) fn open(app: &App, link: Link, report: Option<&Report>) -> ApiResult<Self> {
        let kind = kind_of(&link);
        let jobs = match report {
            None => Vec::new(),
            Some(report) => {
                let list = open(app, &link, kind.as_str(), &report.body_sealed)?;
                // The parser would quote the values.
                serde_json::from_slice(&list).map_err(|_| error::internal("a kept report cannot be read"))?
            }
        };
        Ok(Self { link, has_pay: kind == ReportKind::Income, jobs })
    }

    /// The JSON of a part, with fresh addresses of documents.
    pub(crate) fn answer(&self, app: &App, part: &impl Serialize) -> ApiResult<Vec<u8>> {
        let marked = to_json(part)?;
        let mut json = Vec::with_capacity(file_urls::room(app, &marked));
        file_urls::fill(app, &self.link, &marked, &mut json)?;
        Ok(json)
    }

    /// Every job; with pay where the link serves income.
    pub(crate) fn all(&self) -> Vec<Job<'_>> {
        self.jobs.iter().map(|job| self.as_served(job)).collect()
    }

    /// The job that goes on, or else the newest.
    pub(crate) fn present(&self) -> Option<Job<'_>> {
        self.newest().map(|job| self.as_served(job))
    }

    /// The person, as the present job has it.
    pub(crate) fn person(&self) -> Option<&Profile> {
        self.newest().map(|job| &job.employment.profile)
    }

    /// Pay statements, newest first.
    pub(crate) fn statements(&self) -> Vec<&Statement> {
        let mut statements: Vec<_> = self.jobs.iter().flat_map(|job| &job.statements).collect();
        statements.sort_by(|a, b| b.pay_date.cmp(&a.pay_date));
        statements
    }

    /// Where pay lands: once for each account, also where two jobs pay into it.
    pub(crate) fn bank_accounts(&self) -> Vec<&PayrollBankAccount> {
        let mut accounts: Vec<&PayrollBankAccount> = Vec::new();
        for account in self.jobs.iter().flat_map(|job| &job.bank_accounts) {
            if !accounts.contains(&account) {
                accounts.push(account);
            }
        }
        accounts
    }

    /// Tax documents, newest year first.
    pub(crate) fn tax_documents(&self) -> Vec<TaxDocument> {
        let mut documents: Vec<_> =
            self.jobs.iter().flat_map(|job| &job.w2s).filter_map(tax_document).collect();
        documents.sort_by_key(|document| -document.year);
        documents
    }

    fn newest(&self) -> Option<&IncomeEmployment> {
        self.jobs.iter().max_by_key(|job| {
            let job = &job.employment;
            (job.is_active == Some(true), job.start_date.as_deref().or(job.end_date.as_deref()))
        })
    }

    fn as_served<'a>(&self, job: &'a IncomeEmployment) -> Job<'a> {
        if self.has_pay { Job::WithPay(job) } else { Job::WithoutPay(&job.employment) }
    }
}

/// A job, as its link may show it.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum Job<'a> {
    WithPay(&'a IncomeEmployment),
    WithoutPay(&'a Employment),
}

/// The richest report about jobs that a link may show.
fn kind_of(link: &Link) -> ReportKind {
    if ReportKind::Income.is_allowed(link) { ReportKind::Income } else { ReportKind::Employment }
}

/// A W-2 in the form of a tax document. Its id is that of the document behind its address.
fn tax_document(w2: &W2) -> Option<TaxDocument> {
    let w2 = w2.clone();
    let id = w2.file.as_deref().and_then(file_urls::marked)?.to_owned();
    Some(TaxDocument {
        id,
        document_type: "W2".to_owned(),
        document_subtype: None,
        file: w2.file,
        md5sum: w2.md5sum,
        year: w2.year,
        fields: TaxFields {
            wages: w2.wages,
            federal_tax: w2.federal_tax,
            social_security_wages: w2.social_security_wages,
            social_security_tax: w2.social_security_tax,
            medicare_wages: w2.medicare_wages,
            medicare_tax: w2.medicare_tax,
        },
    })
}
