//! Webhooks: the calls as the contract spells them, and the stream as it comes over the wire.

use std::time::Duration;

use citadel_sdk::{CreateWebhook, ErrorKind, ResendEvents, StreamItem, UpdateWebhook, WebhookRequestFilter};
use serde_json::{Value, from_str, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::double::{Double, answer, client};

fn webhook() -> Value {
    json!({
        "id": "w1", "name": "Main", "webhook_url": "https://example.com/", "events": [], "env_type": "sandbox",
        "enabled": true, "disabled_because": null, "created_at": "t", "updated_at": "t",
    })
}

fn with_secret() -> Value {
    let mut webhook = webhook();
    webhook["secret"] = json!("whsec_x");
    webhook
}

#[tokio::test]
async fn endpoints_are_registered_changed_and_removed() {
    let double = Double::start([
        answer(201, with_secret()),
        answer(200, json!({"count": 1, "next": null, "previous": null, "results": [webhook()]})),
        answer(200, webhook()),
        answer(200, webhook()),
        answer(200, with_secret()),
        answer(204, ""),
    ])
    .await;
    let citadel = &double.citadel;
    let request = CreateWebhook {
        name: "Main".to_owned(),
        webhook_url: "https://example.com/".to_owned(),
        env_type: "sandbox".to_owned(),
        events: vec![],
    };
    let made = citadel.create_webhook(&request).await.unwrap();
    assert_eq!((made.webhook.id.as_str(), made.secret.expose()), ("w1", "whsec_x"));
    assert!(!format!("{made:?}").contains("whsec_x"));
    assert_eq!(citadel.webhooks(1).await.unwrap().results.len(), 1);
    assert!(citadel.webhook("w1").await.unwrap().enabled);
    let change = UpdateWebhook { enabled: Some(true), ..UpdateWebhook::default() };
    citadel.update_webhook("w1", &change).await.unwrap();
    citadel.rotate_webhook_secret("w1").await.unwrap();
    citadel.delete_webhook("w1").await.unwrap();
    assert_eq!(
        double.lines(),
        [
            "POST /v1/webhooks/",
            "GET /v1/webhooks/?page=1",
            "GET /v1/webhooks/w1/",
            "PATCH /v1/webhooks/w1/",
            "POST /v1/webhooks/w1/rotate-secret/",
            "DELETE /v1/webhooks/w1/",
        ]
    );
    let body = |index: usize| from_str::<Value>(&double.seen()[index].body).unwrap();
    assert_eq!(
        body(0),
        json!({"name": "Main", "webhook_url": "https://example.com/", "env_type": "sandbox"})
    );
    assert_eq!(body(3), json!({"enabled": true}));
}

#[tokio::test]
async fn events_and_attempts_are_read_and_sent_again() {
    let list = json!({"next": null, "previous": null, "results": []});
    let double = Double::start([
        answer(200, &list),
        answer(200, &list),
        answer(200, json!({"count": 2})),
        answer(200, json!({"count": 1})),
        answer(200, json!({"count": 500})),
    ])
    .await;
    let citadel = &double.citadel;
    let filter = WebhookRequestFilter { status_code: "500", from: "2026-11-18", ..Default::default() };
    citadel.webhook_requests(filter).await.unwrap();
    citadel.events(41).await.unwrap();
    assert_eq!(citadel.resend_event("e1", None).await.unwrap().count, 2);
    assert_eq!(citadel.resend_event("e1", Some("w1")).await.unwrap().count, 1);
    let range =
        ResendEvents { created_at_gte: "2026-11-18".to_owned(), only_failed: true, ..Default::default() };
    assert_eq!(citadel.resend_events(&range).await.unwrap().count, 500);
    assert_eq!(
        double.lines(),
        [
            "GET /v1/webhook-requests/?created_at__gte=2026-11-18&status_code=500",
            "GET /v1/events/?after=41",
            "POST /v1/events/e1/resend/",
            "POST /v1/events/e1/resend/",
            "POST /v1/events/resend/",
        ]
    );
    let body = |index: usize| from_str::<Value>(&double.seen()[index].body).unwrap();
    assert_eq!((body(2), body(3)), (json!({}), json!({"webhook_id": "w1"})));
    assert_eq!(body(4), json!({"created_at__gte": "2026-11-18", "only_failed": true}));
}

/// A server that sends these parts of a stream, each in a packet of its own, and hangs up.
async fn stream(parts: &'static [&'static str]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a caller");
        let mut request = [0; 4096];
        let count = stream.read(&mut request).await.expect("a request");
        assert!(request[..count].starts_with(b"GET /v1/events/stream/?after=7 HTTP/1.1\r\n"));
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).await.expect("the caller listens");
        for part in parts {
            stream.write_all(part.as_bytes()).await.expect("the caller listens");
            stream.flush().await.expect("the caller listens");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn a_stream_is_read_whatever_way_it_is_cut() {
    let base = stream(&[
        "event: start\nid: 7\nda",
        "ta: {\"after\":7,\"secret\":\"whsec_x\"}\n\n:\n\n: alive\n\nevent: later\ndata: {}\n",
        "\nevent: request\nid: 8\ndata: {\"sequence\":8,\"headers\":{\"webhook-id\":\"e\"},\"body\":\"{\\\"a\\\": \\\"ü\\\"}\"}\n",
        "\n",
        "event: request\ndata: half",
    ])
    .await;
    let mut stream = client(&base).event_stream(Some(7)).await.unwrap();
    assert!(matches!(stream.next().await.unwrap(), Some(StreamItem::Start(start)) if start.after == 7));
    let Some(StreamItem::Request(request)) = stream.next().await.unwrap() else { panic!("a request") };
    assert_eq!((request.sequence, request.body.as_str()), (8, "{\"a\": \"ü\"}"));
    assert_eq!(request.headers["webhook-id"], "e");
    assert_eq!(stream.next().await.unwrap(), None);
}

#[tokio::test]
async fn a_stream_that_is_refused_or_is_none_says_so() {
    let double = Double::start([answer(
        401,
        json!({"error": {"code": "authentication_failed", "message": "No such user."}}),
    )])
    .await;
    assert_eq!(double.citadel.event_stream(None).await.unwrap_err().kind(), ErrorKind::Unauthorized);
    assert_eq!(double.lines(), ["GET /v1/events/stream/"]);
    let base = stream(&["event: request\ndata: {}\n\n"]).await;
    let mut stream = client(&base).event_stream(Some(7)).await.unwrap();
    assert_eq!(stream.next().await.unwrap_err().kind(), ErrorKind::Unexpected);
}
