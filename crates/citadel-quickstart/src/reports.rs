//! Step 9: what each product reads with the access token.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use citadel_sdk::{CreatePayrollReport, DirectoryReport, Error, PayrollReport, Redacted};
use serde::Serialize;
use tokio::time::sleep;

use crate::{Product, app::App, failure::Failure};

/// The days of the payroll register, as in the first quickstart.
const FIRST_DAY: &str = "2020-01-01";
const LAST_DAY: &str = "2020-02-01";

/// Reads the data of the app's product. The page gets it as Citadel gave it.
pub(crate) async fn read_report(app: &App, access_token: &Redacted) -> Result<Response, Failure> {
    let citadel = &app.citadel;
    let log = |what: &str, path: &str| {
        app.log_call(&format!("Requesting {what} using an access_token from"), path);
    };
    match app.product {
        Product::Employment => {
            log("employment verification data", "verifications/employments");
            citadel.employment_report(access_token).await.map(as_json)
        }
        Product::Income => {
            log("income verification data", "verifications/incomes");
            citadel.income_report(access_token).await.map(as_json)
        }
        Product::Admin => {
            log("directory data", "administrators/directories");
            read_company(app, access_token).await.map(as_json)
        }
        Product::DepositSwitch => {
            log("deposit switch data", "deposit-switches");
            citadel.deposit_switch_report(access_token).await.map(as_json)
        }
        Product::Pll => {
            log("paycheck linked loan data", "paycheck-linked-loans");
            citadel.paycheck_linked_loan_report(access_token).await.map(as_json)
        }
        Product::Fas => {
            log("funding account switch data", "account-switches");
            citadel.funding_switch_report(access_token).await.map(as_json)
        }
    }
    .map_err(Failure::at(9))
}

/// The answer for `admin`: the people of the company, and what it paid them.
#[derive(Serialize)]
struct Company {
    directory: DirectoryReport,
    payroll: PayrollReport,
}

async fn read_company(app: &App, access_token: &Redacted) -> Result<Company, Error> {
    let directory = app.citadel.directory(access_token).await?;
    let payroll = read_payroll(app, access_token).await?;
    Ok(Company { directory, payroll })
}

async fn read_payroll(app: &App, access_token: &Redacted) -> Result<PayrollReport, Error> {
    app.log_call("Requesting a payroll report using an access_token from", "administrators/payrolls");
    let request = CreatePayrollReport {
        access_token: access_token.clone(),
        start_date: FIRST_DAY.to_owned(),
        end_date: LAST_DAY.to_owned(),
    };
    let id = app.citadel.create_payroll_report(&request).await?.payroll_report_id;
    let report = app.citadel.payroll_report(&id).await?;
    if report.status == "done" {
        return Ok(report);
    }
    // A long register takes a moment. Look once more, and show what is there.
    sleep(app.polling.every).await;
    app.citadel.payroll_report(&id).await
}

fn as_json(report: impl Serialize) -> Response {
    Json(report).into_response()
}
