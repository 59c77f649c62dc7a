use axum::{
    body::Body,
    http::{Method, Request, StatusCode},
};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tower::make::Shared;

use crate::support::{Reply, TestApp, for_each_db};

/// A good key is remembered for a while on SQLite; its deletion is not overlooked, and neither is a new key.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_was_good_a_moment_ago_ends_with_its_deletion() {
    for_each_db(async |app| {
        let (client, other) = (app.client("acme").await, app.client("other").await);
        let is_good = async |id: citadel_domain::ClientId, secret: &str| {
            let request = Request::get("/v1/webhooks/")
                .header("X-Access-Client-Id", id.to_string())
                .header("X-Access-Secret", secret)
                .body(Body::empty());
            app.send(request.unwrap()).await.status == StatusCode::OK
        };
        for _ in 0..2 {
            assert!(is_good(client.id, &client.secret).await);
            assert!(!is_good(other.id, &client.secret).await, "another client's");
        }
        let (second_id, second) = app.key(client.id, citadel_domain::Environment::Sandbox).await;
        assert!(is_good(client.id, &second).await && is_good(client.id, &client.secret).await);
        let (client_id, now) = (client.id, app.stamp());
        let delete = app
            .app
            .db
            .write(async move |tx| citadel_store::access_keys::delete(tx, client_id, second_id, now).await);
        assert!(delete.await.unwrap());
        assert!(!is_good(client.id, &second).await);
        assert!(is_good(client.id, &client.secret).await);
    })
    .await;
}

/// P1: twelve kinds of bad pair, one answer, equal byte for byte apart from the request id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p01_bad_credentials_look_alike() {
    for_each_db(async |app| {
        let (acme, other) = (app.client("acme").await, app.client("other").await);
        let (deleted_id, deleted) = app.key(acme.id, citadel_domain::Environment::Sandbox).await;
        let (client_id, now) = (acme.id, app.stamp());
        let was_deleted = app
            .app
            .db
            .write(async move |tx| citadel_store::access_keys::delete(tx, client_id, deleted_id, now).await)
            .await
            .unwrap();
        assert!(was_deleted);
        let id = acme.id.to_string();
        let flipped = |at: usize| {
            let mut bytes = acme.secret.clone().into_bytes();
            bytes[at] = if bytes[at] == b'0' { b'1' } else { b'0' };
            String::from_utf8(bytes).unwrap()
        };
        let (unknown, upper) = ("f".repeat(32), id.to_uppercase());
        let (first, last, other_world) = (flipped(8), flipped(47), acme.secret.replace("sandbox", "prod"));
        let cases: [(&str, Vec<(&str, &str)>); 14] = [
            ("nothing", vec![]),
            ("id only", vec![("X-Access-Client-Id", &id)]),
            ("secret only", vec![("X-Access-Secret", &acme.secret)]),
            ("unknown id", vec![("X-Access-Client-Id", &unknown), ("X-Access-Secret", &acme.secret)]),
            ("malformed id", vec![("X-Access-Client-Id", "x"), ("X-Access-Secret", &acme.secret)]),
            ("upper-case id", vec![("X-Access-Client-Id", &upper), ("X-Access-Secret", &acme.secret)]),
            ("empty secret", vec![("X-Access-Client-Id", &id), ("X-Access-Secret", "")]),
            ("wrong at first", vec![("X-Access-Client-Id", &id), ("X-Access-Secret", &first)]),
            ("wrong at last", vec![("X-Access-Client-Id", &id), ("X-Access-Secret", &last)]),
            ("another client's", vec![("X-Access-Client-Id", &id), ("X-Access-Secret", &other.secret)]),
            ("another world's", vec![("X-Access-Client-Id", &id), ("X-Access-Secret", &other_world)]),
            ("deleted", vec![("X-Access-Client-Id", &id), ("X-Access-Secret", &deleted)]),
            (
                "two secrets",
                vec![
                    ("X-Access-Client-Id", &id),
                    ("X-Access-Secret", &acme.secret),
                    ("X-Access-Secret", &acme.secret),
                ],
            ),
            (
                "two ids",
                vec![
                    ("X-Access-Client-Id", &id),
                    ("X-Access-Client-Id", &id),
                    ("X-Access-Secret", &acme.secret),
                ],
            ),
        ];
        let mut seen: Option<Reply> = None;
        for (name, headers) in cases {
            let mut request = Request::post("/v1/bridge-tokens/").header("Content-Type", "application/json");
            for (header, value) in headers {
                request = request.header(header, value);
            }
            let mut reply = app.send(request.body(Body::from(r#"{"product_type":"income"}"#)).unwrap()).await;
            assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{name}");
            assert_eq!(reply.code(), "authentication_failed");
            assert_eq!(reply.headers.remove("x-request-id").unwrap().len(), 32);
            if let Some(seen) = &seen {
                assert_eq!((&seen.headers, &seen.body), (&reply.headers, &reply.body), "{name}");
            }
            seen = Some(reply);
        }
        // Header names are read in any case.
        let request = Request::get("/v1/providers/")
            .header("x-access-CLIENT-id", &id)
            .header("X-ACCESS-SECRET", &acme.secret);
        assert_eq!(app.send(request.body(Body::empty()).unwrap()).await.status, StatusCode::OK);
    })
    .await;
}

/// P44: each limit met and passed by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p44_limits_are_met_and_passed_by_one() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;

    let path = |length: usize| {
        format!("/v1/company-mappings-search/?query={}", "a".repeat(length - "GET  HTTP/1.1".len() - 35))
    };
    assert_eq!(format!("GET {} HTTP/1.1", path(8192)).len(), 8192);
    assert_eq!(client.get(&path(8192)).await.status, StatusCode::OK);
    let refused = client.get(&path(8193)).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::URI_TOO_LONG, "incorrect_parameters"));

    let with_headers = async |count: usize| {
        let mut request = client.request(Method::GET, "/v1/providers/");
        for number in 2..count {
            request = request.header(format!("x-filler-{number}"), "1");
        }
        app.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(with_headers(100).await, StatusCode::OK);
    assert_eq!(with_headers(101).await, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);

    let with_bytes = async |bytes: usize| {
        let base: usize =
            ["x-access-client-id", "x-access-secret", "x-filler"].iter().map(|name| name.len() + 4).sum();
        let filler = bytes - base - 32 - client.secret.len();
        let request = client.request(Method::GET, "/v1/providers/").header("x-filler", "a".repeat(filler));
        app.send(request.body(Body::empty()).unwrap()).await.status
    };
    assert_eq!(with_bytes(32 << 10).await, StatusCode::OK);
    assert_eq!(with_bytes((32 << 10) + 1).await, StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);

    let body = |length: usize| {
        let start = r#"{"product_type":"income","filler":""#;
        format!("{start}{}\"}}", "a".repeat(length - start.len() - 2))
    };
    let largest = client.post_text("/v1/bridge-tokens/", "application/json", body(1 << 20)).await;
    assert_eq!(largest.status, StatusCode::OK, "{largest:?}");
    let refused = client.post_text("/v1/bridge-tokens/", "application/json", body((1 << 20) + 1)).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::PAYLOAD_TOO_LARGE, "incorrect_parameters")
    );

    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n{}\r\n--x--\r\n",
        "a".repeat(1 << 20)
    );
    let refused = client.post_text("/v1/bridge-tokens/", "multipart/form-data; boundary=x", form).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{refused:?}");

    let nested = |depth: usize| {
        format!(r#"{{"product_type":"income","x":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1))
    };
    assert_eq!(
        client.post_text("/v1/bridge-tokens/", "application/json", nested(32)).await.status,
        StatusCode::OK
    );
    for depth in [33, 100_000] {
        let refused = client.post_text("/v1/bridge-tokens/", "application/json", nested(depth)).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (StatusCode::BAD_REQUEST, "incorrect_parameters"),
            "{depth}"
        );
    }

    let page = client.get("/v1/providers/?page_size=100000").await;
    assert!(page.json()["results"].as_array().unwrap().len() <= 100);

    let zipped = client.request(Method::POST, "/v1/bridge-tokens/").header("Content-Encoding", "gzip");
    let zipped =
        app.send(zipped.header("Content-Type", "application/json").body(Body::from("x")).unwrap()).await;
    assert_eq!(zipped.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

/// The bodies of the list "Bad input": a 4xx in contract shape, never a 5xx, and nothing is created.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_bad_bodies_are_refused_and_change_nothing() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let many_keys: String = (0..100_000).map(|number| format!(",\"{number:x}\":1")).collect();
        let bodies: Vec<(&str, Vec<u8>)> = vec![
            ("empty", b"".to_vec()),
            ("truncated", br#"{"product_type":"inco"#.to_vec()),
            ("byte order mark", b"\xEF\xBB\xBF{\"product_type\":\"income\"}".to_vec()),
            ("utf-16", "{\"product_type\":\"income\"}".encode_utf16().flat_map(u16::to_le_bytes).collect()),
            ("invalid utf-8", b"{\"product_type\":\"inc\xFFome\"}".to_vec()),
            ("lone surrogate", br#"{"product_type":"income","client_name":"\ud800"}"#.to_vec()),
            ("nul", br#"{"product_type":"income","client_name":"a\u0000b"}"#.to_vec()),
            ("raw nul", b"{\"product_type\":\"income\",\"client_name\":\"a\0b\"}".to_vec()),
            ("duplicate key", br#"{"product_type":"income","product_type":"employment"}"#.to_vec()),
            ("duplicate unknown key", br#"{"product_type":"income","x":1,"x":2}"#.to_vec()),
            ("1e999", br#"{"product_type":"income","x":1e999}"#.to_vec()),
            ("NaN", br#"{"product_type":"income","x":NaN}"#.to_vec()),
            ("array", br#"["income"]"#.to_vec()),
            ("scalar", b"1".to_vec()),
            ("null", b"null".to_vec()),
            ("string", b"\"income\"".to_vec()),
            ("trailing bytes", br#"{"product_type":"income"} x"#.to_vec()),
            ("two documents", br#"{"product_type":"income"}{"product_type":"income"}"#.to_vec()),
            ("keys without a product", format!("{{\"a\":1{many_keys}}}").into_bytes()),
            ("number", br#"{"product_type":9223372036854775808}"#.to_vec()),
            ("object", br#"{"product_type":{"a":1}}"#.to_vec()),
            ("bool", br#"{"product_type":true}"#.to_vec()),
        ];
        for (name, body) in bodies {
            let started = tokio::time::Instant::now();
            let reply = client.post_text("/v1/bridge-tokens/", "application/json", body).await;
            assert_eq!((reply.status, reply.code().as_str()), (StatusCode::BAD_REQUEST, "incorrect_parameters"), "{name}");
            // Far above what it takes; a body that hurts the parser takes minutes.
            assert!(started.elapsed().as_secs() < 30, "{name}");
        }
        // What is only unusual passes.
        for body in [
            r#"{"product_type":"income","x":-0}"#.to_owned(),
            r#"{"product_type":"income","x":9223372036854775808}"#.to_owned(),
            r#"{"product_type":"income","x":0.1234567890123456789012345678901234567890}"#.to_owned(),
            r#"{"product_type":"income","client_name":"💸 \u202e x"}"#.to_owned(),
            r#"{"product_type":"income","client_name":"' or 1=1; drop table links; -- {{7*7}} $(id) =1+1 <script>"}"#.to_owned(),
            json!({"product_type": "income", "tracking_info": "\u{301}".repeat(1000)}).to_string(),
        ] {
            let reply = client.post_text("/v1/bridge-tokens/", "application/json", body.clone()).await;
            assert_eq!(reply.status, StatusCode::OK, "{body}: {reply:?}");
        }
        for content_type in ["text/plain", "application/xml", "image/png", "application/octet-stream", "\u{1}"] {
            let Ok(value) = axum::http::HeaderValue::from_str(content_type) else { continue };
            let request = client.request(Method::POST, "/v1/bridge-tokens/").header("Content-Type", value);
            let reply = app.send(request.body(Body::from("{}")).unwrap()).await;
            assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
            assert!(reply.json()["detail"].is_string());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_strange_paths_and_methods_are_refused() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    for path in [
        "/v1//bridge-tokens/",
        "/v1/bridge-tokens//",
        "/v1/%2e%2e/",
        "/v1/bridge%2ftokens",
        "/v1/%00",
        "/v1",
        "/",
        "/v1/tasks/..",
        "//v1/providers/",
        "/V1/providers/",
        "/healthz",
        "/metrics",
        "/readyz",
    ] {
        let reply = client.get(path).await;
        assert_eq!(
            (reply.status, reply.text()),
            (StatusCode::NOT_FOUND, r#"{"detail":"Not Found."}"#),
            "{path}"
        );
    }
    for (method, path) in [
        (Method::GET, "/v1/bridge-tokens/"),
        (Method::DELETE, "/v1/bridge-tokens"),
        (Method::PUT, "/v1/providers/"),
        (Method::from_bytes(b"FROBNICATE").unwrap(), "/v1/providers/"),
        (Method::TRACE, "/v1/providers/"),
        (Method::POST, "/bridge.js"),
    ] {
        let reply = app.send(client.request(method.clone(), path).body(Body::empty()).unwrap()).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
        assert!(reply.json()["detail"].is_string());
        assert!(!reply.header("allow").is_empty(), "{method} {path}");
    }
    // Absolute form and a foreign Host do not matter: the path does, and links are made from our own setting.
    let request =
        client.request(Method::GET, "http://evil.test/v1/providers/adp").header("Host", "evil.test");
    let reply = app.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(reply.status, StatusCode::OK);
    assert!(!reply.text().contains("evil"));
}

/// Contract 1.2: each route in both forms, and never a redirect.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_route_answers_with_and_without_its_slash() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    // A third key is refused, and a second one would be made by the first of two equal calls only.
    app.key(client.id, citadel_domain::Environment::Sandbox).await;
    for (path, item) in app.get("/openapi.json").await.json()["paths"].as_object().unwrap() {
        let path = path.replace(['{', '}'], "");
        for method in item.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let send = async |path: &str| {
                let request = client.request(method.clone(), path).header("Content-Type", "application/json");
                app.send(request.body(Body::from("{}")).unwrap()).await
            };
            // A stream has no end to wait for; its refusal has.
            let query = if path.ends_with("/stream/") { "?after=x" } else { "" };
            let (with, without) = (
                send(&format!("{path}{query}")).await,
                send(&format!("{}{query}", path.trim_end_matches('/'))).await,
            );
            assert_eq!((with.status, &with.body), (without.status, &without.body), "{method} {path}");
            assert!(
                !with.status.is_redirection() && with.status != StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
        }
    }
    // The query stays where it is.
    let reply = client.get("/v1/company-mappings-search?query=Facebook").await;
    assert_eq!(reply.json()[0]["name"], "Facebook Demo");
}

/// P47: 300 failures made on purpose; no answer quotes a path, a query, a type, a host or a secret.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p47_errors_tell_the_caller_and_not_the_attacker() {
    const CANARY: &str = "canary-8f3a1c";
    const LEAKS: [&str; 14] = [
        "select ", "insert ", "sqlite", "postgres", "panicked", "src/", ".rs:", "stack", "thread '", "/home",
        "citadel_", "rusqlite", "axum", "serde",
    ];
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let bridge_token = client.bridge_token("income").await;
        let bodies = [
            json!({"product_type": CANARY}),
            json!({"product_type": {"x": CANARY}}),
            json!({"product_type": "income", "company_mapping_id": CANARY}),
            json!({"product_type": "income", "provider_id": CANARY, "client_name": [CANARY]}),
            json!({"public_token": CANARY}),
            json!({"public_token": {"x": CANARY}}),
            json!({"public_tokens": [CANARY]}),
            json!({"access_token": CANARY}),
            json!({"access_token": [CANARY]}),
            json!({"provider_id": CANARY, "login": {"username": CANARY, "password": CANARY}}),
            json!({"provider_id": "adp", "login": CANARY}),
            json!({"provider_id": "adp", "login": format!("x expected {CANARY}, expected {CANARY}")}),
            json!({"product_type": "income", "account": format!("x expected {CANARY}")}),
            json!({"provider_id": "adp", "login": {"username": [CANARY], "password": CANARY}}),
        ];
        let paths = [
            "/v1/bridge-tokens/",
            "/v1/link-access-tokens/",
            "/v1/access-tokens/",
            "/v1/verifications/incomes/",
            "/v1/verifications/employments/",
            "/bridge/api/tasks",
            "/v1/tasks/canary-8f3a1c/",
            "/v1/nowhere/",
            "/v1/providers/canary-8f3a1c/",
            "/v1/companies/canary-8f3a1c/",
        ];
        let mut failures = 0;
        let mut check = |reply: &Reply| {
            if reply.status.is_success() {
                return;
            }
            failures += 1;
            assert!(reply.status.is_client_error(), "{reply:?}");
            let text = reply.text().to_lowercase();
            assert!(!text.contains(CANARY), "an answer repeats what was sent: {reply:?}");
            assert!(!text.contains(&client.secret) && !text.contains(&bridge_token));
            for leak in LEAKS {
                assert!(!text.contains(leak), "{leak}: {reply:?}");
            }
        };
        for path in paths {
            for body in &bodies {
                let text = body.to_string();
                for sent in [text.clone(), text[..text.len() / 2].to_owned(), format!("[{text}]")] {
                    let request =
                        client.request(Method::POST, path).header("Content-Type", "application/json");
                    let request = request.header("Authorization", format!("Bearer {bridge_token}"));
                    check(&app.send(request.body(Body::from(sent)).unwrap()).await);
                }
            }
            check(&client.get(path).await);
        }
        assert!(failures >= 300, "{failures}");
    })
    .await;
}

/// P47: a fault inside is a plain 500 with a request id, and the process lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p47_a_fault_of_ours_is_a_plain_500() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("income").await;
        // Damage in storage: the sealed report is not what was written.
        app.app
            .db
            .write(async |tx| {
                tx.execute("update reports set body_sealed = $1", &[vec![1_u8, 2, 3].into()]).await
            })
            .await
            .unwrap();
        let reply = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(
            reply.json(),
            json!({"error": {"code": "error", "message": "Something went wrong here."}})
        );
        assert_eq!(reply.header("x-request-id").len(), 32);
        assert_eq!(client.get("/v1/providers/adp").await.status, StatusCode::OK);
    })
    .await;
}

/// A list is not an object whose fields lost their names.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_a_list_is_no_object() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let account = json!(["16002600", "checking", "123456789", "TD Bank"]);
    let of_token = json!({"product_type": "deposit_switch", "account": account});
    let reply = client.post("/v1/bridge-tokens/", of_token).await;
    assert_eq!((reply.status, reply.invalid_fields()), (StatusCode::BAD_REQUEST, vec!["account".to_owned()]));
    for employer in [json!(["Home Depot"]), json!([])] {
        let reply =
            client.post("/v1/orders/", json!({"products": ["income"], "employers": [employer]})).await;
        assert_eq!(reply.invalid_fields(), ["employers"], "{reply:?}");
    }
    let access_token = client.link("income").await;
    let settings = json!({"access_token": access_token, "settings": []});
    assert_eq!(client.post("/v1/refresh/tasks/", settings).await.invalid_fields(), ["settings"]);
}

/// P47: every call, while the tables are not there: nothing of the database's words comes out, and nothing has changed afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p47_a_database_that_fails_says_nothing() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let access_token = client.link("income").await;
        let tables = ["sandboxes", "links", "users", "orders", "templates", "webhooks", "webhook_events", "deliveries", "scenarios"];
        let rename = async |from: &'static str, to: &'static str| {
            for table in tables {
                let sql: &'static str = format!("alter table {table}{from} rename to {table}{to}").leak();
                app.app.db.write(async move |tx| tx.execute(sql, &[]).await.map(drop)).await.unwrap();
            }
        };
        rename("", "_away").await;
        let mut faults = 0;
        for (path, item) in app.get("/openapi.json").await.json()["paths"].as_object().unwrap() {
            let mut path = path.replace("{kind}", "income");
            while let Some((before, after)) = path.split_once('{') {
                path = format!("{before}{}{}", "0".repeat(32), after.split_once('}').unwrap().1);
            }
            for method in item.as_object().unwrap().keys().filter(|_| !path.ends_with("/stream/")) {
                let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
                let body = json!({"access_token": access_token, "product_type": "income", "first_name": "A", "last_name": "B",
                    "name": "x", "webhook_url": "http://127.0.0.1:9/", "env_type": "sandbox", "products": ["income"],
                    "public_token": "0".repeat(32), "order_number": "1", "advance": "P1D"});
                let request = client.request(method.clone(), &path).header("Content-Type", "application/json");
                let reply = app.send(request.body(body.to_string().into()).unwrap()).await;
                if reply.status.is_server_error() {
                    let plain = json!({"error": {"code": "error", "message": "Something went wrong here."}});
                    assert_eq!((reply.status, reply.json()), (StatusCode::INTERNAL_SERVER_ERROR, plain), "{method} {path}");
                    faults += 1;
                }
                assert!(!reply.text().contains("_away") && !reply.text().contains("no such"), "{method} {path}: {reply:?}");
            }
        }
        assert!(faults >= 40, "{faults}");
        rename("_away", "").await;
        let reply = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    })
    .await;
}

/// Q3: a body in chunks, whose length nobody told, over a real connection as one published client sends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_in_chunks_is_taken() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = app.router.clone();
    tokio::spawn(async move { axum::serve(listener, Shared::new(router)).await });
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /v1/users/ HTTP/1.1\r\nHost: {address}\r\nX-Access-Client-Id: {}\r\nX-Access-Secret: {}\r\n\
         Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        client.id, client.secret
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for part in [r#"{"first_name":"John","#, r#""last_name":"Johnson","email":"#, r#""j@example.com"}"#, ""] {
        stream.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    assert_eq!(client.get("/v1/users/").await.json()["results"][0]["email"], "j@example.com");
}
