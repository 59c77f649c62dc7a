//! P33: endpoints inside, in all spellings, are refused when they are registered and when they are called. Connections
//! are counted where they would arrive.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use citadel_domain::Environment;
use citadel_server::outbound::{Lookup, Outbound, Resolver, Rules, SystemResolver};
use serde_json::json;

use crate::{
    receiver::{BadReceiver, Receiver},
    support::{TestApp, TestClient},
};

/// Hosts that must not be called from an endpoint in production, on any port.
const HOSTS: &[&str] = &[
    // Loopback.
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0x7F.0x0.0x0.0x1",
    "127.0.0.1.",
    "127.255.255.254",
    "127.127.127.127",
    "%31%32%37.0.0.1",
    "１２７.０.０.１",
    "①②⑦.⓪.⓪.①",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "sub.localhost",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    // Mapped and carried IPv4.
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:8.8.8.8]",
    "[::ffff:0:7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b::8.8.8.8]",
    "[64:ff9b:1::1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::]",
    "[2002:a00:1::1]",
    "[2001:0:7f00:1::]",
    "[2001::1]",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    // This network, private, shared.
    "0.0.0.0",
    "0",
    "0x0",
    "00",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "167772161",
    "0xa000001",
    "012.0.0.1",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "172.20.10.1",
    "2886729729",
    "192.168.0.1",
    "192.168.1",
    "3232235521",
    "0xc0a80001",
    "0300.0250.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "1681915905",
    // Link-local, metadata.
    "169.254.169.254",
    "169.254.0.1",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "0xA9.0xFE.0xA9.0xFE",
    "169.254.43518",
    "169.16689662",
    "169.254.170.2",
    "168.63.129.16",
    "[fe80::1]",
    "[fe80::a9fe:a9fe]",
    "[febf::1]",
    "[fd00:ec2::254]",
    "[fd00::1]",
    "[fc00::1]",
    "[fdff:ffff::1]",
    "[fec0::1]",
    // Assigned to protocols, documentation, benchmarks.
    "192.0.0.1",
    "192.0.0.170",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "[2001:db8::1]",
    "[3fff::1]",
    "[2001:2::1]",
    "[2001:10::1]",
    "[2001:20::1]",
    "[100::1]",
    "[5f00::1]",
    "[2620:4f:8000::1]",
    "[3ffe::1]",
    // Multicast, reserved, broadcast, unspecified.
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "250.1.2.3",
    "255.255.255.255",
    "4294967295",
    "[ff02::1]",
    "[ff0e::1]",
    "[::]",
    "[0:0::0]",
    "[4000::1]",
    "[8000::1]",
    "[e000::1]",
];

/// Addresses that are wrong whatever their host is.
const URLS: &[&str] = &[
    "",
    "x",
    "//example.com/",
    "/webhook",
    "example.com",
    "http://example.com/",
    "http://example.com:8443/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "https://",
    "https://:443/",
    "https://example.com:80/",
    "https://example.com:22/",
    "https://example.com:8700/",
    "https://example.com:0/",
    "https://example.com:65536/",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://:p@example.com/",
    "https://[::1/",
    "https://[fe80::1%25eth0]/",
    "https://exa mple.com/",
    "https://1.2.3.4.5/",
    "https://256.1.1.1/",
    "https://citadel.example/",
    "https://CITADEL.example./x",
    "https://example.com/\r\nx: y",
    "ws://example.com/",
    "HTTP://127.0.0.1/",
];

async fn register(client: &TestClient<'_>, url: &str) -> StatusCode {
    let body = json!({"name": "n", "webhook_url": url, "env_type": "prod"});
    let reply = client.post("/v1/webhooks/", body).await;
    if reply.status == StatusCode::BAD_REQUEST {
        assert_eq!(reply.invalid_fields(), ["webhook_url"]);
    }
    reply.status
}

/// Where calls would arrive that should not be made: one port on the loopback addresses and wherever this machine has
/// an address.
async fn traps() -> (BadReceiver, Option<BadReceiver>, u16) {
    let trap = BadReceiver::start_on("0.0.0.0:0", async |_| ()).await;
    let port = trap.address.port();
    // Not every machine has IPv6.
    let six = match std::net::TcpListener::bind("[::1]:0") {
        Ok(_) => Some(BadReceiver::start_on(&format!("[::1]:{port}"), async |_| ()).await),
        Err(_) => None,
    };
    (trap, six, port)
}

fn strict(port: u16) -> Rules {
    Rules {
        allows_loopback: true,
        ports: vec![443, 8443, port],
        own_listeners: vec!["127.0.0.1:8700".parse().unwrap()],
        public_url: "https://citadel.example".to_owned(),
    }
}

/// An endpoint whose address changed in the database, past the check at its registration.
async fn put_url(app: &TestApp, url: String) {
    let put = app.app.db.write(async move |tx| {
        tx.execute("update webhooks set webhook_url = $1", &[url.clone().into()]).await
    });
    assert_eq!(put.await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p33_no_spelling_of_an_inside_address_is_registered_or_called() {
    assert!(HOSTS.len() + URLS.len() >= 120, "{}", HOSTS.len() + URLS.len());
    let (trap, trap_six, port) = traps().await;
    let outbound = Outbound::new(strict(port), Arc::new(SystemResolver), Duration::from_secs(2)).unwrap();
    let app = TestApp::with_outbound(outbound).await;
    let client = app.client_in("acme", Environment::Prod).await;
    for url in URLS {
        assert_eq!(register(&client, url).await, StatusCode::BAD_REQUEST, "{url:?}");
    }
    for host in HOSTS {
        for url in
            [format!("https://{host}/"), format!("https://{host}:{port}/"), format!("http://{host}:{port}/")]
        {
            assert_eq!(register(&client, &url).await, StatusCode::BAD_REQUEST, "{url}");
        }
    }
    assert_eq!(register(&client, "https://example.com:8443/hook?a=b").await, StatusCode::CREATED);
    assert_eq!(register(&client, "https://8.8.8.8/").await, StatusCode::CREATED);
    assert_eq!(register(&client, "https://[2606:4700::1111]/").await, StatusCode::CREATED);
    for webhook in client.get("/v1/webhooks/").await.json()["results"].as_array().unwrap().iter().skip(1) {
        client.delete(&format!("/v1/webhooks/{}/", webhook["id"].as_str().unwrap())).await;
    }

    // The same at each attempt. Every answer reads alike.
    let bridge_token = client.bridge_token("income").await;
    let body = json!({"provider_id": "adp", "login": {}});
    app.widget(axum::http::Method::POST, "/tasks", &bridge_token, Some(body)).await;
    put_url(&app, format!("https://127.0.0.1:{port}/")).await;
    app.run_jobs().await;
    let event = client.events().await[0]["id"].as_str().unwrap().to_owned();
    for host in HOSTS {
        for scheme in ["https", "http"] {
            put_url(&app, format!("{scheme}://{host}:{port}/")).await;
            client.post(&format!("/v1/events/{event}/resend/"), json!({})).await;
            app.run_jobs().await;
        }
    }
    for attempt in client.attempts().await {
        assert_eq!(attempt["status_code"], json!(null), "{attempt}");
        assert_eq!(attempt["error_message"], "the endpoint could not be reached", "{attempt}");
    }
    assert_eq!((trap.connections(), trap_six.map_or(0, |trap| trap.connections())), (0, 0));
}

/// Answers what it is told, and counts how often it is asked.
struct Scripted {
    answers: Vec<Vec<SocketAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Resolver for Scripted {
    fn lookup(&self, _: String) -> Lookup {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.answers[number % self.answers.len()].clone();
        Box::pin(async move { Ok(answer) })
    }
}

/// A name that leads inside, at once, later, or besides, is refused on the socket that would be connected.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p33_a_name_is_judged_by_what_it_leads_to_each_time() {
    let (trap, trap_six, port) = traps().await;
    let at = |address: &str| SocketAddr::new(address.parse().unwrap(), 0);
    // 198.18.0.0/15 leads nowhere and is refused; a public address would be called, and this machine has no way there.
    let answers = vec![
        vec![at("127.0.0.1")],
        vec![at("8.8.8.8"), at("127.0.0.1")],
        vec![at("::1")],
        vec![at("::ffff:127.0.0.1")],
        vec![at("64:ff9b::7f00:1")],
        vec![at("2002:7f00:1::1")],
        vec![at("0.0.0.0")],
        vec![at("169.254.169.254")],
        vec![at("10.0.0.1"), at("8.8.8.8")],
        vec![],
    ];
    let (count, asked) = (answers.len(), Arc::new(AtomicUsize::new(0)));
    let resolver = Arc::new(Scripted { answers, asked: asked.clone() });
    let outbound = Outbound::new(strict(port), resolver, Duration::from_secs(2)).unwrap();
    let app = TestApp::with_outbound(outbound).await;
    let client = app.client("acme").await;
    // A port of its own keeps the trap's port in the address.
    client.webhook(&format!("https://hooks.example:{port}/")).await;
    let bridge_token = client.bridge_token("income").await;
    app.sign_in(&bridge_token, "goodlogin", "mfa").await;
    app.run_jobs().await;
    let event = client.events().await[0]["id"].as_str().unwrap().to_owned();
    while asked.load(Ordering::Relaxed) < count {
        client.post(&format!("/v1/events/{event}/resend/"), json!({})).await;
        app.run_jobs().await;
    }
    for attempt in client.attempts().await {
        assert_eq!(attempt["error_message"], "the endpoint could not be reached", "{attempt}");
    }
    assert_eq!((trap.connections(), trap_six.map_or(0, |trap| trap.connections())), (0, 0));
}

/// A sandbox endpoint of a server that only its own machine reaches may be on that machine; but never the server itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p33_loopback_is_for_sandbox_endpoints_of_a_loopback_server() {
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    let local = TestApp::on_sqlite().await;
    let served = async |listener: &str, public_url: &str| {
        let rules = Rules::new(vec![listener.parse().unwrap()], public_url.to_owned());
        TestApp::with_outbound(
            Outbound::new(rules, Arc::new(SystemResolver), Duration::from_secs(2)).unwrap(),
        )
        .await
    };
    let open = served("0.0.0.0:8700", "http://127.0.0.1:8700").await;
    let behind_a_proxy = served("127.0.0.1:8700", "https://citadel.example").await;
    for (app, environment, may) in [
        (&local, Environment::Sandbox, true),
        (&local, Environment::Dev, false),
        (&local, Environment::Prod, false),
        (&open, Environment::Sandbox, false),
        (&behind_a_proxy, Environment::Sandbox, false),
    ] {
        let client = app.client_in("acme", environment).await;
        for host in ["127.0.0.1", "localhost", "127.1", "2130706433"] {
            let body = json!({
                "name": "n", "webhook_url": format!("http://{host}:{port}/{host}"), "env_type": environment.as_str(),
            });
            let expected = if may { StatusCode::CREATED } else { StatusCode::BAD_REQUEST };
            assert_eq!(client.post("/v1/webhooks/", body).await.status, expected, "{host}");
        }
        for url in [
            "http://127.0.0.1:8700/",
            "https://localhost:8702/",
            "http://127.0.0.2:8700/",
            "http://10.0.0.1/",
            "http://[::ffff:127.0.0.1]:5001/",
            "http://0.0.0.0:5001/",
            "http://example.com/",
            "http://citadel.test/",
        ] {
            let body = json!({"name": "n", "webhook_url": url, "env_type": environment.as_str()});
            assert_eq!(client.post("/v1/webhooks/", body).await.status, StatusCode::BAD_REQUEST, "{url}");
        }
    }
    let client = local.client("other").await;
    client.webhook(&format!("http://localhost:{port}/")).await;
    client.connect("income").await;
    local.run_jobs().await;
    assert_eq!(receiver.received().len(), 5);
}
