//! The whole durable flow, from bridge token to income report, at several numbers of connections, in turn with its bare
//! twin: F3, F4 and the counts of F16.

use std::{path::Path, time::Duration};

use crate::{
    args::Options,
    bare::Answers,
    figure::{Figure, Report, middle},
    http::Connection,
    load::{self, Outcome, Script},
    server::{self, Home, Keys, Program, Server},
};

/// The people of the sandbox with 6 and with 24 statements.
pub(crate) const PEOPLE: [(u32, &str); 2] = [(6, "goodlogin.tn1"), (24, "goodlogin.monthly")];

/// Asks for a bridge token.
pub(crate) const TOKEN_BODY: &str = r#"{"product_type":"income","client_name":"bench"}"#;

/// One person's verification, as a back end and a widget make it.
#[derive(Clone)]
pub(crate) struct Flow {
    keys: Keys,
    login: String,
    bearer: String,
    path: String,
    body: String,
    requests: u64,
}

impl Flow {
    pub(crate) fn new(keys: &Keys, user: &str) -> Self {
        let login =
            format!(r#"{{"provider_id":"adp","login":{{"username":"{user}","password":"goodpassword"}}}}"#);
        Self {
            keys: keys.clone(),
            login,
            bearer: String::new(),
            path: String::new(),
            body: String::new(),
            requests: 0,
        }
    }

    /// The flow, with `seen` called after each answer.
    pub(crate) async fn go(
        &mut self,
        connection: &mut Connection,
        mut seen: impl FnMut(&str, u16, &Connection),
    ) -> anyhow::Result<()> {
        self.sign_in(connection, &mut seen).await?;
        self.read(connection, &mut seen).await
    }

    /// The widget's part, up to a task that is done.
    pub(crate) async fn sign_in(
        &mut self,
        connection: &mut Connection,
        seen: &mut impl FnMut(&str, u16, &Connection),
    ) -> anyhow::Result<()> {
        let headers = &self.keys.headers;
        connection.expect(200, "POST", "/v1/bridge-tokens/", headers, TOKEN_BODY.as_bytes()).await?;
        seen("token", 200, connection);
        self.bearer.clear();
        self.bearer.push_str("Authorization: Bearer ");
        self.bearer.push_str(connection.text("bridge_token")?);
        self.bearer.push_str("\r\n");
        let bearer = &self.bearer;
        connection.expect(200, "GET", "/bridge/api/session", bearer, b"").await?;
        seen("session", 200, connection);
        connection.expect(200, "GET", "/bridge/api/companies?query=home", bearer, b"").await?;
        seen("search", 200, connection);
        connection.expect(201, "POST", "/bridge/api/tasks", bearer, self.login.as_bytes()).await?;
        seen("login", 201, connection);
        self.path = format!("/bridge/api/tasks/{}", connection.text("task_id")?);
        let mut polls = 0;
        let mut status = connection.text("status")?.to_owned();
        while status != "done" {
            anyhow::ensure!(polls < 2000, "a task that does not end: {status}");
            let path = format!("{}?seen={status}", self.path);
            connection.expect(200, "GET", &path, bearer, b"").await?;
            connection.text("status")?.clone_into(&mut status);
            polls += 1;
        }
        seen("status", 200, connection);
        // Token, session, search, login.
        self.requests += 4 + polls;
        Ok(())
    }

    /// What the back end does then.
    async fn read(
        &mut self,
        connection: &mut Connection,
        seen: &mut impl FnMut(&str, u16, &Connection),
    ) -> anyhow::Result<()> {
        let (headers, bearer) = (&self.keys.headers, &self.bearer);
        self.path.push_str("/public-token");
        connection.expect(200, "POST", &self.path, bearer, b"").await?;
        seen("public_token", 200, connection);
        self.body = format!(r#"{{"public_token":"{}"}}"#, connection.text("public_token")?);
        connection.expect(200, "POST", "/v1/link-access-tokens/", headers, self.body.as_bytes()).await?;
        seen("exchange", 200, connection);
        self.body = format!(r#"{{"access_token":"{}"}}"#, connection.text("access_token")?);
        connection.expect(200, "POST", "/v1/verifications/incomes/", headers, self.body.as_bytes()).await?;
        seen("incomes", 200, connection);
        self.requests += 3;
        Ok(())
    }
}

impl Script for Flow {
    async fn turn(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        self.go(connection, |_, _, _| {}).await
    }
}

/// Runs the flow once, and records its answers for the bare twin. Answers the number of requests and the access token.
pub(crate) fn record(server: &Server, user: &str) -> anyhow::Result<(Answers, u64, String)> {
    load::block_on(async {
        let mut connection = Connection::open(server.program.address).await?;
        let mut answers = Answers::default();
        let mut flow = Flow::new(&server.keys, user);
        let mut access_token = String::new();
        flow.go(&mut connection, |name, status, connection| {
            answers.record(name, status, connection);
            if name == "exchange" {
                connection.text("access_token").unwrap_or_default().clone_into(&mut access_token);
            }
        })
        .await?;
        Ok((answers, flow.requests, access_token))
    })
}

/// A loop of flows.
pub(crate) fn load(
    program: &Program,
    keys: &Keys,
    user: &str,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Outcome> {
    load::run(program.address, program.pid(), connections, time, |_| Flow::new(keys, user))
}

pub(crate) fn run(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let binary = server::binary(&options.server)?;
    for (statements, user) in PEOPLE.into_iter().filter(|(count, _)| options.statements.contains(count)) {
        person(options, report, &binary, statements, user)?;
    }
    Ok(())
}

fn person(
    options: &Options,
    report: &mut Report,
    binary: &Path,
    statements: u32,
    user: &str,
) -> anyhow::Result<()> {
    let home = Home::new()?;
    let server = Server::with_client(binary, &home)?;
    let (answers, requests, _) = record(&server, user)?;
    let record = answers.body("incomes")?.len() as f64;
    let file = home.path().join("answers.json");
    answers.write(&file)?;
    let bare = server::start_bare(&file)?;
    // A second of warming up for both.
    load(&server.program, &server.keys, user, 32, Duration::from_secs(1))?;
    load(&bare, &server.keys, user, 32, Duration::from_secs(1))?;

    for &connections in &options.connections {
        report.progress(&format!("flow: {statements} statements, {connections} connections"));
        let (mut ratios, mut cpu_ratios, mut others) = (Vec::new(), Vec::new(), 0.0_f64);
        let (mut flows, mut cpu, mut syncs, mut log) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut twins = Vec::new();
        let mut last = None;
        for _ in 0..options.rounds {
            let twin = load(&bare, &server.keys, user, connections, options.turn() / 2)?;
            let before = server.counters()?;
            let ours = load(&server.program, &server.keys, user, connections, options.turn())?;
            let after = server.counters()?;
            let grown = |name: &str| {
                (after.get(name).unwrap_or(&f64::NAN) - before.get(name).unwrap_or(&f64::NAN))
                    / ours.turns as f64
            };
            ratios.push(ours.per_second() / twin.per_second());
            cpu_ratios.push(twin.cpu_micros() / ours.cpu_micros());
            flows.push(ours.per_second());
            twins.push(twin.per_second());
            cpu.push(ours.cpu_micros());
            syncs.push(grown("citadel_store_syncs_total"));
            log.push(grown("citadel_store_log_bytes_total"));
            others = others.max(ours.others).max(twin.others);
            last = Some(ours);
        }
        // The goals are about 24 statements, and where a name tells no connections, about 32 of those.
        let name = |what: &str| match (statements, connections) {
            (24, 32) => what.to_owned(),
            (24, _) if what.ends_with(&format!("_at_{connections}")) => what.to_owned(),
            _ => format!("{what}/{statements}/{connections}"),
        };
        let mut figure = Figure::of(name("F3"), "ratio", &ratios)
            .with_others(others)
            .beside("cpu_ratio", middle(&cpu_ratios))
            .beside("flows_per_second", middle(&flows))
            .beside("twin_flows_per_second", middle(&twins))
            .beside("server_cpu_us_per_flow", middle(&cpu))
            .beside("requests_per_flow", requests as f64);
        if let Some(last) = last {
            for (quantile, name) in [(0.5, "p50_us"), (0.99, "p99_us"), (0.999, "p99.9_us")] {
                figure = figure.beside(name, last.times.value_at_quantile(quantile) as f64);
            }
        }
        report.add(figure);
        report.add(Figure::of(name(&format!("F16.syncs_at_{connections}")), "count", &syncs));
        // A report is sealed as the very answer that it gives. What the log takes for it is no surprise; the rest is told.
        let rest: Vec<f64> = log.iter().map(|bytes| bytes - 1.2 * record).collect();
        report.add(
            Figure::of(name("F16.log_bytes"), "bytes", &rest)
                .beside("log_bytes_per_flow", middle(&log))
                .beside("record_bytes", record),
        );
    }
    drop(bare);
    server.program.stop()
}
