//! Endpoints that are dead, slow or hostile hurt only themselves.

use std::{sync::Arc, time::Duration};

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use citadel_server::{
    jobs,
    outbound::{Outbound, SystemResolver},
};
use serde_json::json;
use tokio::{io::AsyncWriteExt, sync::watch};

use crate::{
    receiver::{BadReceiver, Receiver, send_forever},
    support::{TestApp, rules},
};

/// P31: endpoints that never answer delay nobody: not the others of their client, not other clients, not tasks.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p31_a_dead_endpoint_delays_nobody() {
    let outbound = Outbound::new(rules(), Arc::new(SystemResolver), Duration::from_secs(5)).unwrap();
    let app = TestApp::with_outbound(outbound).await;
    let (client, other) = (app.client("acme").await, app.client("other").await);
    let dead = BadReceiver::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let (alive, foreign) = (Receiver::start().await, Receiver::start().await);
    client.webhook(&dead.url()).await;
    client.webhook(&alive.url()).await;
    other.webhook(&foreign.url()).await;
    // The dead one has its hands full before the others have anything.
    for _ in 0..2 {
        let bridge_token = client.bridge_token("income").await;
        for _ in 0..10 {
            app.sign_in(&bridge_token, "nobody", "wrong").await;
        }
    }
    let (stop, stopping) = watch::channel(false);
    let worker = tokio::spawn(jobs::work(app.app.clone(), stopping));
    let bridge_token = other.bridge_token("income").await;
    app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    let began = tokio::time::Instant::now();
    while alive.received().len() < 60 || foreign.received().len() < 5 {
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{} {}",
            alive.received().len(),
            foreign.received().len()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(dead.connections() <= 10, "{}", dead.connections());
    stop.send(true).unwrap();
    worker.await.unwrap();
}

/// P30: bad receivers hurt only themselves: each attempt ends in time, is listed, and the next endpoint gets its events.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p30_bad_receivers_hurt_only_themselves() {
    let outbound = Outbound::new(rules(), Arc::new(SystemResolver), Duration::from_millis(700)).unwrap();
    let app = TestApp::with_outbound(outbound).await;
    let client = app.client("acme").await;
    const OK: &str = "HTTP/1.1 200 OK\r\n";
    const UNREACHABLE: &str = "the endpoint could not be reached";
    const LATE: &str = "the endpoint did not answer in 10 seconds";
    let silent = BadReceiver::start(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    let drips = BadReceiver::start(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n").await;
        while stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let endless_head =
        BadReceiver::start(|stream| send_forever(stream, OK, b"x-a: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"))
            .await;
    let huge = BadReceiver::start(|stream| {
        send_forever(stream, "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n", &[b'a'; 65536])
    })
    .await;
    let garbage = BadReceiver::start(|mut stream| async move {
        let _ = stream.write_all(&[0xFF; 300]).await;
    })
    .await;
    let hangs_up = BadReceiver::start(async |_| ()).await;
    let cut = BadReceiver::start(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nhalf").await;
    })
    .await;
    let good = Receiver::start().await;
    let cases = [
        (silent.url(), None, LATE),
        (drips.url(), None, LATE),
        (endless_head.url(), None, UNREACHABLE),
        (huge.url(), Some(200), ""),
        (garbage.url(), None, UNREACHABLE),
        (hangs_up.url(), None, UNREACHABLE),
        (cut.url(), None, UNREACHABLE),
        (good.url(), Some(200), ""),
    ];
    for (url, ..) in &cases {
        client.webhook(url).await;
    }
    client.connect("income").await;
    app.run_jobs().await;
    assert_eq!(good.received().len(), 5);
    let attempts = client.attempts().await;
    for (url, status, message) in cases {
        let made: Vec<_> = attempts.iter().filter(|attempt| attempt["webhook_url"] == url).collect();
        assert_eq!(made.len(), 5, "{url}");
        for attempt in made {
            assert_eq!(attempt["status_code"], json!(status), "{attempt}");
            assert_eq!(attempt["error_message"].as_str().unwrap_or_default(), message, "{attempt}");
            assert!(attempt["answer"].as_str().unwrap().len() <= 4096);
            assert!(attempt["duration_ms"].as_i64().unwrap() < 3000, "{attempt}");
        }
    }
    assert!(attempts.iter().any(|attempt| attempt["answer"].as_str().unwrap().len() > 4000));
}

/// P30: redirects are followed twice, on the same host, with the same request.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p30_redirects_are_few_and_stay_on_the_host() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let elsewhere = Receiver::start().await;
    let foreign = format!("http://localhost:{}/", elsewhere.address.port());
    let receiver = Receiver::answering(move |_, request| {
        let to = |location: &str| -> Response {
            (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, location)]).into_response()
        };
        match request.path.as_str() {
            "/once" => to("/twice"),
            "/twice" => to("end"),
            "/thrice" => to("/once"),
            "/loop" => to("/loop"),
            "/away" => to(&foreign),
            "/inside" => to("http://10.0.0.1/"),
            "/own" => to("http://127.0.0.1:8700/"),
            "/nonsense" => to("http://["),
            _ => StatusCode::OK.into_response(),
        }
    })
    .await;
    let base = format!("http://{}", receiver.address);
    for (path, is_delivered) in [
        ("/once", true),
        ("/thrice", false),
        ("/loop", false),
        ("/away", false),
        ("/inside", false),
        ("/own", false),
        ("/nonsense", false),
    ] {
        let (id, _) = client.webhook(&format!("{base}{path}")).await;
        let before = receiver.received().len();
        client.connect("income").await;
        app.run_jobs().await;
        let attempt = client.attempts().await.remove(0);
        assert_eq!(attempt["status_code"] == 200, is_delivered, "{path}: {attempt}");
        if is_delivered {
            let hops = receiver.received().split_off(before);
            let (first, last) =
                (&hops[0], hops.iter().find(|hop| hop.id() == hops[0].id() && hop.path == "/end").unwrap());
            assert_eq!(
                (&first.body, first.header("x-webhook-sign")),
                (&last.body, last.header("x-webhook-sign"))
            );
        }
        client.delete(&format!("/v1/webhooks/{id}/")).await;
    }
    assert_eq!(elsewhere.received().len(), 0);
}
