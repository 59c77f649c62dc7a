//! What a link knows beside jobs and income: switches of accounts, and what a payroll administrator shared.

use citadel_api_types::{
    Redacted,
    administrators::{CreatePayrollReport, DirectoryReport, PayrollReport, PayrollReportCreated},
    deposits::{DepositReport, FundingSwitchReport},
    reports::ReportRequest,
};

use crate::{Citadel, Error, client::Call, retry::Repeat};

impl Citadel {
    /// Where the person's pay lands now, and where it landed before: product `deposit_switch`.
    ///
    /// `deposit_details` is `None` until the person has confirmed the account: look at `status`. Fails with
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) when the link does not allow this product.
    pub async fn deposit_switch_report(
        &self,
        access_token: impl Into<Redacted>,
    ) -> Result<DepositReport, Error> {
        let request = ReportRequest { access_token: access_token.into() };
        self.post("deposit-switches", &request, Repeat::Always).await
    }

    /// Which share of the person's pay goes to the lender: product `pll`.
    ///
    /// `deposit_details` is `None` until the person has confirmed the account: look at `status`. Fails with
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) when the link does not allow this product.
    pub async fn paycheck_linked_loan_report(
        &self,
        access_token: impl Into<Redacted>,
    ) -> Result<DepositReport, Error> {
        let request = ReportRequest { access_token: access_token.into() };
        self.post("paycheck-linked-loans", &request, Repeat::Always).await
    }

    /// From which account a company pays its people: product `fas`.
    ///
    /// While `micro_deposits_required` is true, the second step is open: send the two amounts with
    /// [`create_refresh_task`](Self::create_refresh_task). Fails with
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) when the link does not allow this product.
    pub async fn funding_switch_report(
        &self,
        access_token: impl Into<Redacted>,
    ) -> Result<FundingSwitchReport, Error> {
        let request = ReportRequest { access_token: access_token.into() };
        self.post("account-switches", &request, Repeat::Always).await
    }

    /// The people of a company: product `admin`.
    ///
    /// `directory` is empty while the first task still runs: look at `status`. Fails with
    /// [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) when the link does not allow this product.
    pub async fn directory(&self, access_token: impl Into<Redacted>) -> Result<DirectoryReport, Error> {
        let request = ReportRequest { access_token: access_token.into() };
        self.post("administrators/directories", &request, Repeat::Always).await
    }

    /// Asks for a company's payroll register of some days. Read it with [`payroll_report`](Self::payroll_report).
    ///
    /// Fails with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) when the first day comes after the
    /// last, and with [`ErrorKind::Forbidden`](crate::ErrorKind::Forbidden) when the link does not allow `admin`.
    pub async fn create_payroll_report(
        &self,
        request: &CreatePayrollReport,
    ) -> Result<PayrollReportCreated, Error> {
        // A register that nobody reads does no harm, so asking twice is fine.
        self.post("administrators/payrolls", request, Repeat::UnderKey).await
    }

    /// A company's payroll register. Until its `status` is `done` the rows may be missing: read it again.
    pub async fn payroll_report(&self, id: &str) -> Result<PayrollReport, Error> {
        self.get(Call::new("administrators/payrolls").id(id)).await
    }
}
