//! How much is called, how far people come in the widget, and what becomes of tasks.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    response::Response,
};
use citadel_domain::TaskStatus;
use citadel_store::usage::{self, Requests};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    guard::Here,
    page::{Frame, PageResult, show},
    plot::{self, Name, Plot, Series},
};
use crate::app::App;

/// The screens of the widget on the way to a success, as they follow each other.
const STEPS: [(&str, &str); 8] = [
    ("SELECT_EMPLOYER", "Employer search"),
    ("PROVIDER_LIST", "Provider list"),
    ("DEPOSIT_CONFIRM", "Account confirmed"),
    ("PROVIDER_ORG_ID", "Company code"),
    ("PROVIDER_LOGIN", "Sign-in"),
    ("PROVIDER_MFA", "Second factor"),
    ("LOADING", "Signed in"),
    ("SUCCESS", "Success"),
];

#[derive(Template)]
#[template(path = "dashboard/usage.html")]
struct Page {
    frame: Frame,
    ranges: Vec<(Range, bool)>,
    total: i64,
    refused: i64,
    failed: i64,
    plots: Vec<Plot>,
    routes: Vec<RouteLine>,
    conversion: Option<Plot>,
    errors: i64,
    outcomes: Option<Plot>,
    statuses: Vec<(String, String, i64)>,
}

struct RouteLine {
    route: String,
    calls: i64,
    refused: i64,
    failed: i64,
    median: String,
    most: String,
}

/// How far back is looked, and in which steps.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Range {
    word: &'static str,
    name: &'static str,
    hours: i64,
    step: u32,
}

const RANGES: [Range; 3] = [
    Range { word: "24h", name: "24 hours", hours: 24, step: 1 },
    Range { word: "7d", name: "7 days", hours: 7 * 24, step: 6 },
    Range { word: "30d", name: "30 days", hours: 30 * 24, step: 24 },
];

#[derive(Default, Deserialize)]
pub(super) struct Asked {
    range: Option<String>,
}

pub(super) async fn get_usage(
    State(app): State<App>,
    here: Here,
    Query(asked): Query<Asked>,
) -> PageResult<Response> {
    let range = RANGES.into_iter().find(|range| asked.range.as_deref() == Some(range.word));
    let range = range.unwrap_or(RANGES[0]);
    let tenant = here.tenant;
    let moment = app.moment(tenant).await?;
    // Calls are counted by the machine's clock, what people do by the client's.
    let steps = Steps::until(moment.live, range);
    let (since, until) = (steps.0[0], moment.live + SignedDuration::from_hours(1));
    let (people_since, people_until) =
        (moment.now - SignedDuration::from_hours(range.hours), moment.now + SignedDuration::from_secs(1));
    let read = app.db.scoped(tenant.client_id);
    let read = read.read(async move |tx| {
        Ok::<_, citadel_store::Error>((
            usage::requests(tx, tenant, since, until, range.step).await?,
            usage::routes(tx, tenant, since, until).await?,
            usage::conversion(tx, tenant, people_since, people_until).await?,
            usage::outcomes(tx, tenant, people_since, people_until).await?,
        ))
    });
    let (requests, routes, reached, outcomes) = read.await?;
    let (conversion, errors) = conversion(&reached);
    let (outcomes, statuses) = by_provider(&app, &outcomes);
    let sum = |what: fn(&Requests) -> i64| requests.iter().map(|(_, one)| what(one)).sum::<i64>();
    let total = sum(|one| one.calls);
    show(&Page {
        frame: here.frame("usage"),
        ranges: RANGES.into_iter().map(|one| (one, one == range)).collect(),
        total,
        refused: sum(|one| one.refused),
        failed: sum(|one| one.failed),
        plots: if total == 0 { Vec::new() } else { steps.plots(&requests, range) },
        routes: routes.into_iter().map(route_line).collect(),
        conversion,
        errors,
        outcomes,
        statuses,
    })
}

/// Where each stretch of time begins.
struct Steps(Vec<Timestamp>);

impl Steps {
    /// As the store cuts time: at whole multiples of a step.
    fn until(now: Timestamp, range: Range) -> Self {
        let step = i64::from(range.step) * 3600;
        let last = now.as_second().div_euclid(step);
        let first = last - range.hours * 3600 / step + 1;
        Self((first..=last).filter_map(|number| Timestamp::from_second(number * step).ok()).collect())
    }

    fn plots(&self, requests: &[(Timestamp, Requests)], range: Range) -> Vec<Plot> {
        let format = match range.step {
            1 => "%H:%M",
            6 => "%d %b %H:%M",
            _ => "%d %b",
        };
        let labels: Vec<_> = self.0.iter().map(|at| at.strftime(format).to_string()).collect();
        let found: BTreeMap<_, _> = requests.iter().map(|(at, one)| (*at, one)).collect();
        let series = |name, what: &dyn Fn(&Requests) -> Option<f64>| Series {
            name,
            values: self.0.iter().map(|at| found.get(at).and_then(|one| what(one))).collect(),
        };
        let name = |id, title, unit| Name { id, title, of: "From (UTC)", unit };
        let good = |one: &Requests| Some((one.calls - one.refused - one.failed) as f64);
        vec![
            plot::bars(&name("calls", "Requests", ""), &labels, &[series("answered well", &good)]),
            plot::bars(
                &name("errors", "Errors", ""),
                &labels,
                &[
                    series("refused (4xx)", &|one| Some(one.refused as f64)),
                    series("failed (5xx)", &|one| Some(one.failed as f64)),
                ],
            ),
            plot::lines(
                &name("latency", "Time to answer, at the most", "ms"),
                &labels,
                &[
                    series("half of them", &|one| one.within_ms(0.5).map(|ms| ms as f64)),
                    series("95 % of them", &|one| one.within_ms(0.95).map(|ms| ms as f64)),
                ],
            ),
        ]
    }
}

fn route_line((route, requests): (String, Requests)) -> RouteLine {
    let within =
        |share| requests.within_ms(share).map_or_else(|| "longer".to_owned(), |ms| format!("{ms} ms"));
    RouteLine {
        calls: requests.calls,
        refused: requests.refused,
        failed: requests.failed,
        median: within(0.5),
        most: within(0.95),
        route,
    }
}

/// How many came to each step, and how many saw an error.
fn conversion(reached: &[usage::Reached]) -> (Option<Plot>, i64) {
    let count = |screen: &str| -> i64 {
        reached.iter().filter(|one| one.screen == screen).map(|one| one.tokens).sum()
    };
    let steps: Vec<_> =
        STEPS.into_iter().map(|(word, name)| (name, count(word))).filter(|(_, count)| *count > 0).collect();
    let errors = count("ERROR");
    let name = Name { id: "conversion", title: "How far people come in the widget", of: "Step", unit: "" };
    let labels: Vec<_> = steps.iter().map(|(name, _)| (*name).to_owned()).collect();
    let values = steps.iter().map(|(_, count)| Some(*count as f64)).collect();
    let plot = plot::lying(&name, &labels, &[Series { name: "people", values }]);
    ((!steps.is_empty()).then_some(plot), errors)
}

/// Tasks that ended, by provider: well and otherwise, and each status.
fn by_provider(app: &App, outcomes: &[usage::Outcome]) -> (Option<Plot>, Vec<(String, String, i64)>) {
    let mut statuses = BTreeMap::new();
    let mut providers: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for one in outcomes {
        let known = app.directory.provider(&one.provider_id);
        let provider = known.map_or_else(|| one.provider_id.clone(), |provider| provider.name.clone());
        *statuses.entry((provider.clone(), one.status.to_string())).or_insert(0) += one.tasks;
        let (done, other) = providers.entry(provider).or_default();
        *(if one.status == TaskStatus::Done { done } else { other }) += one.tasks;
    }
    let labels: Vec<_> = providers.keys().cloned().collect();
    let values =
        |what: fn(&(i64, i64)) -> i64| providers.values().map(|both| Some(what(both) as f64)).collect();
    let series = [
        Series { name: "done", values: values(|(done, _)| *done) },
        Series { name: "ended otherwise", values: values(|(_, other)| *other) },
    ];
    let name = Name { id: "outcomes", title: "Tasks that ended, by provider", of: "Provider", unit: "" };
    let plot = plot::lying(&name, &labels, &series);
    let statuses = statuses.into_iter().map(|((provider, status), tasks)| (provider, status, tasks));
    ((!labels.is_empty()).then_some(plot), statuses.collect())
}
