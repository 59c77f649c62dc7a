//! The calls, in the order of a verification.

use citadel_api_types::{
    Redacted,
    access_tokens::{CreateAccessToken, LinkToken},
    bridge_tokens::{BridgeToken, CreateBridgeToken},
    companies::{CompanyInfo, CompanyMapping, MatchCompany},
    providers::{Provider, ProviderPage},
    reports::{EmploymentReport, IncomeReport, ReportRequest},
    tasks::{Task, TaskPage},
};

use crate::{Citadel, Error, client::Call, retry::Repeat};

impl Citadel {
    /// Asks for a bridge token, with which a browser opens the widget. It lives six hours.
    pub async fn create_bridge_token(&self, request: &CreateBridgeToken) -> Result<BridgeToken, Error> {
        // A token that nobody uses just ages, so asking twice does no harm.
        self.post("bridge-tokens", request, Repeat::UnderKey).await
    }

    /// Exchanges the widget's public token for the lasting access token of the link.
    ///
    /// A public token can be exchanged once, within six hours; after that the answer is
    /// [`ErrorKind::Expired`](crate::ErrorKind::Expired). When the answer is lost on the way, the call is repeated under its
    /// idempotency key and answered as before; with a key of your own, by yourself after a crash too.
    pub async fn exchange_public_token(&self, public_token: impl Into<Redacted>) -> Result<LinkToken, Error> {
        let request = CreateAccessToken { public_token: public_token.into() };
        self.post("link-access-tokens", &request, Repeat::UnderKey).await
    }

    /// Where the person works, and since when.
    ///
    /// `employments` is empty while the first task still runs: look at `status`.
    pub async fn employment_report(
        &self,
        access_token: impl Into<Redacted>,
    ) -> Result<EmploymentReport, Error> {
        let request = ReportRequest { access_token: access_token.into() };
        self.post("verifications/employments", &request, Repeat::Always).await
    }

    /// What the person earns: jobs with pay statements, yearly figures and wage statements.
    ///
    /// `employments` is empty while the first task still runs: look at `status`.
    pub async fn income_report(&self, access_token: impl Into<Redacted>) -> Result<IncomeReport, Error> {
        let request = ReportRequest { access_token: access_token.into() };
        self.post("verifications/incomes", &request, Repeat::Always).await
    }

    /// Searches employers by name, domain or synonym, best first. `product_type` may be empty.
    pub async fn search_companies(
        &self,
        query: &str,
        product_type: &str,
    ) -> Result<Vec<CompanyMapping>, Error> {
        let query = [("query", query), ("product_type", product_type)];
        self.get(Call::new("company-mappings-search").query(&query)).await
    }

    /// One employer, with what can be done there. `product_type` may be empty.
    pub async fn company(&self, company_mapping_id: &str, product_type: &str) -> Result<CompanyInfo, Error> {
        let query = [("product_type", product_type)];
        self.get(Call::new("companies").id(company_mapping_id).without_trailing_slash().query(&query)).await
    }

    /// The employer that fits best what is known of it; one that is `unmapped` and has no id when none does.
    pub async fn match_company(&self, request: &MatchCompany) -> Result<CompanyMapping, Error> {
        self.post("companies", request, Repeat::Always).await
    }

    /// One page of payroll providers, counted from 1. `query` may be empty, and lists them all.
    pub async fn providers(&self, query: &str, page: u32) -> Result<ProviderPage, Error> {
        let page = page.to_string();
        self.get(Call::new("providers").query(&[("query", query), ("page", &page)])).await
    }

    /// One payroll provider.
    pub async fn provider(&self, id: &str) -> Result<Provider, Error> {
        self.get(Call::new("providers").id(id)).await
    }

    /// One run of work for a link: how it stands, and why it failed if it did.
    pub async fn task(&self, id: &str) -> Result<Task, Error> {
        self.get(Call::new("tasks").id(id)).await
    }

    /// One page of tasks, newest first, counted from 1. `user_id` may be empty, and lists those of everybody.
    pub async fn tasks(&self, user_id: &str, page: u32) -> Result<TaskPage, Error> {
        let page = page.to_string();
        self.get(Call::new("tasks").query(&[("user_id", user_id), ("page", &page)])).await
    }
}
