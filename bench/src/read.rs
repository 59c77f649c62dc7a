//! Single reads, in turn with the bare handler that gives the same bytes: F1 and F2.

use std::{cell::Cell, rc::Rc, time::Duration};

use crate::{
    args::Options,
    figure::{Figure, Report, middle},
    fill,
    flow::{self, PEOPLE},
    http::Connection,
    load::{self, Outcome, Script},
    server::{self, Home, Program, Server},
};

/// Records in rotation: more than any cache of a busy server holds.
const RECORDS: usize = 100_000;

/// One request, again and again.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) headers: String,
    pub(crate) body: String,
    /// The length that the body must have; learned from the first answer.
    pub(crate) length: Option<usize>,
}

impl Script for Request {
    async fn turn(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        connection.expect(200, self.method, &self.path, &self.headers, self.body.as_bytes()).await?;
        let length = connection.body().len();
        let expected = *self.length.get_or_insert(length);
        anyhow::ensure!(length == expected, "an answer of {length} bytes in place of {expected}");
        Ok(())
    }
}

/// One request with many bodies, each in its turn, whichever connection asks.
#[derive(Clone)]
struct Rotating {
    request: Request,
    bodies: Rc<Vec<String>>,
    next: Rc<Cell<usize>>,
}

impl Script for Rotating {
    async fn turn(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        let at = self.next.get();
        self.next.set((at + 1) % self.bodies.len());
        self.request.body.clone_from(&self.bodies[at]);
        self.request.turn(connection).await
    }
}

/// Reads of one income report for a while.
pub(crate) fn again(server: &Server, user: &str, time: Duration) -> anyhow::Result<Outcome> {
    let (_, _, access_token) = flow::record(server, user)?;
    of(server, &access_token, 32, time)
}

/// The same of the report that an access token opens.
pub(crate) fn of(
    server: &Server,
    access_token: &str,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Outcome> {
    let request = Request {
        method: "POST",
        path: "/v1/verifications/incomes/".to_owned(),
        headers: server.keys.headers.clone(),
        body: format!(r#"{{"access_token":"{access_token}"}}"#),
        length: None,
    };
    load::run(server.program.address, server.program.pid(), connections, time, |_| request.clone())
}

pub(crate) fn run(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let binary = server::binary(&options.server)?;
    let home = Home::new()?;
    let server = Server::with_client(&binary, &home)?;
    let (_, user) = PEOPLE[1];
    let (mut answers, _, access_token) = flow::record(&server, user)?;
    let body = format!(r#"{{"access_token":"{access_token}"}}"#);
    let refresh_id = load::block_on(async {
        let mut connection = Connection::open(server.program.address).await?;
        connection.expect(200, "POST", "/v1/refresh/tasks/", &server.keys.headers, body.as_bytes()).await?;
        let id = connection.text("task_id")?.to_owned();
        let path = format!("/v1/refresh/tasks/{id}/");
        loop {
            connection.expect(200, "GET", &path, &server.keys.headers, b"").await?;
            if connection.text("status")? == "done" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        answers.record("refresh", 200, &connection);
        Ok(id)
    })?;
    let file = home.path().join("answers.json");
    answers.write(&file)?;
    let bare = server::start_bare(&file)?;

    let request = |method, path: String, body: String| Request {
        method,
        path,
        headers: server.keys.headers.clone(),
        body,
        length: None,
    };
    let small = request("GET", format!("/v1/refresh/tasks/{refresh_id}/"), String::new());
    let large = request("POST", "/v1/verifications/incomes/".to_owned(), body);
    in_turn(options, report, "F1", &server, &bare, &small)?;
    in_turn(options, report, "F2.cached", &server, &bare, &large)?;

    report.progress(&format!("read: {RECORDS} records"));
    let keys = server.keys.clone();
    server.program.stop()?;
    let tokens = fill::readable(&home, &keys, &access_token, RECORDS)?;
    let bodies = tokens.iter().map(|token| format!(r#"{{"access_token":"{token}"}}"#)).collect();
    let mut server = Server::start(&binary, &home)?;
    server.keys = keys;
    let rotating = Rotating { request: large, bodies: Rc::new(bodies), next: Rc::default() };
    in_turn(options, report, "F2.rotation", &server, &bare, &rotating)?;
    drop(bare);
    server.program.stop()
}

/// Server and bare handler in turn.
fn in_turn(
    options: &Options,
    report: &mut Report,
    name: &str,
    server: &Server,
    bare: &Program,
    script: &(impl Script + Clone + 'static),
) -> anyhow::Result<()> {
    report.progress(&format!("read: {name}"));
    let (mut ratios, mut cpu_ratios, mut others) = (Vec::new(), Vec::new(), 0.0_f64);
    let (mut rates, mut cpu) = (Vec::new(), Vec::new());
    for round in 0..=options.rounds {
        let plain = load::run(bare.address, bare.pid(), 32, options.turn() / 2, |_| script.clone())?;
        let ours =
            load::run(server.program.address, server.program.pid(), 32, options.turn(), |_| script.clone())?;
        // The first round warms up.
        if round == 0 {
            continue;
        }
        ratios.push(ours.per_second() / plain.per_second());
        cpu_ratios.push(plain.cpu_micros() / ours.cpu_micros());
        rates.push(ours.per_second());
        cpu.push(ours.cpu_micros());
        others = others.max(ours.others).max(plain.others);
    }
    report.add(
        Figure::of(name, "ratio", &ratios)
            .with_others(others)
            .beside("cpu_ratio", middle(&cpu_ratios))
            .beside("requests_per_second", middle(&rates))
            .beside("server_cpu_us_per_request", middle(&cpu)),
    );
    Ok(())
}
