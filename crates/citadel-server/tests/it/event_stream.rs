//! The event stream, over a real connection and through the SDK.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use citadel_domain::Clock;
use citadel_sdk::{
    Citadel, ErrorKind, EventStream, StreamItem, StreamedRequest,
    webhooks::{Verifier, verify_citadel_signature},
};
use tower::make::Shared;

use crate::{
    receiver::Receiver,
    support::{TestApp, TestClient, for_each_db},
};

/// What one connection tells: five statuses, the link, and the job, person, statements and accounts that came.
const EVENTS: i64 = 10;

/// The client's SDK, on a port of its own.
async fn sdk(app: &TestApp, client: &TestClient<'_>) -> Citadel {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let router = app.router.clone();
    tokio::spawn(async move { axum::serve(listener, Shared::new(router)).await });
    Citadel::builder(base, client.id.to_string(), client.secret.clone()).max_retries(0).build().unwrap()
}

async fn next(stream: &mut EventStream) -> Option<StreamItem> {
    tokio::time::timeout(Duration::from_secs(10), stream.next()).await.expect("a message in time").unwrap()
}

async fn requests(stream: &mut EventStream, count: usize) -> Vec<StreamedRequest> {
    let mut found = Vec::new();
    while found.len() < count {
        match next(stream).await {
            Some(StreamItem::Request(request)) => found.push(request),
            other => panic!("{other:?}"),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_carries_the_requests_that_an_endpoint_gets_and_resumes() {
    for_each_db(async |app| {
        let (client, other) = (app.client("acme").await, app.client("other").await);
        let receiver = Receiver::start().await;
        client.webhook_for(&receiver.url(), &citadel_api_types::webhooks::EVENT_TYPES).await;
        client.connect("income").await;
        let request = client.request(Method::GET, "/v1/events/stream").body(Body::empty()).unwrap();
        assert_eq!(app.begin(request).await.status(), StatusCode::OK, "without its slash");
        let citadel = sdk(&app, &client).await;
        let mut live = citadel.event_stream(None).await.unwrap();
        let Some(StreamItem::Start(start)) = next(&mut live).await else { panic!("the start") };
        assert_eq!(start.after, EVENTS);

        // What others do is not heard.
        other.connect("income").await;
        client.connect("income").await;
        app.run_jobs().await;
        let heard = requests(&mut live, 10).await;
        let sequences: Vec<_> = heard.iter().map(|request| request.sequence).collect();
        assert_eq!(sequences, (EVENTS + 1..=2 * EVENTS).collect::<Vec<_>>());

        let mut again = citadel.event_stream(Some(EVENTS - 2)).await.unwrap();
        assert!(
            matches!(next(&mut again).await, Some(StreamItem::Start(same)) if same.secret == start.secret)
        );
        let resumed = requests(&mut again, 12).await;
        assert_eq!(resumed[0].sequence, EVENTS - 1);
        assert_eq!(
            resumed[2..].iter().map(|request| &request.body).collect::<Vec<_>>(),
            heard.iter().map(|request| &request.body).collect::<Vec<_>>()
        );

        let verifier = Verifier::new([start.secret.expose()]).unwrap();
        let now =
            std::time::UNIX_EPOCH + Duration::from_secs(app.clock.now().as_second().try_into().unwrap());
        for request in &heard {
            let sent = receiver.received();
            let sent =
                sent.iter().find(|sent| sent.header("webhook-id") == request.headers["webhook-id"]).unwrap();
            assert_eq!(sent.body, request.body.as_bytes());
            // The same headers; the second signature is under the secret of the stream.
            for (name, value) in &request.headers {
                assert_eq!(sent.header(name) == value, name != "webhook-signature", "{name}");
            }
            let header = |name: &str| request.headers[name].as_str();
            assert_eq!(
                verify_citadel_signature(&client.secret, header("x-webhook-sign"), request.body.as_bytes()),
                Ok(())
            );
            let verified = verifier.verify(
                header("webhook-id"),
                header("webhook-timestamp"),
                header("webhook-signature"),
                request.body.as_bytes(),
                now,
            );
            assert_eq!(verified, Ok(()));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_key_and_with_the_server() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let citadel = sdk(&app, &client).await;
    let mut stream = citadel.event_stream(None).await.unwrap();
    next(&mut stream).await;
    let (id, key, now) = (client.id, client.key_id, app.stamp());
    let delete = app.app.db.write(async move |tx| citadel_store::access_keys::delete(tx, id, key, now).await);
    assert!(delete.await.unwrap());
    assert_eq!(next(&mut stream).await, None);
    assert_eq!(citadel.event_stream(None).await.unwrap_err().kind(), ErrorKind::Unauthorized);

    let other = app.client("other").await;
    let citadel = sdk(&app, &other).await;
    let mut open = Vec::new();
    for _ in 0..10 {
        open.push(citadel.event_stream(None).await.unwrap());
    }
    assert_eq!(citadel.event_stream(None).await.unwrap_err().kind(), ErrorKind::Forbidden);
    app.app.stopping.send_replace(true);
    for stream in &mut open {
        next(stream).await;
        assert_eq!(next(stream).await, None);
    }
    assert_eq!(other.get("/v1/events/stream/?after=-1").await.status, StatusCode::BAD_REQUEST);
}
