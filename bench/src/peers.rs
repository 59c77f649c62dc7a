//! Tools that people use instead, each giving three canned answers, in turn with the bare handler and with our whole flow:
//! F12, and how much faster than Flask we start (F8). The list is `bench/peers.toml`.

mod group;
mod list;

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::{Context, ensure};

use crate::{
    args::Options,
    figure::{Figure, Report, middle},
    flow::{self, PEOPLE},
    http::Connection,
    load::{self, Outcome, Script},
    server::{self, Home, Program, Server},
    signals,
};
use group::Group;
use list::{Bodies, Peer};

const CONNECTIONS: usize = 32;
const STARTS: usize = 3;
/// Nothing could be smaller and still be an answer of an API.
const STATUS: &str = r#"{"status":"ok"}"#;

/// One request, again and again, on a connection that the other side may close after each answer.
#[derive(Clone)]
struct Request {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    body: String,
    /// The length of the right answer.
    length: usize,
}

struct Turns {
    request: Request,
    address: SocketAddr,
}

impl Script for Turns {
    async fn turn(&mut self, connection: &mut Connection) -> anyhow::Result<()> {
        let Request { method, path, body, length, .. } = &self.request;
        connection.expect(200, method, path, "", body.as_bytes()).await?;
        let got = connection.body().len();
        ensure!(got == *length, "{path} was answered with {got} bytes in place of {length}");
        if connection.is_last() {
            *connection = Connection::open(self.address).await?;
        }
        Ok(())
    }
}

/// What every peer is measured against.
struct Yardsticks<'a> {
    options: &'a Options,
    server: Server,
    bare: Program,
    bodies: Bodies,
    requests: [Request; 3],
    requests_per_flow: u64,
    /// Goes last: it holds what the server has open.
    _home: Home,
}

pub(crate) fn run(options: &Options, list: &Path, report: &mut Report) -> anyhow::Result<()> {
    let (peers, folder) = list::read(list)?;
    let mut installed = Vec::new();
    for peer in &peers {
        match peer.absence(&folder) {
            Some(why) => report.skip(&peer.name, &why),
            None => installed.push(peer),
        }
    }
    // Told before anything has been measured.
    for peer in &installed {
        peer.ports().try_for_each(|port| group::check_free(peer, port))?;
    }
    if installed.is_empty() {
        return Ok(());
    }
    let yardsticks = Yardsticks::start(options)?;
    for peer in installed {
        yardsticks
            .measure(peer, &folder, report)
            .with_context(|| format!("while {} was measured", peer.name))?;
    }
    yardsticks.server.program.stop()
}

impl<'a> Yardsticks<'a> {
    /// Our server, and the bare handler that gives what it answered.
    fn start(options: &'a Options) -> anyhow::Result<Self> {
        let home = Home::new()?;
        let server = Server::with_client(&server::binary(&options.server)?, &home)?;
        let (mut answers, requests_per_flow, access_token) = flow::record(&server, PEOPLE[1].1)?;
        answers.put("small", STATUS);
        let bodies = [
            ("status", STATUS.to_owned()),
            ("token", answers.body("token")?),
            ("incomes", answers.body("incomes")?),
        ];
        let file = home.path().join("answers.json");
        answers.write(&file)?;
        let bare = server::start_bare(&file)?;
        let request = |at: usize, method, path, body: &str| Request {
            name: bodies[at].0,
            method,
            path,
            body: body.to_owned(),
            length: bodies[at].1.len(),
        };
        let requests = [
            request(0, "GET", "/status/", ""),
            request(1, "POST", "/v1/bridge-tokens/", flow::TOKEN_BODY),
            request(
                2,
                "POST",
                "/v1/verifications/incomes/",
                &format!(r#"{{"access_token":"{access_token}"}}"#),
            ),
        ];
        Ok(Self { options, server, bare, bodies, requests, requests_per_flow, _home: home })
    }

    fn measure(&self, peer: &Peer, folder: &Path, report: &mut Report) -> anyhow::Result<()> {
        report.progress(&format!("peers: {}, {STARTS} starts and three answers", peer.name));
        let home = peer.prepare(folder, &self.bodies)?;
        let group = self.starts(peer, folder, home.path(), report)?;
        for (request, (name, body)) in self.requests.iter().zip(&self.bodies) {
            check(&group, request, body).with_context(|| format!("the answer to {name}"))?;
        }
        for request in &self.requests {
            self.peer(&group, request, Duration::from_secs(1))?;
        }
        for request in &self.requests {
            self.answers(peer, &group, request, report)?;
        }
        let resident = group.resident() as f64 / 1e6;
        report.add(Figure::one(format!("peers.{}.resident", peer.name), "MB", resident));
        group.stop()
    }

    /// Times several starts, each next to one of our server with the database that it has; leaves the last running.
    fn starts(&self, peer: &Peer, folder: &Path, home: &Path, report: &mut Report) -> anyhow::Result<Group> {
        let binary = server::binary(&self.options.server)?;
        let empty = Home::new()?;
        Server::with_client(&binary, &empty)?.program.stop()?;
        let (mut times, mut ours, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        let mut last: Option<Group> = None;
        for _ in 0..STARTS {
            if let Some(group) = last.take() {
                group.stop()?;
            }
            let server = Server::start(&binary, &empty)?;
            let our_time = server.start_time.as_secs_f64() * 1e3;
            server.program.stop()?;
            let group = Group::start(peer, folder, home)?;
            let time = group.start_time.as_secs_f64() * 1e3;
            times.push(time);
            ours.push(our_time);
            ratios.push(time / our_time);
            last = Some(group);
        }
        report.add(
            Figure::of(format!("peers.{}.start", peer.name), "ms", &times)
                .beside("server_start_ms", Figure::of("", "", &ours).value),
        );
        if peer.name == "flask" {
            report.add(Figure::of("F8.flask", "ratio", &ratios));
        }
        last.context("no start")
    }

    /// One answer of a peer, in turn with the bare handler; for the token, with our whole flow too.
    fn answers(
        &self,
        peer: &Peer,
        group: &Group,
        request: &Request,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let turn = self.options.turn();
        let is_token = request.name == "token";
        let mut seen = Rounds::default();
        let mut flows = Rounds::default();
        for _ in 0..self.options.rounds {
            let plain = self.bare(request, turn / 2)?;
            let theirs = self.peer(group, request, turn)?;
            seen.add(&theirs, &plain, 1.0);
            if is_token {
                signals::check()?;
                let keys = &self.server.keys;
                let ours = flow::load(&self.server.program, keys, PEOPLE[1].1, CONNECTIONS, turn)?;
                flows.add(&ours, &theirs, self.requests_per_flow as f64);
            }
        }
        report.add(seen.figure(format!("peers.{}.{}", peer.name, request.name)));
        if is_token {
            report.add(flows.figure(format!("F12.{}", peer.name)));
        }
        Ok(())
    }

    fn bare(&self, request: &Request, time: Duration) -> anyhow::Result<Outcome> {
        signals::check()?;
        let address = self.bare.address;
        load::run(address, self.bare.pid(), CONNECTIONS, time, |_| Turns {
            request: request.clone(),
            address,
        })
    }

    fn peer(&self, group: &Group, request: &Request, time: Duration) -> anyhow::Result<Outcome> {
        signals::check()?;
        let address = group.address;
        load::run_all(address, &group.pids(), CONNECTIONS, time, |_| Turns {
            request: request.clone(),
            address,
        })
    }
}

/// A peer has to give the very bytes.
fn check(group: &Group, request: &Request, body: &str) -> anyhow::Result<()> {
    load::block_on(async {
        let mut connection = Connection::open(group.address).await?;
        connection.expect(200, request.method, request.path, "", request.body.as_bytes()).await?;
        ensure!(connection.body() == body.as_bytes(), "is not the one it was given");
        Ok(())
    })
}

/// Rounds of something next to what it is divided by.
#[derive(Default)]
struct Rounds {
    ratios: Vec<f64>,
    cpu_ratios: Vec<f64>,
    rates: Vec<f64>,
    cpu: Vec<f64>,
    p99: Vec<f64>,
    others: f64,
}

impl Rounds {
    /// `requests` is how many of them a turn of `one` makes.
    fn add(&mut self, one: &Outcome, by: &Outcome, requests: f64) {
        let rate = one.per_second() * requests;
        let cpu = one.cpu_micros() / requests;
        self.ratios.push(rate / by.per_second());
        self.cpu_ratios.push(by.cpu_micros() / cpu);
        self.rates.push(rate);
        self.cpu.push(cpu);
        self.p99.push(one.times.value_at_quantile(0.99) as f64);
        self.others = self.others.max(one.others).max(by.others);
    }

    fn figure(&self, name: String) -> Figure {
        Figure::of(name, "ratio", &self.ratios)
            .with_others(self.others)
            .beside("cpu_ratio", middle(&self.cpu_ratios))
            .beside("requests_per_second", middle(&self.rates))
            .beside("cpu_us_per_request", middle(&self.cpu))
            .beside("p99_us", middle(&self.p99))
    }
}
