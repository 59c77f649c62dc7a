//! P49: what every route lets through, and the headers that it answers with, as one reviewed table.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::{
    body::Body,
    http::{Method, StatusCode},
};
use serde_json::json;

use crate::support::{Reply, TestApp};

const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"];

/// The routes that stand in the router by their path. Those of the API document carry theirs at the handlers.
fn written() -> Vec<String> {
    let source = include_str!("../../src/router.rs");
    let mut paths = Vec::new();
    for part in source.split(".route(").skip(1) {
        if let Some(rest) = part.trim_start().strip_prefix('"') {
            paths.push(rest.split('"').next().unwrap().to_owned());
        }
    }
    assert!(paths.len() > 25, "{paths:?}");
    paths
}

fn headers(reply: &Reply) -> String {
    let mut line = String::new();
    for name in [
        "content-type",
        "cache-control",
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "access-control-allow-origin",
        "cross-origin-resource-policy",
        "strict-transport-security",
        "set-cookie",
        "server",
    ] {
        if !reply.header(name).is_empty() {
            writeln!(line, "{name}: {}", reply.header(name)).unwrap();
        }
    }
    line
}

/// Other methods are 405 in the contract's shape, with the ones that there are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p49_methods_and_headers_of_every_route_are_as_reviewed() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let bridge_token = client.bridge_token("income").await;
    let document = app.get("/openapi.json").await.json();
    let mut paths: Vec<_> = document["paths"].as_object().unwrap().keys().cloned().collect();
    paths.extend(written());
    paths.sort();
    paths.dedup();
    let mut by_headers = BTreeMap::<String, String>::new();
    for path in &paths {
        let mut allowed = Vec::new();
        let mut lines = Vec::new();
        let mut filled = path.replace("{kind}", "income");
        while let Some((before, after)) = filled.split_once('{') {
            filled = format!("{before}{}{}", "0".repeat(32), after.split_once('}').unwrap().1);
        }
        for method in METHODS {
            // A stream has no end; its refusal has. A page without a token is a refusal too.
            let query = if path.ends_with("/stream/") { "?after=x" } else { "" };
            let request = client
                .request(Method::from_bytes(method.as_bytes()).unwrap(), &format!("{filled}{query}"))
                .header("Authorization", format!("Bearer {bridge_token}"))
                .header("Content-Type", "application/json");
            // No object: whatever would be made is refused.
            let reply = app.send(request.body(Body::from("[]")).unwrap()).await;
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{method} {path}");
            assert!(!reply.header("referrer-policy").is_empty(), "{method} {path}");
            assert_eq!(reply.header("x-request-id").len(), 32, "{method} {path}");
            if reply.status == StatusCode::METHOD_NOT_ALLOWED {
                assert!(!reply.header("allow").is_empty(), "{method} {path}");
                if method != "HEAD" {
                    assert_eq!(reply.json(), json!({"detail": "Method Not Allowed."}), "{method} {path}");
                }
                continue;
            }
            assert!(!reply.status.is_server_error(), "{method} {path}: {reply:?}");
            allowed.push(method);
            let line = headers(&reply);
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        assert!(!allowed.contains(&"TRACE") && !allowed.contains(&"PUT"), "{path}");
        for line in lines {
            writeln!(by_headers.entry(line).or_default(), "  {path} {}", allowed.join(" ")).unwrap();
        }
    }
    let table: String = by_headers.iter().map(|(headers, paths)| format!("{headers}\n{paths}")).collect();
    insta::assert_snapshot!("surface", table);
}
