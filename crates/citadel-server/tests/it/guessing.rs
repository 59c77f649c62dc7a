//! P14: the widget is no guessing machine.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::http::{Request, StatusCode, header};
use citadel_connectors::{
    AuthInput, AuthNext, BoxFuture, Connector, ConnectorError, Cx, Descriptor, Grant, LoginForm, Want,
};
use citadel_domain::{Environment, Product, payroll::PayrollData};
use citadel_server::connections::Peer;
use serde_json::json;

use crate::support::{PASSWORD_FORM, Reply, TestApp, TestClient};

/// A provider for real logins that knows nobody, and counts who asks.
struct Stranger {
    descriptor: Descriptor,
    asked: Arc<AtomicUsize>,
}

impl Stranger {
    fn new(asked: &Arc<AtomicUsize>) -> Self {
        let (products, environments) = (&[Product::Income][..], &[Environment::Dev][..]);
        Self { descriptor: Descriptor { id: "stranger", products, environments }, asked: Arc::clone(asked) }
    }
}

impl Connector for Stranger {
    fn describe(&self) -> &Descriptor {
        &self.descriptor
    }

    fn login_form(&self, _: &str, _: Product) -> LoginForm {
        PASSWORD_FORM
    }

    fn auth<'a>(&'a self, _: &'a Cx, _: AuthInput) -> BoxFuture<'a, AuthNext> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Err(ConnectorError::LoginRejected) })
    }

    fn fetch<'a>(&'a self, _: &'a Cx, _: &'a Grant, _: Want) -> BoxFuture<'a, PayrollData> {
        Box::pin(async { Err(ConnectorError::LoginRejected) })
    }
}

async fn guess(app: &TestApp, token: &str, address: IpAddr, username: &str, password: &str) -> Reply {
    let login = json!({"username": username, "password": password});
    let request = Request::post("/bridge/api/tasks")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .extension(Peer { address: Some(address), is_private: true });
    let body = json!({"provider_id": "adp", "login": login}).to_string();
    let reply = app.send(request.body(body.into()).unwrap()).await;
    app.run_jobs().await;
    reply
}

async fn tokens(client: &TestClient<'_>, count: usize) -> Vec<String> {
    let mut tokens = Vec::new();
    for _ in 0..count {
        tokens.push(client.bridge_token("income").await);
    }
    tokens
}

fn address(number: usize) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, u8::try_from(number % 250).unwrap()).into()
}

/// 10,000 guesses at one login in a day, over 200 tokens of two clients and 50 addresses; on Postgres a twentieth of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_guesses_at_one_login_hardly_reach_the_provider() {
    let asked = Arc::new(AtomicUsize::new(0));
    for (app, quarters) in
        TestApp::each_with_connector(|| Stranger::new(&asked)).await.into_iter().zip([4_usize, 1])
    {
        asked.store(0, Ordering::Relaxed);
        let clients =
            [app.client_in("one", Environment::Dev).await, app.client_in("two", Environment::Dev).await];
        let (per_token, pause) = if quarters == 4 { (50, 8) } else { (10, 40) };
        for quarter in 0..quarters {
            let mut tokens_of_quarter = tokens(&clients[0], 25).await;
            tokens_of_quarter.extend(tokens(&clients[1], 25).await);
            for round in 0..per_token {
                for (number, token) in tokens_of_quarter.iter().enumerate() {
                    // However it is typed, it is one login.
                    let username = ["pat.doe", " PAT.DOE", "Pat.Doe "][round % 3];
                    let password = format!("guess {quarter} {round} {number}");
                    let reply = guess(&app, token, address(number), username, &password).await;
                    if reply.status != StatusCode::CREATED {
                        assert!(matches!(reply.status.as_u16(), 429 | 403), "{reply:?}");
                    }
                    app.advance(pause);
                }
            }
        }
        let reached = asked.load(Ordering::Relaxed);
        let hours = quarters * 25 * 2 * per_token * usize::try_from(pause).unwrap() / 3600 + 1;
        assert!(reached <= hours * 10, "{reached} in {hours} hours");
        assert!(
            reached >= (hours - 2) * 10,
            "the owner of the login still gets in: {reached} in {hours} hours"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_a_login_an_address_and_a_link_have_limits_and_say_so() {
    let asked = Arc::new(AtomicUsize::new(0));
    for app in TestApp::each_with_connector(|| Stranger::new(&asked)).await {
        asked.store(0, Ordering::Relaxed);
        let client = app.client_in("acme", Environment::Dev).await;
        let token = client.bridge_token("income").await;
        // Pauses grow.
        assert_eq!(guess(&app, &token, address(1), "ada", "1").await.status, StatusCode::CREATED);
        let early = guess(&app, &token, address(1), "ada", "2").await;
        assert_eq!((early.status, early.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "throttled"));
        for pause in [1, 4, 9, 16] {
            app.advance(pause - 1);
            assert_eq!(
                guess(&app, &token, address(1), "ada", "2").await.status,
                StatusCode::TOO_MANY_REQUESTS
            );
            app.advance(1);
            assert_eq!(guess(&app, &token, address(1), "ada", "2").await.status, StatusCode::CREATED);
        }
        // One link, five tries; whoever goes back has five more.
        app.advance(60);
        assert_eq!(guess(&app, &token, address(1), "ada", "2").await.status, StatusCode::FORBIDDEN);
        let token = client.bridge_token("income").await;
        for _ in 0..5 {
            app.advance(100);
            assert_eq!(guess(&app, &token, address(1), "ada", "2").await.status, StatusCode::CREATED);
        }
        // The hour's ten are over, for every client and everywhere; the page is told until when.
        let other = app.client_in("other", Environment::Dev).await;
        let token = other.bridge_token("income").await;
        app.advance(600);
        let over = guess(&app, &token, address(2), "ada", "2").await;
        assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS);
        let wait: i64 = over.header("retry-after").parse().unwrap();
        assert!((1..=3600).contains(&wait), "{wait}");
        app.advance(wait);
        assert_eq!(guess(&app, &token, address(2), "ada", "2").await.status, StatusCode::CREATED);
        assert_eq!(asked.load(Ordering::Relaxed), 11);

        // Another hour. From one address fifty sign-ins, whoever they are for; a neighbour is not kept out.
        app.advance(3600);
        let tokens = tokens(&client, 6).await;
        for number in 0..50 {
            let reply = guess(&app, &tokens[number % 6], address(9), &format!("person {number}"), "1").await;
            assert!(matches!(reply.status, StatusCode::CREATED | StatusCode::FORBIDDEN), "{reply:?}");
            if reply.status == StatusCode::FORBIDDEN {
                // Links of one token run out at five tries: count with a fresh one.
                let token = client.bridge_token("income").await;
                let again = guess(&app, &token, address(9), &format!("person {number}"), "1").await;
                assert_eq!(again.status, StatusCode::CREATED, "{again:?}");
            }
        }
        let token = client.bridge_token("income").await;
        let over = guess(&app, &token, address(9), "person 51", "1").await;
        assert_eq!(over.status, StatusCode::TOO_MANY_REQUESTS, "{over:?}");
        assert_eq!(guess(&app, &token, address(10), "person 51", "1").await.status, StatusCode::CREATED);
    }
}

/// The sandbox's logins are printed in the documentation.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p14_nobody_is_counted_in_the_sandbox() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    for _ in 0..3 {
        let token = client.bridge_token("income").await;
        for _ in 0..10 {
            let reply = guess(&app, &token, address(1), "goodlogin", "wrong").await;
            assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
        }
    }
}

/// P50: a production key that came over the open network is not taken, and the answer says why.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p50_production_keys_are_refused_over_plain_http_from_elsewhere() {
    let app = TestApp::on_sqlite().await;
    for (environment, is_private, status) in [
        (Environment::Prod, false, StatusCode::FORBIDDEN),
        (Environment::Prod, true, StatusCode::OK),
        (Environment::Dev, false, StatusCode::OK),
        (Environment::Sandbox, false, StatusCode::OK),
    ] {
        let client = app.client_in("acme", environment).await;
        let peer = Peer { address: Some(address(1)), is_private };
        let request = client.request(axum::http::Method::GET, "/v1/links/").extension(peer);
        let reply = app.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(reply.status, status, "{environment:?} {is_private} {reply:?}");
    }
}
