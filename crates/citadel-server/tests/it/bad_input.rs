//! The list "Bad input" (P48), as far as it can be generated from the API document: every call, every field. Bodies, paths and
//! methods by hand are in `http_surface.rs`.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    child::ServerChild,
    support::{Reply, TestApp, account, for_each_db},
};

/// What people and programs send when they should not.
const HOSTILE: [&str; 14] = [
    "' or 1=1; drop table links; --",
    "%_%\\",
    "$(id) `id` ; rm -rf /",
    "{{7*7}} ${7*7} <%= 7 %>",
    "=1+1 @cmd",
    "<script>alert(1)</script>",
    "a\r\nX-Injected: 1",
    "\u{1b}[2J\u{7}",
    "\u{202e}\u{200f}\u{2066}x",
    "👩\u{200d}👩\u{200d}👧\u{200d}👦",
    "../../../../etc/passwd",
    "\u{feff}x",
    "-1",
    "99999999999999999999999999",
];

/// Never a fault of ours; and a refusal has the shape of the contract and does not repeat what was sent.
fn check(reply: &Reply, what: &str) {
    assert!(!reply.status.is_server_error(), "{what}: {reply:?}");
    if reply.status.is_client_error() {
        let json = reply.json();
        assert!(json["error"]["code"].is_string() || json["detail"].is_string(), "{what}: {reply:?}");
        assert!(!reply.text().contains("drop table"), "{what}: {reply:?}");
    }
    assert!(reply.header("x-injected").is_empty(), "{what}");
}

/// Every call of the API document: method, path, and the call itself.
fn calls(document: &Value) -> Vec<(Method, String, Value)> {
    let mut calls = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, call) in item.as_object().unwrap() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            calls.push((method, path.clone(), call.clone()));
        }
    }
    assert!(calls.len() > 80, "{}", calls.len());
    calls
}

/// The path with something in the place of its ids.
fn filled(path: &str, id: &str) -> String {
    let mut filled = String::new();
    for part in path.split_inclusive('/') {
        match part.strip_prefix('{') {
            Some("kind}/") => filled.push_str("income/"),
            Some(_) => filled.push_str(&format!("{id}/")),
            None => filled.push_str(part),
        }
    }
    filled
}

/// The schema that a call's body has.
fn properties(document: &Value, call: &Value) -> Vec<String> {
    let schema = &call["requestBody"]["content"]["application/json"]["schema"];
    let name = schema["$ref"].as_str().and_then(|text| text.rsplit('/').next()).unwrap_or_default();
    let properties = document["components"]["schemas"][name]["properties"].as_object();
    properties.map(|properties| properties.keys().cloned().collect()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_no_call_takes_a_body_that_can_be_read_in_two_ways() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let document = app.get("/openapi.json").await.json();
    let deep = format!("{{\"x\":{}{}}}", "[".repeat(40), "]".repeat(40));
    let bodies: [(&str, &[u8]); 12] = [
        ("truncated", b"{\"a\":"),
        ("byte order mark", b"\xEF\xBB\xBF{}"),
        ("utf-16", b"{\0}\0"),
        ("invalid utf-8", b"{\"a\":\"\xFF\"}"),
        ("lone surrogate", br#"{"a":"\udc00"}"#),
        ("nul", br#"{"a":"\u0000"}"#),
        ("a key twice", br#"{"a":1,"a":1}"#),
        ("too large a number", br#"{"a":1e999}"#),
        ("an array", b"[]"),
        ("a scalar", b"0"),
        ("bytes after the end", b"{}{}"),
        ("too deep", deep.as_bytes()),
    ];
    let mut seen = 0;
    for (method, path, call) in calls(&document) {
        if call["requestBody"].is_null() {
            continue;
        }
        for (name, body) in bodies {
            let request = client.request(method.clone(), &filled(&path, &"0".repeat(32)));
            let request = request.header("Content-Type", "application/json").body(body.to_vec().into());
            let reply = app.send(request.unwrap()).await;
            check(&reply, &format!("{method} {path}: {name}"));
            assert!(reply.status.is_client_error(), "{method} {path}: {name}: {reply:?}");
        }
        seen += 1;
    }
    assert!(seen >= 25, "{seen}");
}

/// Every field of every body with every kind of value; every parameter of every address with hostile ones.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_a_wrong_value_in_any_field_is_no_fault() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let document = app.get("/openapi.json").await.json();
        let mut values = vec![
            json!(null),
            json!(""),
            json!(true),
            json!(-1),
            json!(9_223_372_036_854_775_808_u64),
            json!(1.5),
            json!([]),
            json!([[]]),
            json!([null, 1, "x"]),
            json!({}),
            json!({"a": {"b": 1}}),
        ];
        values.extend(HOSTILE.map(|text| json!(text)));
        let (mut fields, mut parameters) = (0, 0);
        for (method, path, call) in calls(&document) {
            let path = filled(&path, &"0".repeat(32));
            for field in properties(&document, &call) {
                for value in &values {
                    let body = json!({field.clone(): value});
                    let request =
                        client.request(method.clone(), &path).header("Content-Type", "application/json");
                    let reply = app.send(request.body(body.to_string().into()).unwrap()).await;
                    check(&reply, &format!("{method} {path} {body}"));
                }
                fields += 1;
            }
            let queries = call["parameters"].as_array().into_iter().flatten();
            // A stream has no end to wait for.
            for parameter in
                queries.filter(|parameter| parameter["in"] == "query" && !path.ends_with("/stream/"))
            {
                let name = parameter["name"].as_str().unwrap();
                for value in HOSTILE.into_iter().chain([
                    "",
                    "0",
                    "1.5",
                    "0000-00-00",
                    "2023-02-29",
                    "9999-12-31T23:59:59Z",
                ]) {
                    let query =
                        form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
                    let request =
                        client.request(method.clone(), &format!("{path}?{query}")).body(Vec::new().into());
                    check(&app.send(request.unwrap()).await, &format!("{method} {path}?{query}"));
                }
                parameters += 1;
            }
        }
        assert!(fields >= 80 && parameters >= 40, "{fields} fields, {parameters} parameters");
    })
    .await;
}

/// Whatever is no id of the caller's is the same 404.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_what_is_no_id_is_not_found() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let user_id = client.user("ada").await;
    let long = "a".repeat(4000);
    let ids = [
        &user_id[..31],
        &format!("{user_id}0"),
        &user_id.to_uppercase(),
        "x",
        "-1",
        "%00",
        "%2e%2e%2f",
        "%F0%9F%92%B8",
        "%E2%80%AE",
        "'%20or%201=1",
        "%0d%0aX-Injected:%201",
        &long,
    ];
    assert!(user_id.bytes().any(|byte| byte.is_ascii_lowercase()), "capitals would be the same");
    assert_eq!(client.get(&format!("/v1/users/{user_id}/")).await.status, StatusCode::OK);
    let mut seen = 0;
    for (method, path, _) in calls(&app.get("/openapi.json").await.json()) {
        if !path.replace("{kind}", "").contains('{') {
            continue;
        }
        for id in ids {
            let request =
                client.request(method.clone(), &filled(&path, id)).header("Content-Type", "application/json");
            let reply = app.send(request.body("{}".into()).unwrap()).await;
            check(&reply, &format!("{method} {path} {id:.40}"));
            let is_refused = matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::BAD_REQUEST);
            assert!(is_refused, "{method} {path} {id:.40}: {reply:?}");
            assert!(
                method != Method::GET || reply.status == StatusCode::NOT_FOUND,
                "{path} {id:.40}: {reply:?}"
            );
        }
        seen += 1;
    }
    assert!(seen >= 40, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_pages_that_are_not_there() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    client.link("income").await;
    let mut seen = 0;
    for (_, path, call) in calls(&app.get("/openapi.json").await.json()) {
        let is_page = |parameter: &Value| parameter["name"] == "page" && parameter["in"] == "query";
        if path.contains('{') || !call["parameters"].as_array().is_some_and(|all| all.iter().any(is_page)) {
            continue;
        }
        for (page, expected) in [
            ("1", StatusCode::OK),
            ("0", StatusCode::BAD_REQUEST),
            ("-1", StatusCode::BAD_REQUEST),
            ("1.5", StatusCode::BAD_REQUEST),
            ("x", StatusCode::BAD_REQUEST),
            ("99999999999999999999", StatusCode::BAD_REQUEST),
            ("1000000000", StatusCode::NOT_FOUND),
        ] {
            let reply = client.get(&format!("{path}?page={page}")).await;
            check(&reply, &path);
            assert_eq!(reply.status, expected, "{path}?page={page}: {reply:?}");
        }
        for size in ["0", "-1", "x"] {
            let reply = client.get(&format!("{path}?page_size={size}")).await;
            assert_eq!(
                (reply.status, reply.invalid_fields()),
                (StatusCode::BAD_REQUEST, vec!["page_size".to_owned()]),
                "{path}"
            );
        }
        assert_eq!(
            client.get(&format!("{path}?page_size=1000000000")).await.status,
            StatusCode::OK,
            "{path}"
        );
        seen += 1;
    }
    assert!(seen >= 7, "{seen}");
}

/// Dates, accounts, shares, amounts: each refused with its field, and nothing is made.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_bad_fields_are_refused_by_name() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        let (admin, fas) = (client.link("admin").await, client.link("fas").await);
        let refused = async |path: &str, body: Value, field: &str| {
            let reply = client.post(path, body.clone()).await;
            assert_eq!(
                (reply.status, reply.invalid_fields()),
                (StatusCode::BAD_REQUEST, vec![field.to_owned()]),
                "{body}"
            );
        };
        for (from, to, field) in [
            ("0000-00-00", "2026-01-01", "start_date"),
            ("2023-02-29", "2026-01-01", "start_date"),
            ("2026-01-01", "2026-13-01", "end_date"),
            ("2026-1-1", "2026-02-01", "start_date"),
            ("2026-01-01T00:00:00Z", "2026-02-01", "start_date"),
            ("20260101", "2026-02-01", "start_date"),
            ("2026-02-02", "2026-02-01", "start_date"),
            ("10000-01-01", "2026-02-01", "start_date"),
        ] {
            let body = json!({"access_token": admin, "start_date": from, "end_date": to});
            refused("/v1/administrators/payrolls/", body, field).await;
        }
        // The last year that there is holds no statements, and is no fault.
        let body = json!({"access_token": admin, "start_date": "9999-01-01", "end_date": "9999-12-31"});
        check(&client.post("/v1/administrators/payrolls/", body).await, "9999");

        let (forty, marks) = ("1".repeat(40), "e".to_owned() + &"\u{301}".repeat(100_000));
        for (field, value) in [
            ("account_number", json!("")),
            ("account_number", json!("12ab")),
            ("account_number", json!("１２３４")),
            ("account_number", json!(forty)),
            ("account_number", json!(null)),
            ("routing_number", json!("x")),
            ("account_type", json!("cheque")),
            ("bank_name", json!(marks)),
            ("deposit_value", json!("0")),
            ("deposit_value", json!("-1")),
            ("deposit_value", json!("1000000000000")),
            ("deposit_value", json!("1e999")),
            ("deposit_value", json!("NaN")),
            ("deposit_value", json!("0.001")),
        ] {
            let mut sent = account("pll");
            sent[field] = value;
            refused(
                "/v1/bridge-tokens/",
                json!({"product_type": "pll", "account": sent}),
                &format!("account.{field}"),
            )
            .await;
        }
        for value in ["0", "-5", "100.01", "x"] {
            let mut sent = account("pll");
            (sent["deposit_type"], sent["deposit_value"]) = (json!("percent"), json!(value));
            refused(
                "/v1/bridge-tokens/",
                json!({"product_type": "pll", "account": sent}),
                "account.deposit_value",
            )
            .await;
        }
        for amounts in [
            json!([]),
            json!(["0.1"]),
            json!(["0.1", "0.2", "0.1"]),
            json!(["0", "0.1"]),
            json!(["0.1", "0.21"]),
            json!(["0.101", "0.1"]),
        ] {
            let body =
                json!({"access_token": fas, "product_type": "fas", "settings": {"micro_deposits": amounts}});
            refused("/v1/refresh/tasks/", body, "settings.micro_deposits").await;
        }
        for (path, base) in [
            ("/v1/users/", json!({"first_name": "Ada", "last_name": "Lane"})),
            ("/v1/bridge-tokens/", json!({"product_type": "income"})),
            ("/v1/orders/", json!({"products": ["income"]})),
        ] {
            for field in ["first_name", "last_name", "client_name", "tracking_info", "order_number", "notes"]
            {
                let mut body = base.clone();
                body[field] = json!(marks);
                check(&client.post(path, body).await, &format!("{path} {field}"));
            }
        }
    })
    .await;
}

/// Calls in an order that makes no sense.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_calls_out_of_order_change_nothing() {
    for_each_db(async |app| {
        let client = app.client("acme").await;
        // A public token before the task has succeeded, an answer that nobody asked for, twice, and after the end.
        let bridge_token = client.bridge_token("income").await;
        let task_id = app.sign_in(&bridge_token, "goodlogin", "mfa").await;
        let (ask, answer) = (format!("/tasks/{task_id}/public-token"), format!("/tasks/{task_id}/answer"));
        let code = Some(json!({"answer": "12345"}));
        let widget = async |path: &str, body: Option<Value>| {
            let reply = app.widget(Method::POST, path, &bridge_token, body).await;
            check(&reply, path);
            reply.status
        };
        assert_eq!(widget(&ask, None).await, StatusCode::CONFLICT);
        assert!(widget(&answer, code.clone()).await.is_client_error());
        app.run_jobs().await;
        assert_eq!(app.task(&bridge_token, &task_id).await["status"], "mfa");
        assert_eq!(widget(&ask, None).await, StatusCode::CONFLICT);
        assert!(widget(&answer, code.clone()).await.is_success());
        widget(&answer, code.clone()).await;
        app.run_jobs().await;
        assert_eq!(app.task(&bridge_token, &task_id).await["status"], "done");
        assert!(widget(&answer, Some(json!({"answer": "wrong"}))).await.is_client_error());
        app.run_jobs().await;
        assert_eq!(app.task(&bridge_token, &task_id).await["status"], "done");

        // Two widgets on one token: each has its task, and both end.
        let (one, two) = (
            app.sign_in(&bridge_token, "goodlogin", "goodpassword").await,
            app.sign_in(&bridge_token, "goodlogin", "goodpassword").await,
        );
        app.run_jobs().await;
        for task in [&one, &two] {
            assert_eq!(app.task(&bridge_token, task).await["status"], "done");
        }

        // A deleted link is read again, and repaired.
        let public_token = app.public_token(&bridge_token, &one).await;
        let link = client.exchange(&public_token).await.json();
        let path = format!("/v1/links/{}/", link["link_id"].as_str().unwrap());
        assert_eq!(client.delete(&path).await.status, StatusCode::NO_CONTENT);
        for (path, body) in [
            ("/v1/refresh/tasks/", json!({"access_token": link["access_token"]})),
            ("/v1/bridge-tokens/", json!({"product_type": "income", "access_token": link["access_token"]})),
            ("/v1/link-access-tokens/", json!({"public_token": public_token})),
        ] {
            let reply = client.post(path, body).await;
            check(&reply, path);
            assert!(matches!(reply.status, StatusCode::NOT_FOUND | StatusCode::GONE), "{path}: {reply:?}");
        }

        // A webhook that points at this server.
        for url in ["http://127.0.0.1:8700/v1/", "http://localhost:8702/metrics"] {
            let body = json!({"name": "Own", "webhook_url": url, "env_type": "sandbox"});
            let reply = client.post("/v1/webhooks/", body).await;
            assert_eq!(
                (reply.status, reply.invalid_fields()),
                (StatusCode::BAD_REQUEST, vec!["webhook_url".to_owned()]),
                "{url}"
            );
        }

        // A widget that goes on after its token has aged.
        let late = client.bridge_token("income").await;
        let begun = app.sign_in(&late, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        app.advance(6 * 3600);
        let reply = app.widget(Method::POST, &format!("/tasks/{begun}/public-token"), &late, None).await;
        assert_eq!((reply.status, reply.code().as_str()), (StatusCode::GONE, "expired_token"));
        let login =
            json!({"provider_id": "adp", "login": {"username": "goodlogin", "password": "goodpassword"}});
        assert_eq!(app.widget(Method::POST, "/tasks", &late, Some(login)).await.status, StatusCode::GONE);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_forms_with_paths_and_ranges_of_nothing() {
    let app = TestApp::on_sqlite().await;
    let client = app.client("acme").await;
    let form = "--x\r\nContent-Disposition: form-data; name=\"product_type\"; filename=\"../../etc/passwd\"\r\n\r\nincome\r\n--x--\r\n";
    let reply = client.post_text("/v1/bridge-tokens/", "multipart/form-data; boundary=x", form).await;
    check(&reply, "a path as file name");
    for broken in [
        "",
        "--x",
        "--x\r\n\r\n",
        "--x\r\nContent-Disposition: form-data\r\n\r\nincome\r\n--x--\r\n",
        "--y--\r\n",
    ] {
        let reply = client.post_text("/v1/bridge-tokens/", "multipart/form-data; boundary=x", broken).await;
        check(&reply, broken);
        assert!(reply.status.is_client_error(), "{broken}: {reply:?}");
    }
    let many = format!("bytes={}", vec!["0-"; 1000].join(","));
    for path in ["/bridge.js", "/v1/providers/", "/openapi.json"] {
        let whole = client.get(path).await;
        for range in ["bytes=0-0", "bytes=-1", "bytes=5-1", "bytes=99999999999999999999-", "lines=1-2", &many]
        {
            let request = client.request(Method::GET, path).header("Range", range).body(Vec::new().into());
            let reply = app.send(request.unwrap()).await;
            assert_eq!(
                (reply.status, reply.body.len()),
                (StatusCode::OK, whole.body.len()),
                "{path} {range:.20}"
            );
        }
    }
}

/// What a socket says to one request.
fn raw(address: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    // Longer than any limit of the server: what it does not answer, it ends.
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Requests that two servers in a row could cut in two ways: answered with a 4xx, or with the end of the connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p48_requests_that_can_be_cut_in_two_ways_are_refused() {
    let mut server = ServerChild::new("raw");
    let address = server.start().await;
    let post = "POST /v1/bridge-tokens/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    let smuggled = "GET /v1/providers/ HTTP/1.1\r\nHost: a\r\n\r\n";
    for head in [
        format!("{post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n{smuggled}"),
        format!("{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}{smuggled}"),
        format!("{post}Content-Length: +2\r\n\r\n{{}}"),
        format!("{post}Content-Length: -1\r\n\r\n{{}}"),
        format!("{post}Content-Length: 99999999999999999999999\r\n\r\n{{}}"),
        format!("{post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nxyz\r\n{{}}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{{}}\r\n0\r\n\r\n"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\n2;{}\r\n{{}}\r\n0\r\n\r\n", "a".repeat(64 << 10)),
        format!("{post}X-Access-Secret: a\rX-Injected: 1\r\n\r\n"),
        format!("{post}X-Bad: a\0b\r\n\r\n"),
        format!("{post} X-Folded: a\r\n\r\n"),
        format!("{post}X Bad: a\r\n\r\n"),
        format!("{post}Expect: 200-maybe\r\nContent-Length: 2\r\n\r\n{{}}"),
        format!("{post}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{{}}"),
    ] {
        let answer = raw(address, head.as_bytes());
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 100"),
            "{head:.150}: {answer:.200}"
        );
        assert!(answer.matches("HTTP/1.1 2").count() == 0, "{head:.150}: {answer:.200}");
        assert!(answer.matches("HTTP/1.1 4").count() <= 1, "answered twice: {head:.150}: {answer:.300}");
    }
    let alive = raw(address, b"GET /v1/nothing/ HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n");
    assert!(alive.starts_with("HTTP/1.1 404") && !alive.contains("evil"), "{alive}");
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
