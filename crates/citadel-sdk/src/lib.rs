//! A typed, async client for the Citadel API: verify where a person works and what they earn, with their consent.
//!
//! A verification takes four calls, two before the person uses the widget and two after:
//!
//! ```no_run
//! use citadel_sdk::{Citadel, CreateBridgeToken};
//!
//! # async fn verify(client_id: &str, access_secret: &str) -> Result<(), citadel_sdk::Error> {
//! let citadel = Citadel::builder("http://127.0.0.1:8700/v1/", client_id, access_secret).build()?;
//!
//! // 1. Ask for a bridge token, and hand it to `CitadelBridge.init` in the browser.
//! let bridge = citadel.create_bridge_token(&CreateBridgeToken::new("income")).await?;
//! println!("open the widget with {}", bridge.bridge_token.expose());
//!
//! // 2. The widget's `onSuccess` gives a public token. Exchange it, once, for a lasting access token.
//! let public_token = "5aa6324bc06c692448427a36d43c4d56";
//! let link = citadel.exchange_public_token(public_token).await?;
//!
//! // 3. Read what the person shared.
//! let report = citadel.income_report(&link.access_token).await?;
//! for job in &report.employments {
//!     println!("{:?} earns {:?} {:?}", job.employment.profile.first_name, job.income, job.income_unit);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Failures
//!
//! Every method answers an [`Error`], whose [`kind`](Error::kind) and [`code`](Error::code) are made for matching,
//! and whose text says what to do.
//!
//! Calls are repeated up to three times when the server says 429 or 5xx or cannot be reached, with waits that double
//! or that the server asked for with `Retry-After`. A call that creates or spends something goes out under an idempotency
//! key of its own, so that the server acts once however often it is heard;
//! [`with_idempotency_key`](Citadel::with_idempotency_key) takes yours, to repeat a call after a crash. A server that does
//! not know such keys would act twice: for one, turn repeating off with [`max_retries`](Builder::max_retries).
//!
//! # Secrets
//!
//! Tokens are [`Redacted`]: they print as `[redacted]`, and [`expose`](Redacted::expose) gives the text. The client
//! prints no secret either.
//!
//! # Webhooks
//!
//! [`Citadel::create_webhook`] registers an endpoint, [`webhooks`] checks that a delivery is genuine, and
//! [`Citadel::event_stream`] brings the same requests to a machine that the server cannot reach.
//!
//! # Tests
//!
//! With the feature `testing`, [`testing::Sandbox`] starts a server of its own for a test, and stops it afterwards.
//!
//! This crate knows the shapes of `citadel-api-types` and HTTP, and refuses to know anything else of the server.
//! Start reading at [`Citadel`]; `src/retry.rs` holds the rules for repeating a call.

#![warn(missing_docs)]

mod builder;
mod client;
mod error;
mod event_stream;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzz;
mod keys;
mod links;
mod orders;
mod products;
mod refresh;
mod resources;
mod retry;
mod sandbox;
mod sandbox_ledger;
mod templates;
#[cfg(feature = "testing")]
pub mod testing;
mod users;
mod webhook_calls;
pub mod webhooks;

pub use builder::Builder;
pub use citadel_api_types as types;
pub use citadel_api_types::{
    Redacted,
    access_keys::{AccessKey, DeactivateKey, DeactivatedKey},
    access_tokens::LinkToken,
    administrators::{CreatePayrollReport, DirectoryReport, PayrollReport, PayrollReportCreated},
    bridge_tokens::{AccountDetails, BridgeToken, CreateBridgeToken},
    companies::{CompanyInfo, CompanyMapping, MatchCompany},
    deposits::{DepositReport, FundingSwitchReport, UserDepositSwitchReport},
    error::{ErrorCode, InvalidParam},
    events::{Event, EventPage, ResendEvents, Resent, StreamStart, StreamedRequest},
    links::{Link, LinkPage},
    orders::{CreateOrder, Order, OrderEmployer, OrderEmployerRequest, OrderPage, RefreshOrder, UpdateOrder},
    payroll::{IncomeEmployment, PayrollBankAccount, Profile},
    providers::{Provider, ProviderPage},
    refresh::{CreateRefreshTask, RefreshTask, RefreshTaskCreated},
    reports::{EmploymentReport, IncomeReport},
    sandbox::{
        CreateSandboxPublicToken, SandboxClock, SandboxFaults, SandboxPublicToken, SandboxScenario,
        TurnSandboxClock,
    },
    statements::{Statement, TaxDocument},
    tasks::{Task, TaskPage},
    templates::{Template, TemplatePage, WriteTemplate},
    user_reports::{CreateUserReport, UserReport},
    users::{CreateUser, UpdateUser, User, UserPage, UserWithReports},
    webhook_endpoints::{
        CreateWebhook, UpdateWebhook, Webhook, WebhookPage, WebhookRequest, WebhookRequestPage,
        WebhookWithSecret,
    },
    webhooks::WebhookEvent,
};
pub use client::Citadel;
pub use error::{Error, ErrorKind};
pub use event_stream::{EventStream, StreamItem};
pub use refresh::Polling;
pub use sandbox_ledger::{Download, SandboxLedger};
pub use users::UserFilter;
pub use webhook_calls::WebhookRequestFilter;
