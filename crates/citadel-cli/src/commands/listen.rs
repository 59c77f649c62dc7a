//! `citadel listen`: brings webhooks to a program on this machine, without a tunnel. The server streams each request as it
//! would send it to an endpoint; here it is passed on byte for byte, and not signed again.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use citadel_sdk::{Citadel, Error, ErrorKind, EventStream, StreamItem, StreamedRequest};
use reqwest::{Url, redirect};
use serde_json::Value;

use crate::{connection, output};

/// What an endpoint has, too.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// Waits before the stream is opened again double up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What was asked for.
pub(crate) struct Listen {
    pub(crate) forward_to: String,
    pub(crate) env_file: PathBuf,
    pub(crate) after: Option<i64>,
    pub(crate) print_secret: bool,
}

pub(crate) async fn run(listen: Listen) -> anyhow::Result<ExitCode> {
    let target = Url::parse(&listen.forward_to)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .context("--forward-to is not an address: give one as in http://localhost:5001/webhook")?;
    let citadel = connection::connect(&listen.env_file, 0)?;
    let http = reqwest::Client::builder()
        .timeout(ANSWER_DEADLINE)
        .no_proxy()
        .redirect(redirect::Policy::none())
        .build()
        .context("the HTTP client cannot start")?;
    let mut listener =
        Listener { citadel, http, target, after: listen.after, print_secret: listen.print_secret };
    tokio::select! {
        failed = listener.listen() => failed,
        _ = tokio::signal::ctrl_c() => {
            output::line("Stopped.");
            Ok(ExitCode::SUCCESS)
        }
    }
}

struct Listener {
    citadel: Citadel,
    http: reqwest::Client,
    target: Url,
    /// The last event that was passed on; it goes on from there.
    after: Option<i64>,
    print_secret: bool,
}

impl Listener {
    /// Listens until something is wrong that waiting does not mend.
    async fn listen(&mut self) -> anyhow::Result<ExitCode> {
        let mut is_first = true;
        let mut wait = Duration::from_secs(1);
        loop {
            match self.citadel.event_stream(self.after).await {
                Ok(stream) => {
                    is_first = false;
                    wait = Duration::from_secs(1);
                    if let Err(error) = self.pass_on(stream).await {
                        output::error(&format!("{error}"));
                    }
                }
                // The first try tells what is wrong with the set-up; later ones wait for a server that starts again.
                Err(error) if is_first || is_lasting(&error) => return Err(connection::explained(error)),
                Err(error) => output::error(&format!("{error}")),
            }
            output::error(&format!("Listening again in {} s.", wait.as_secs()));
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    /// Passes on what the stream brings, one after another, until it ends.
    async fn pass_on(&mut self, mut stream: EventStream) -> Result<(), Error> {
        while let Some(item) = stream.next().await? {
            match item {
                StreamItem::Start(start) => {
                    output::line(&format!("Listening. Events go to {}. Ctrl-C stops.", self.target));
                    if self.print_secret {
                        output::line(&format!("webhook-signature is made with {}", start.secret.expose()));
                    }
                    // From now on the place is known, so that nothing is missed while the connection is away.
                    self.after.get_or_insert(start.after);
                }
                StreamItem::Request(request) => {
                    let outcome = self.forward(&request).await;
                    output::line(&line(&request, &outcome));
                    self.after = Some(request.sequence);
                }
            }
        }
        Ok(())
    }

    async fn forward(&self, request: &StreamedRequest) -> String {
        let headers =
            request.headers.iter().fold(self.http.post(self.target.clone()), |call, (name, value)| {
                call.header(name.as_str(), value.as_str())
            });
        match headers.body(request.body.clone()).send().await {
            Ok(response) => response.status().as_u16().to_string(),
            Err(error) if error.is_timeout() => "no answer in 10 s".to_owned(),
            Err(_) => format!("{} cannot be reached", self.target),
        }
    }
}

/// `12  task-status-updated  done  -> 200`
fn line(request: &StreamedRequest, outcome: &str) -> String {
    let event: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let text = |key: &str| event[key].as_str().unwrap_or("?").to_owned();
    format!("{}  {}  {}  -> {outcome}", request.sequence, text("event_type"), text("status"))
}

/// Whether trying again later is no use.
fn is_lasting(error: &Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::Connect | ErrorKind::Interrupted | ErrorKind::Server | ErrorKind::Throttled
    )
}
