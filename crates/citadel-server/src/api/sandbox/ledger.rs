//! Pay of the sandbox as double-entry books.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use citadel_api_types::error::{Detail, ErrorBody};
use citadel_connectors::{ConnectorError, Cx, sandbox::Sandbox};
use citadel_domain::Product;
use futures_core::Stream;
use jiff::civil::{Date, date};
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, mpsc},
    task::spawn_blocking,
};
use utoipa::IntoParams;

use super::SandboxCaller;
use crate::{
    api::{Params, administrators::parse_day},
    app::App,
    error::{self, ApiResult},
    jobs::books::ProviderBooks,
    ledger_export::{Days, Format, Pay},
};

/// The provider at which somebody is looked for, unless asked otherwise.
const PROVIDER: &str = "truv";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LedgerParams {
    /// `beancount`, `hledger` or `csv`.
    #[param(required)]
    format: Option<String>,
    /// The user name of a login of the sandbox, or of a scenario of yours. Leave it out with `company`.
    username: Option<String>,
    /// The provider at which the person signs in; `truv` when left out.
    provider_id: Option<String>,
    /// The employer that the person picks; one of the person's own when left out.
    company_mapping_id: Option<String>,
    /// `1` for everybody at the company that administrators see. Leave it out with `username`.
    company: Option<String>,
    /// The first pay day, as YYYY-MM-DD. What was paid since 1 January of its year is brought forward.
    from: Option<String>,
    /// The last pay day.
    to: Option<String>,
}

/// Whose pay is asked for.
enum Whose {
    /// A person's, at a provider and an employer, if one was picked.
    Person { username: String, provider_id: String, employer_name: Option<String> },
    /// Everybody's at the company.
    Company,
}

/// Read pay as double-entry books, for Beancount or hledger, or as a table.
///
/// Everything that was ever paid to a person, or by the company, up to the present day of your sandbox. The books assert each
/// year-to-date figure and each box of a W-2, so that the program that reads them proves the figures.
#[utoipa::path(get, path = "/v1/sandbox/ledger/", tag = "sandbox", params(LedgerParams), responses(
    (status = 200, description = "the file; `text/csv` for a table", content(
        (String = "text/plain"),
        (String = "text/csv"),
    )),
    (status = 400, body = ErrorBody),
    (status = 401, body = ErrorBody),
    (status = 403, description = "not a sandbox key, or too many exports at once", body = ErrorBody),
    (status = 404, description = "nobody has this user name, or nothing was found behind it", body = Detail),
))]
pub(crate) async fn export_sandbox_ledger(
    State(app): State<App>,
    SandboxCaller(caller): SandboxCaller,
    Params(params): Params<LedgerParams>,
) -> ApiResult<Response> {
    let (format, whose, days) = check(&app, params)?;
    let sandbox = app.connectors.sandbox().ok_or_else(error::not_found)?.clone();
    let slot = app
        .exports
        .try_enter(caller.tenant.client_id)
        .ok_or_else(|| error::forbidden("Too many exports at once: read one to its end first."))?;
    let moment = app.moment(caller.tenant).await?;
    let today = moment.today();
    let (username, provider_id, employer_name) = match whose {
        Whose::Company => return Ok(answer(format, company_body(sandbox, format, days, today, slot))),
        Whose::Person { username, provider_id, employer_name } => (username, provider_id, employer_name),
    };
    let cx = Cx {
        now: moment.live,
        today,
        tries: 1,
        faults: Vec::new(),
        environment: caller.tenant.environment,
        provider_id,
        employer_name,
        product: Product::Income,
        books: Arc::new(ProviderBooks::of(&app, caller.tenant)),
    };
    let pay = sandbox.all_pay(&cx, &username).await.map_err(|refusal| match refusal {
        ConnectorError::NoData | ConnectorError::LoginRejected => error::not_found(),
        other => error::internal(other),
    })?;
    // Thousands of statements: not on a thread that serves others.
    let text = spawn_blocking(move || {
        let text = Pay::of_person(pay().employments).write(format, days);
        Bytes::from_owner(Text { text, _slot: slot })
    });
    Ok(answer(format, text.await.map_err(error::internal)?.into()))
}

fn answer(format: Format, body: Body) -> Response {
    ([(header::CONTENT_TYPE, format.media_type())], body).into_response()
}

/// A text that takes a slot of its client until it is read, or its reader is gone.
struct Text {
    text: String,
    _slot: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

/// The company's books, year after year: all of them at once would be hundreds of megabytes on a clock that was turned far.
fn company_body(
    sandbox: Sandbox,
    format: Format,
    days: Days,
    today: Date,
    slot: OwnedSemaphorePermit,
) -> Body {
    let (sender, parts) = mpsc::channel(1);
    tokio::spawn(async move {
        let _slot = slot;
        write_company(sandbox, format, days, today, sender).await
    });
    Body::from_stream(Parts { parts, is_whole: false })
}

/// Each year is written on a thread for long work, and none of these waits for the reader. `None` when the reader is gone, or the
/// writer has failed.
async fn write_company(
    sandbox: Sandbox,
    format: Format,
    days: Days,
    today: Date,
    sender: mpsc::Sender<Option<String>>,
) -> Option<()> {
    let ours = sandbox.clone();
    let head = spawn_blocking(move || {
        let (company, _) = ours.company_pay(today, Date::MIN, today);
        let began = company.people.iter().filter_map(|person| person.start_date).min().unwrap_or(today);
        (Pay::of_company(company, Vec::new()).head(format), began)
    });
    let (head, began) = head.await.ok()?;
    sender.send(Some(head)).await.ok()?;
    let first = days.from.map_or(began, |from| from.max(began));
    let last = days.to.map_or(today, |to| to.min(today));
    for year in first.year()..=last.year() {
        let (ours, days) = (sandbox.clone(), days.within(year));
        let text = spawn_blocking(move || {
            // From 1 January on, for the year-to-date figures.
            let (company, rows) = ours.company_pay(date(year, 1, 1), days.to.unwrap_or(today), today);
            Pay::of_company(company, rows).body(format, days)
        });
        sender.send(Some(text.await.ok()?)).await.ok()?;
    }
    sender.send(None).await.ok()
}

/// Parts of a text. `None` is its end: without it the one who wrote it has failed, and the answer must not look whole.
struct Parts {
    parts: mpsc::Receiver<Option<String>>,
    is_whole: bool,
}

impl Stream for Parts {
    type Item = Result<String, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.is_whole {
            return Poll::Ready(None);
        }
        self.parts.poll_recv(context).map(|part| match part {
            Some(Some(text)) => Some(Ok(text)),
            Some(None) => {
                self.is_whole = true;
                None
            }
            None => Some(Err(io::Error::other("the books of the company were not finished"))),
        })
    }
}

fn check(app: &App, params: LedgerParams) -> ApiResult<(Format, Whose, Days)> {
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let mut problems = Vec::new();
    let mut refuse = |field: &str, message: &str| problems.push((field.to_owned(), message.to_owned()));

    let format = given(params.format);
    let format_found = format.as_deref().and_then(Format::find);
    if format_found.is_none() {
        refuse("format", "Send beancount, hledger or csv.");
    }

    let wants_company = match given(params.company).as_deref() {
        None | Some("0" | "false") => false,
        Some("1" | "true") => true,
        Some(_) => {
            refuse("company", "Send 1, or leave it out.");
            true
        }
    };
    let username = given(params.username);
    match (&username, wants_company) {
        (None, false) => refuse("username", "Send a user name, or company=1."),
        (Some(_), true) => refuse("username", "Leave it out with company."),
        _ => {}
    }
    let provider_id = given(params.provider_id);
    if provider_id.as_deref().is_some_and(|id| app.directory.provider(id).is_none()) {
        refuse("provider_id", "There is no such provider.");
    }
    let employer_id = given(params.company_mapping_id);
    let employer = employer_id.as_deref().map(|id| app.directory.company(id));
    if employer.is_some_and(|found| found.is_none()) {
        refuse("company_mapping_id", "There is no such company.");
    }

    let mut day = |field: &str, text: Option<String>| {
        let text = given(text)?;
        let day = parse_day(&text);
        if day.is_none() {
            refuse(field, "Send a day as YYYY-MM-DD.");
        }
        day
    };
    let days = Days { from: day("from", params.from), to: day("to", params.to) };
    if days.from.zip(days.to).is_some_and(|(from, to)| from > to) {
        refuse("from", "Must not be after to.");
    }

    let whose = match username {
        _ if wants_company => Whose::Company,
        username => Whose::Person {
            username: username.unwrap_or_default(),
            provider_id: provider_id.unwrap_or_else(|| PROVIDER.to_owned()),
            employer_name: employer.flatten().map(|company| company.name.clone()),
        },
    };
    match format_found {
        Some(format) if problems.is_empty() => Ok((format, whose, days)),
        _ => Err(error::invalid_fields(problems)),
    }
}
