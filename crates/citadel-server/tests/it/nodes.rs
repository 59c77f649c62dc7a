//! Several nodes on one Postgres: what one of them knows, the others know (P3, P11, P36, P41, P42, P46).

use std::{sync::Arc, time::Duration};

use axum::http::{Method, StatusCode};
use citadel_domain::{Clock, Environment, ManualClock};
use citadel_server::{database_clock::DatabaseClock, jobs, system::SystemClock};
use citadel_store::{Tx, jobs::Job};
use jiff::SignedDuration;
use serde_json::json;
use tokio::{sync::watch, time::Instant};

use crate::support::{Reply, TestApp, TestClient};

/// How soon whatever was ended has ended on every node.
const AT_ONCE: Duration = Duration::from_secs(1);
const POLL: Duration = Duration::from_millis(50);

/// A Postgres with one more node on it, which has the same time. `None` where no Postgres is given; that other tests refuse.
async fn pair(rate_limit: u32) -> Option<(TestApp, TestApp)> {
    let first = TestApp::on_postgres().await?;
    let second = first.node(first.clock.clone(), rate_limit).await;
    Some((first, second))
}

fn at<'a>(node: &'a TestApp, client: &TestClient<'_>) -> TestClient<'a> {
    TestClient { app: node, id: client.id, key_id: client.key_id, secret: client.secret.clone() }
}

/// Polls one node while something is ended on another: nothing succeeds that began a second after that or later.
async fn ends_at_once(poll: impl AsyncFn() -> Reply, end: impl AsyncFn() -> Reply, ended_status: StatusCode) {
    assert_eq!(poll().await.status, StatusCode::OK);
    let ending = async {
        // In the middle of the polls.
        tokio::time::sleep(POLL * 3).await;
        let reply = end().await;
        assert!(reply.status.is_success(), "{reply:?}");
        Instant::now()
    };
    let polling = async {
        let (mut successes, mut refusals) = (Vec::new(), 0);
        // Refused for a second and more, and never let in again.
        while refusals < 24 {
            let begun = Instant::now();
            let reply = poll().await;
            if reply.status == StatusCode::OK {
                successes.push(begun);
            } else {
                assert_eq!(reply.status, ended_status, "{reply:?}");
                refusals += 1;
            }
            tokio::time::sleep(POLL).await;
        }
        successes
    };
    let (ended, successes) = tokio::join!(ending, polling);
    assert!(successes.iter().all(|begun| *begun < ended + AT_ONCE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p03_a_deleted_key_stops_on_every_node() {
    let Some((first, second)) = pair(0).await else { return };
    let client = first.client("acme").await;
    let bridge_token = client.bridge_token("income").await;
    let (_, secret) = first.key(client.id, Environment::Sandbox).await;
    let other = TestClient { app: &first, id: client.id, key_id: client.key_id, secret };
    let there = at(&second, &client);
    let end = async || other.post("/v1/keys/deactivate/", json!({"access_secret": client.secret})).await;
    ends_at_once(async || there.get("/v1/links/").await, end, StatusCode::UNAUTHORIZED).await;
    // And with it the bridge tokens that it made.
    let session = second.widget(Method::GET, "/session", &bridge_token, None).await;
    assert_eq!(session.status, StatusCode::GONE, "{session:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_the_access_token_of_a_deleted_link_stops_on_every_node() {
    let Some((first, second)) = pair(0).await else { return };
    let client = first.client("acme").await;
    let public_token = client.connect("income").await;
    let link = client.exchange(&public_token).await.json();
    let body = json!({"access_token": link["access_token"]});
    let there = at(&second, &client);
    let poll = async || there.post("/v1/verifications/incomes/", body.clone()).await;
    let path = format!("/v1/links/{}/", link["link_id"].as_str().unwrap());
    ends_at_once(poll, async || client.delete(&path).await, StatusCode::NOT_FOUND).await;
}

/// P46, whatever the way in which the calls are spread.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p46_two_nodes_together_keep_the_rate() {
    const LIMIT: u32 = 300;
    let is_close = |answered: usize, what: &str| {
        assert!((270..=330).contains(&answered), "{answered} calls were answered: {what}");
    };
    let Some((base, second)) = pair(LIMIT).await else { return };
    let first = base.node(base.clock.clone(), LIMIT).await;
    let client = base.client("acme").await;
    let nodes = [at(&first, &client), at(&second, &client)];
    let call = async |node: usize| {
        let reply = nodes[node].get("/v1/providers/adp").await;
        if reply.status == StatusCode::TOO_MANY_REQUESTS {
            assert!((1..=60).contains(&reply.header("retry-after").parse::<u32>().unwrap()), "{reply:?}");
        } else {
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        }
        usize::from(reply.status == StatusCode::OK)
    };
    // Many at once, by turns.
    let mut answered = 0;
    for _ in 0..20 {
        let four = tokio::join!(call(0), call(1), call(0), call(1));
        let more = tokio::join!(call(1), call(0), call(1), call(0));
        answered += four.0 + four.1 + four.2 + four.3 + more.0 + more.1 + more.2 + more.3;
    }
    for number in 0..240 {
        answered += call(number % 2).await;
    }
    is_close(answered, "by turns");
    // First the one node, then the other.
    base.advance(3600);
    answered = 0;
    for number in 0..400 {
        answered += call(usize::from(number >= 200)).await;
    }
    is_close(answered, "one after the other");
    // From an empty bucket, a minute of more than fits.
    answered = 0;
    for number in 0..60 * 10 {
        if number % 10 == 0 {
            base.advance(1);
        }
        answered += call(number % 2).await;
    }
    is_close(answered, "a whole minute");
    // Someone who calls now and then does not pay for what a node takes in advance.
    base.advance(3600);
    answered = 0;
    for number in 0..280 {
        base.clock.advance(SignedDuration::from_millis(60_000 / 280));
        answered += call(number % 2).await;
    }
    assert_eq!(answered, 280);
}

/// A node cannot count with the others: it counts alone, and answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p46_a_node_that_cannot_count_with_the_others_counts_alone() {
    let Some((base, node)) = pair(10).await else { return };
    let client = base.client("acme").await;
    base.app
        .db
        .write(async |tx| tx.execute("alter table call_rates rename to away", &[]).await)
        .await
        .unwrap();
    let there = at(&node, &client);
    for _ in 0..10 {
        assert_eq!(there.get("/v1/providers/adp").await.status, StatusCode::OK);
    }
    assert_eq!(there.get("/v1/providers/adp").await.status, StatusCode::TOO_MANY_REQUESTS);
}

/// Who waits at one node is told what another one's worker did.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p40_news_of_a_task_reach_those_who_wait_at_another_node() {
    let Some((first, second)) = pair(0).await else { return };
    let client = first.client("acme").await;
    let bridge_token = client.bridge_token("income").await;
    let task_id = first.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    let (stop, stopping) = watch::channel(false);
    let worker = tokio::spawn(jobs::work(second.app.clone(), stopping));
    let mut seen = "new".to_owned();
    let begun = Instant::now();
    while seen != "done" {
        let path = format!("/tasks/{task_id}?seen={seen}");
        let reply = first.widget(Method::GET, &path, &bridge_token, None).await;
        seen = reply.json()["status"].as_str().unwrap().to_owned();
        assert!(begun.elapsed() < Duration::from_secs(30), "{reply:?}");
    }
    // A question is answered at a node that has no worker.
    let bridge_token = client.bridge_token("income").await;
    let task_id = second.sign_in(&bridge_token, "goodlogin", "mfa").await;
    let mut turn = 0;
    loop {
        turn += 1;
        let node = if turn % 2 == 0 { &first } else { &second };
        let task = node.task(&bridge_token, &task_id).await;
        match task["status"].as_str().unwrap() {
            "done" => break,
            "mfa" if !task["step"].is_null() => {
                let answer = json!({"answer": "12345"});
                let path = format!("/tasks/{task_id}/answer");
                first.widget(Method::POST, &path, &bridge_token, Some(answer)).await;
            }
            status => assert!(status != "login_error" && status != "mfa_error", "{task}"),
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{task}");
        tokio::time::sleep(POLL).await;
    }
    stop.send_replace(true);
    worker.await.unwrap();
}

/// A job in hand, as a worker of this node would have it.
async fn claim(node: &TestApp) -> Vec<Job> {
    let now = node.app.clock.now();
    let lease = SignedDuration::from_secs(30);
    let claim = async move |tx: &mut Tx<'_>| citadel_store::jobs::claim(tx, "run_task", now, lease, 10).await;
    node.app.db.write(claim).await.unwrap()
}

/// Three machines that are ten minutes apart, and one of which is set: tokens end and leases hold as if they had one clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p41_nodes_go_by_the_clock_of_the_database() {
    let Some(base) = TestApp::on_postgres().await else { return };
    let (_stop, stopping) = watch::channel(false);
    let (mut nodes, mut machines) = (Vec::new(), Vec::new());
    for minutes in [10, 0, -10] {
        let machine = Arc::new(ManualClock::new(SystemClock.now() + SignedDuration::from_mins(minutes)));
        let clock = DatabaseClock::follow(&base.app.db, machine.clone(), &stopping).await.unwrap();
        nodes.push(base.node(clock, 0).await);
        machines.push(machine);
    }
    let agree = |when: &str| {
        for node in &nodes {
            let off = node.app.clock.now().duration_since(SystemClock.now()).abs();
            // The database of the test is on this machine.
            assert!(off < SignedDuration::from_secs(2), "{when}: {off}");
        }
    };
    agree("at the start");
    let client = nodes[0].client("acme").await;
    let there: Vec<_> = nodes.iter().map(|node| at(node, &client)).collect();

    // P9: what was made by the fastest clock is good on the slowest, and spent on all.
    let bridge_token = there[0].bridge_token("income").await;
    let login = json!({"provider_id": "adp", "login": {"username": "goodlogin", "password": "goodpassword"}});
    let sign_in = async |node: &TestApp| {
        let reply = node.widget(Method::POST, "/tasks", &bridge_token, Some(login.clone())).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        reply.json()["task_id"].as_str().unwrap().to_owned()
    };
    let task_id = sign_in(&nodes[2]).await;
    assert_eq!(nodes[1].run_jobs().await, 1);
    let public_token = nodes[2].public_token(&bridge_token, &task_id).await;
    assert_eq!(there[1].exchange(&public_token).await.status, StatusCode::OK);

    // P36: nobody takes what is leased.
    let waiting = sign_in(&nodes[2]).await;
    let held = claim(&nodes[2]).await;
    assert_eq!(held.len(), 1);
    let aged = there[0].bridge_token("income").await;
    let ended = nodes[0].app.clock.now() - SignedDuration::from_mins(1);
    let age = async move |tx: &mut Tx<'_>| {
        let sql = "update bridge_tokens set expires_at = $1
                    where expires_at = (select max(expires_at) from bridge_tokens)";
        tx.execute(sql, &[ended.into()]).await
    };
    assert_eq!(base.app.db.write(age).await.unwrap(), 1);
    for jump in [SignedDuration::ZERO, SignedDuration::from_hours(1), SignedDuration::from_hours(-2)] {
        for machine in &machines {
            machine.advance(jump);
        }
        agree("after a jump");
        for (node, client) in nodes.iter().zip(&there) {
            assert_eq!(node.run_jobs().await, 0, "a lease was broken");
            assert_eq!(client.exchange(&public_token).await.status, StatusCode::GONE);
            let session = node.widget(Method::GET, "/session", &aged, None).await;
            assert_eq!(session.status, StatusCode::GONE, "{session:?}");
        }
    }
    let job = held[0].clone();
    let released = base.app.db.write(async move |tx| citadel_store::jobs::release(tx, &job).await).await;
    assert!(released.unwrap());
    assert_eq!(nodes[0].run_jobs().await, 1);
    assert_eq!(nodes[1].task(&bridge_token, &waiting).await["status"], "done");
}

/// P42: what a worker cannot end in time goes back at once, and whoever had it can write nothing more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p42_a_worker_that_stops_gives_its_leases_back() {
    let Some((first, second)) = pair(0).await else { return };
    let client = first.client("acme").await;
    // Money moves, and the provider answers three seconds later.
    let bridge_token = client.bridge_token("deposit_switch").await;
    let task_id = first.confirm(&bridge_token, "goodlogin.slowbank", "goodpassword").await;
    let (stop, stopping) = watch::channel(false);
    let worker =
        tokio::spawn(jobs::work_and_finish_within(first.app.clone(), stopping, Duration::from_millis(50)));
    let leased = async |tx: &mut Tx<'_>| {
        let sql = "select cast(count(*) as bigint) from jobs where lease_until is not null and done = false";
        tx.fetch_one(sql, &[], |row| row.get::<i64>(0)).await
    };
    let begun = Instant::now();
    loop {
        let status = first.task(&bridge_token, &task_id).await["status"].as_str().unwrap().to_owned();
        if status != "new" && second.app.db.read(leased).await.unwrap() == 1 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "{status}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    stop.send_replace(true);
    worker.await.unwrap();
    assert_eq!(second.app.db.read(leased).await.unwrap(), 0);
    while second.task(&bridge_token, &task_id).await["status"] != "done" {
        second.run_jobs().await;
        second.advance(1);
        assert!(begun.elapsed() < Duration::from_secs(60));
    }
}
