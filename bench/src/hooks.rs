//! Webhooks to a sink in this program: how many a second, how soon, and what they cost the flow. F11.
//!
//! Each event is kept before it is sent, so a rate needs no flow beside it: the deliveries of many flows are asked for once
//! more, all at once, and the time from the first arrival to the last one counts.

mod sink;

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;

use crate::{
    args::Options,
    figure::{Figure, Report, middle},
    flow::{self, Flow, PEOPLE},
    http::Connection,
    load::{self, Outcome},
    server::{self, Home, Server},
    system::{self, Others, thread_time},
};
use sink::Sink;

/// The goals are about these.
const CONNECTIONS: usize = 32;
const PERSON: &str = PEOPLE[1].1;
/// Between two events that come alone.
const REST: Duration = Duration::from_millis(20);
/// How long a burst may take, and one event.
const BURST: Duration = Duration::from_secs(300);
const EVENT: Duration = Duration::from_secs(30);

struct Bench<'a> {
    options: &'a Options,
    server: Server,
    sink: Sink,
    _home: Home,
}

#[derive(Deserialize)]
struct Endpoint {
    id: String,
}

#[derive(Deserialize)]
struct Resent {
    count: u64,
}

pub(crate) fn run(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let binary = server::binary(&options.server)?;
    let home = Home::new()?;
    let server = Server::with_client(&binary, &home)?;
    let bench = Bench { options, server, sink: Sink::start()?, _home: home };
    // One event of this kind per flow, and at its end: nothing else happens then.
    let alone = bench.endpoint("alone", &["link-connected"])?;
    bench.idle(report)?;
    bench.enable(&[alone], false)?;
    // What an endpoint gets that asks for nothing: each status of a task. An endpoint has ten deliveries under way at
    // most and a client twenty, so two endpoints are as fast as it goes.
    let both = [bench.endpoint("one", &[])?, bench.endpoint("two", &[])?];
    bench.deliveries(report)?;
    bench.flow(&both, report)?;
    bench.server.program.stop()
}

impl Bench<'_> {
    fn ask<T: for<'de> Deserialize<'de>>(
        &self,
        expected: u16,
        method: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<T> {
        load::block_on(async {
            let mut connection = Connection::open(self.server.program.address).await?;
            let body = body.to_string();
            let headers = &self.server.keys.headers;
            connection.expect(expected, method, path, headers, body.as_bytes()).await?;
            Ok(serde_json::from_slice(connection.body())?)
        })
    }

    fn endpoint(&self, name: &str, events: &[&str]) -> anyhow::Result<Endpoint> {
        let url = format!("http://{}/{name}", self.sink.address);
        let body = json!({"name": name, "webhook_url": url, "env_type": "sandbox", "events": events});
        self.ask(201, "POST", "/v1/webhooks/", &body)
    }

    /// Switches endpoints on or off, and waits for what is under way: what waits for one that is off is dropped.
    fn enable(&self, endpoints: &[Endpoint], is_enabled: bool) -> anyhow::Result<()> {
        for Endpoint { id } in endpoints {
            let path = format!("/v1/webhooks/{id}/");
            self.ask::<Endpoint>(200, "PATCH", &path, &json!({"enabled": is_enabled}))?;
        }
        self.sink.rest()
    }

    /// From the answer that tells of the end of a task to the arrival of the event that tells it too: one at a time.
    fn idle(&self, report: &mut Report) -> anyhow::Result<()> {
        report.progress("hooks: one event at a time");
        let (mut p50, mut p99, mut count, mut others) = (Vec::new(), Vec::new(), 0, 0.0_f64);
        for round in 0..=self.options.rounds {
            let watch = Others::watch(&[self.server.program.pid()])?;
            let mut times = load::block_on_for(self.options.turn(), self.events())?;
            // The first round warms up.
            if round == 0 {
                continue;
            }
            times.sort_by(f64::total_cmp);
            let part = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
            p50.push(part(0.5));
            p99.push(part(0.99));
            count += times.len();
            others = others.max(watch.share()?);
        }
        for (name, rounds) in [("F11.idle_p50_ms", p50), ("F11.idle_p99_ms", p99)] {
            report.add(Figure::of(name, "ms", &rounds).with_others(others).beside("events", count as f64));
        }
        Ok(())
    }

    /// Milliseconds of each event of a round.
    async fn events(&self) -> anyhow::Result<Vec<f64>> {
        let mut connection = Connection::open(self.server.program.address).await?;
        let mut flow = Flow::new(&self.server.keys, PERSON);
        let mut times = Vec::new();
        let until = Instant::now() + self.options.turn();
        while times.is_empty() || Instant::now() < until {
            let before = self.sink.begin();
            flow.sign_in(&mut connection, &mut |_, _, _| {}).await?;
            let told = Instant::now();
            let arrived = self.sink.wait(before + 1, EVENT).await?.last.context("an arrival")?;
            times.push(arrived.saturating_duration_since(told).as_secs_f64() * 1e3);
            tokio::time::sleep(REST).await;
        }
        Ok(times)
    }

    /// Deliveries of all events once more, in turn with the same bytes from our loader.
    fn deliveries(&self, report: &mut Report) -> anyhow::Result<()> {
        report.progress("hooks: deliveries");
        let since = Timestamp::now().to_string();
        let (turn, pid) = (self.options.turn(), self.server.program.pid());
        self.flows(turn / 4)?;
        self.sink.rest()?;
        let post = self.sink.last_delivery().context("no delivery came")?;
        let (mut ratios, mut cpu_ratios, mut others) = (Vec::new(), Vec::new(), 0.0_f64);
        let (mut rates, mut raw_rates, mut cpu, mut counts) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for _ in 0..self.options.rounds {
            let thread = thread_time();
            let raw = load::run(self.sink.address, pid, CONNECTIONS, turn / 2, |_| post.clone())?;
            let raw_cpu = (thread_time() - thread) * 1e6 / raw.turns as f64;

            let watch = Others::watch(&[pid])?;
            let before = self.sink.begin();
            let cpu_before = system::cpu_time(pid)?;
            let body = json!({"created_at__gte": since});
            let Resent { count } = self.ask(200, "POST", "/v1/events/resend/", &body)?;
            ensure!(count > 1, "there are no events to send");
            let seen = load::block_on_for(BURST, self.sink.wait(before + count, BURST))?;
            let (first, last) = seen.first.zip(seen.last).context("arrivals")?;
            let rate = (count - 1) as f64 / (last - first).as_secs_f64();
            let ours = (system::cpu_time(pid)? - cpu_before).as_secs_f64() * 1e6 / count as f64;
            ratios.push(rate / raw.per_second());
            cpu_ratios.push(raw_cpu / ours);
            rates.push(rate);
            raw_rates.push(raw.per_second());
            cpu.push(ours);
            counts.push(count as f64);
            others = others.max(raw.others).max(watch.share()?);
            self.sink.rest()?;
        }
        report.add(
            Figure::of("F11.deliveries", "ratio", &ratios)
                .with_others(others)
                .beside("cpu_ratio", middle(&cpu_ratios))
                .beside("deliveries_per_second", middle(&rates))
                .beside("raw_posts_per_second", middle(&raw_rates))
                .beside("server_cpu_us_per_delivery", middle(&cpu))
                .beside("deliveries_per_round", middle(&counts))
                .beside("body_bytes", post.body.len() as f64),
        );
        Ok(())
    }

    /// The flow with both endpoints, in turn with the same without.
    fn flow(&self, both: &[Endpoint], report: &mut Report) -> anyhow::Result<()> {
        report.progress("hooks: the flow with two endpoints");
        let (mut ratios, mut cpu_ratios, mut others) = (Vec::new(), Vec::new(), 0.0_f64);
        let (mut rates, mut arrivals) = (Vec::new(), Vec::new());
        for _ in 0..self.options.rounds {
            self.enable(both, false)?;
            let without = self.flows(self.options.turn())?;
            self.enable(both, true)?;
            let before = self.sink.begin();
            let with = self.flows(self.options.turn())?;
            arrivals.push((self.sink.count() - before) as f64 / with.turns as f64);
            ratios.push(with.per_second() / without.per_second());
            cpu_ratios.push(without.cpu_micros() / with.cpu_micros());
            rates.push(with.per_second());
            others = others.max(with.others).max(without.others);
        }
        report.add(
            Figure::of("F11.flow", "ratio", &ratios)
                .with_others(others)
                .beside("cpu_ratio", middle(&cpu_ratios))
                .beside("flows_per_second", middle(&rates))
                // Of those that a flow asks for; the rest waits until there is time.
                .beside("deliveries_per_flow_meanwhile", middle(&arrivals)),
        );
        self.enable(both, false)
    }

    fn flows(&self, time: Duration) -> anyhow::Result<Outcome> {
        flow::load(&self.server.program, &self.server.keys, PERSON, CONNECTIONS, time)
    }
}
