//! P37 for real: the server process is killed between the provider's having made a change and our record of it, again and again,
//! and the provider never gets a change twice.
//!
//! The sandbox's `goodlogin.slowbank` makes a change at once and answers three seconds later: that is the time in which to
//! kill. Each change is of another employer or provider, so that no two are about the same pay.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use citadel_api_types::providers::Provider;
use citadel_domain::Random;
use citadel_sdk::{AccountDetails, Citadel, CreateBridgeToken};
use citadel_server::{
    opening,
    system::{SystemClock, SystemRandom},
};
use citadel_store::{Error, Tx};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::{
    child::{self, ServerChild},
    kills::client,
};

/// What a run is made of.
struct Plan {
    name: &'static str,
    /// Kills that must fall between call and record.
    kills: usize,
    /// Changes under way at each kill.
    at_once: usize,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p37_kills_between_call_and_record_double_no_change() {
    run(Plan { name: "changes-small", kills: 3, at_once: 3 }).await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn p37_two_hundred_kills_between_call_and_record_double_no_change() {
        let kills = soak::count("CITADEL_SOAK_P37_KILLS", 200);
        let finding =
            soak::begin("P37", format!("{kills} kills between a change and its record"), "0 doubled");
        let figure = run(Plan { name: "changes-full", kills, at_once: 2 }).await;
        finding.end(figure, true);
    }
}

/// What the store holds while no server runs.
#[derive(Debug, PartialEq)]
struct Held {
    /// Submissions that the provider got.
    submissions: i64,
    /// Changes that were sent and of which nothing is known.
    open: i64,
    applied: i64,
}

async fn held(child: &ServerChild) -> Held {
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let opened = opening::open(&child::config(child.home()), &SystemClock, &random).await.unwrap();
    let count =
        async |tx: &mut Tx<'_>, sql: &'static str| tx.fetch_one(sql, &[], |row| row.get::<i64>(0)).await;
    opened
        .db
        .read(async move |tx| {
            Ok::<_, Error>(Held {
                submissions: count(tx, "select count(*) from provider_books").await?,
                open: count(tx, "select count(*) from changes where state = 'sent'").await?,
                applied: count(tx, "select count(*) from changes where state = 'applied'").await?,
            })
        })
        .await
        .unwrap()
}

/// A client's back end and a person's widget at once.
struct Flow {
    http: reqwest::Client,
    base: String,
    citadel: Citadel,
}

impl Flow {
    fn at(address: SocketAddr, client_id: &str, secret: &str) -> Self {
        let base = format!("http://{address}");
        Self {
            http: reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap(),
            citadel: Citadel::builder(base.clone(), client_id, secret.to_owned()).build().unwrap(),
            base,
        }
    }

    /// Employers and providers, each pair once.
    async fn places(&self) -> Vec<(String, String)> {
        let mut companies = Vec::new();
        for query in ["a", "b", "c", "d"] {
            companies.extend(self.citadel.search_companies(query, "deposit_switch").await.unwrap());
        }
        let mut providers = self.citadel.providers("", 1).await.unwrap().results;
        let switches_without_a_code = |provider: &Provider| {
            provider.features["deposit_switch"] == true
                && !["infor", "prismhr", "isolved"].contains(&provider.id.as_str())
        };
        providers.retain(switches_without_a_code);
        let companies: Vec<_> =
            companies.into_iter().filter_map(|company| company.company_mapping_id).collect();
        companies
            .iter()
            .flat_map(|company| providers.iter().map(move |provider| (company.clone(), provider.id.clone())))
            .collect()
    }

    async fn begin(&self, (company, provider): &(String, String)) -> (String, String) {
        let account = AccountDetails {
            account_number: Some("16002600".into()),
            account_type: Some("checking".to_owned()),
            routing_number: Some("123456789".to_owned()),
            bank_name: Some("TD Bank".to_owned()),
            ..AccountDetails::default()
        };
        let request =
            CreateBridgeToken { account: Some(account), ..CreateBridgeToken::new("deposit_switch") };
        let token = self.citadel.create_bridge_token(&request).await.unwrap().bridge_token.into_exposed();
        let body = json!({
            "provider_id": provider, "company_mapping_id": company, "confirmed": true,
            "login": {"username": "goodlogin.slowbank", "password": "goodpassword"},
        });
        let call = self.http.post(format!("{}/bridge/api/tasks", self.base)).bearer_auth(&token).json(&body);
        let reply = call.send().await.unwrap();
        assert_eq!(reply.status(), 201, "{company} {provider}");
        let task: Value = reply.json().await.unwrap();
        (token, task["task_id"].as_str().unwrap().to_owned())
    }

    async fn reach(&self, tasks: &[(String, String)], wanted: &str) {
        let began = Instant::now();
        for (_, task_id) in tasks {
            loop {
                let status = self.citadel.task(task_id).await.unwrap().status;
                if status == wanted {
                    break;
                }
                assert!(!is_final(&status), "{task_id} ended as {status}");
                assert!(began.elapsed() < Duration::from_secs(60), "{task_id} is still {status}");
                sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

fn is_final(status: &str) -> bool {
    citadel_api_types::tasks::is_final(status)
}

/// Stops at a doubled change. Answers the figures of the run.
async fn run(plan: Plan) -> String {
    let mut child = ServerChild::new(plan.name);
    let (client_id, secret) = client(&child).await;
    let (client_id, mut places) = (client_id.to_string(), Vec::new());
    let (mut hits, mut kills, mut changes) = (0, 0, 0);
    while hits < plan.kills {
        let flow = Flow::at(child.start().await, &client_id, &secret);
        if places.is_empty() {
            places = flow.places().await;
        }
        let mut tasks = Vec::new();
        for _ in 0..plan.at_once {
            tasks.push(flow.begin(&places.pop().expect("pairs enough")).await);
        }
        changes += plan.at_once;
        flow.reach(&tasks, "switch_deposit").await;
        // The provider makes the change in no time, and keeps us waiting for three seconds.
        sleep(Duration::from_millis(300)).await;
        child.kill();
        kills += 1;
        let left = held(&child).await;
        hits += usize::from(left.open > 0 && left.submissions == i64::try_from(changes).unwrap());

        // The next process asks the provider first, and finds the change there.
        let flow = Flow::at(child.start().await, &client_id, &secret);
        flow.reach(&tasks, "done").await;
        child.kill();
        let after = held(&child).await;
        let all = i64::try_from(changes).unwrap();
        assert_eq!(after, Held { submissions: all, open: 0, applied: all }, "after {kills} kills");
    }
    format!("{changes} changes, {hits} of {kills} kills between call and record, 0 doubled")
}
