//! P12: tasks under generated sequences of sign-ins, answers, repeats, cancels and time that passes. Ten thousand sequences of steps
//! alone are tried in the store's tests; here a few go the whole way over HTTP.

use axum::http::Method;
use citadel_domain::{Random, SeededRandom, TaskStatus};
use serde_json::{Value, json};

use crate::support::{TestApp, TestClient, for_each_db};

const SEQUENCES: u64 = 20;

const LOGINS: [(&str, &str); 9] = [
    ("goodlogin", "goodpassword"),
    ("goodlogin", "mfa"),
    ("goodlogin", "mfa"),
    ("goodlogin", "longcheck"),
    ("somebody", "wrong"),
    ("error.user", "account_locked"),
    ("error.user", "no_data"),
    ("error.user", "unavailable"),
    ("error.user", "mfa_error"),
];

struct Dice(SeededRandom);

impl Dice {
    fn roll(&self, sides: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % sides as u64).unwrap()
    }
}

fn status(json: &Value) -> TaskStatus {
    json["status"].as_str().unwrap().parse().unwrap()
}

/// What was told of a task, in order.
async fn told(client: &TestClient<'_>, task_id: &str) -> Vec<TaskStatus> {
    let is_of = |event: &&Value| {
        event["payload"]["task_id"] == task_id && event["payload"]["event_type"] == "task-status-updated"
    };
    client.events().await.iter().filter(is_of).map(|event| status(&event["payload"])).collect()
}

async fn sequence(app: &TestApp, dice: &Dice, number: u64) {
    let client = app.client(&format!("client {number}")).await;
    let bridge_token = client.bridge_token("income").await;
    let (username, password) = LOGINS[dice.roll(LOGINS.len())];
    let task_id = app.sign_in(&bridge_token, username, password).await;
    let mut seen = vec![TaskStatus::New];
    let mut is_deleted = false;
    for _ in 0..12 {
        match dice.roll(9) {
            0..=2 => drop(app.run_jobs().await),
            3 => app.advance(1),
            // A question lapses after five minutes, a sign-in after fifteen.
            4 => app.advance([60, 301, 1000][dice.roll(3)]),
            5 | 6 => {
                let code = ["12345", "54321", ""][dice.roll(3)];
                let path = format!("/tasks/{task_id}/answer");
                let answer = Some(json!({"answer": code}));
                let reply = app.widget(Method::POST, &path, &bridge_token, answer).await;
                assert!(!reply.status.is_server_error(), "{reply:?}");
            }
            7 => {
                let path = format!("/tasks/{task_id}/public-token");
                let reply = app.widget(Method::POST, &path, &bridge_token, None).await;
                let is_done = seen.last() == Some(&TaskStatus::Done);
                assert_eq!(reply.status.is_success(), is_done && !is_deleted, "{reply:?}");
            }
            _ if dice.roll(8) == 0 && !is_deleted => {
                let links = client.get("/v1/links/").await.json();
                let Some(id) = links["results"][0]["id"].as_str() else { continue };
                assert!(client.delete(&format!("/v1/links/{id}/")).await.status.is_success());
                is_deleted = true;
            }
            _ => {}
        }
        let reply = app.widget(Method::GET, &format!("/tasks/{task_id}"), &bridge_token, None).await;
        if reply.status.is_success() && !is_deleted {
            let now = status(&reply.json());
            if seen.last() != Some(&now) {
                seen.push(now);
            }
        }
    }
    let told = told(&client, &task_id).await;
    let what = format!("{number}: {username} {password}: seen {seen:?}, told {told:?}");
    assert_eq!(told.first(), Some(&TaskStatus::New), "{what}");
    for pair in told.windows(2) {
        assert!(pair[0].may_become(pair[1]), "{what}");
    }
    // Whatever was seen was told, in the same order; and the last that was told is where the task stands.
    let mut rest = told.iter();
    for status in &seen {
        assert!(rest.any(|next| next == status), "{what}");
    }
    if !is_deleted {
        assert_eq!(told.last(), seen.last(), "{what}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p12_what_is_told_of_a_task_is_what_happened() {
    for_each_db(async |app| {
        let dice = Dice(SeededRandom::new(12));
        for number in 0..SEQUENCES {
            sequence(&app, &dice, number).await;
        }
    })
    .await;
}
