//! Links, and what they know, by their ids: no access token is needed.

use citadel_api_types::{
    deposits::{DepositReport, UserDepositSwitchReport},
    links::{Link, LinkPage},
    payroll::{IncomeEmployment, PayrollBankAccount, Profile},
    reports::{EmploymentReport, IncomeReport},
    statements::{Statement, TaxDocument},
};
use serde_json::Value;

use crate::{Citadel, Error, client::Call};

impl Citadel {
    /// One page of links, newest first, counted from 1. `user_id` may be empty; with one, the access tokens are whole.
    pub async fn links(&self, user_id: &str, page: u32) -> Result<LinkPage, Error> {
        let page = page.to_string();
        self.get(Call::new("links").query(&[("user_id", user_id), ("page", &page)])).await
    }

    /// One link.
    pub async fn link(&self, id: &str) -> Result<Link, Error> {
        self.get(Call::new("links").id(id)).await
    }

    /// Deletes a link with all that is known through it. It cannot be brought back.
    pub async fn delete_link(&self, id: &str) -> Result<(), Error> {
        self.delete(Call::new("links").id(id)).await
    }

    /// As [`income_report`](Self::income_report), by the link's id.
    pub async fn link_income_report(&self, id: &str) -> Result<IncomeReport, Error> {
        self.get(Call::new("links").id(id).then("income/report")).await
    }

    /// As [`employment_report`](Self::employment_report), by the link's id.
    pub async fn link_employment_report(&self, id: &str) -> Result<EmploymentReport, Error> {
        self.get(Call::new("links").id(id).then("employment/report")).await
    }

    /// As [`deposit_switch_report`](Self::deposit_switch_report), by the link's id.
    pub async fn link_deposit_switch_report(&self, id: &str) -> Result<DepositReport, Error> {
        self.get(Call::new("links").id(id).then("direct_deposit/report")).await
    }

    /// As [`paycheck_linked_loan_report`](Self::paycheck_linked_loan_report), by the link's id.
    pub async fn link_paycheck_linked_loan_report(&self, id: &str) -> Result<DepositReport, Error> {
        self.get(Call::new("links").id(id).then("pll/report")).await
    }

    /// Every job of the link's person. Pay is in them where the link serves income.
    pub async fn link_employments(&self, id: &str) -> Result<Vec<IncomeEmployment>, Error> {
        self.get(Call::new("links").id(id).then("employments")).await
    }

    /// The job that goes on, or else the newest. [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) before the first data.
    pub async fn link_employment(&self, id: &str) -> Result<IncomeEmployment, Error> {
        self.get(Call::new("links").id(id).then("employment")).await
    }

    /// Who the person is. [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) before the first data.
    pub async fn link_identity(&self, id: &str) -> Result<Profile, Error> {
        self.get(Call::new("links").id(id).then("identity")).await
    }

    /// Pay statements over all jobs, newest first.
    pub async fn link_statements(&self, id: &str) -> Result<Vec<Statement>, Error> {
        self.get(Call::new("links").id(id).then("statements")).await
    }

    /// One pay statement.
    pub async fn link_statement(&self, id: &str, statement_id: &str) -> Result<Statement, Error> {
        self.get(Call::new("links").id(id).then("statements").part(statement_id)).await
    }

    /// The accounts into which pay goes.
    pub async fn link_bank_accounts(&self, id: &str) -> Result<Vec<PayrollBankAccount>, Error> {
        self.get(Call::new("links").id(id).then("bank_accounts")).await
    }

    /// Tax documents, newest year first.
    pub async fn link_tax_documents(&self, id: &str) -> Result<Vec<TaxDocument>, Error> {
        self.get(Call::new("links").id(id).then("tax")).await
    }

    /// One tax document.
    pub async fn link_tax_document(&self, id: &str, document_id: &str) -> Result<TaxDocument, Error> {
        self.get(Call::new("links").id(id).then("tax").part(document_id)).await
    }

    /// Shifts over all jobs. The list is empty: no provider of this release tells them.
    pub async fn link_shifts(&self, id: &str) -> Result<Vec<Value>, Error> {
        self.get(Call::new("links").id(id).then("shifts")).await
    }

    /// Where a person's pay lands, over all links.
    pub async fn user_deposit_switch_report(&self, user_id: &str) -> Result<UserDepositSwitchReport, Error> {
        self.get(Call::new("users").id(user_id).then("deposit_switch/report")).await
    }
}
