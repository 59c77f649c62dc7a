//! Traces, as a collector gets them.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    thread,
};

use serde_json::Value;

use crate::{ephemeral::Ephemeral, harness::Home};

/// Takes one message of a collector and answers it.
fn take(stream: TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    reader.read_line(&mut request).unwrap();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().unwrap()
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    reader.get_mut().write_all(answer).unwrap();
    (request, serde_json::from_slice(&body).unwrap())
}

/// The answer to a call with the printed keys.
fn post(server: &Ephemeral, path: &str, body: &str) -> Value {
    let address = server.value("API_URL").trim_start_matches("http://").trim_end_matches("/v1/");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nX-Access-Client-Id: {}\r\n\
         X-Access-Secret: {}\r\nContent-Length: {}\r\n\r\n{body}",
        server.value("API_CLIENT_ID"),
        server.value("API_SECRET"),
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn spans(message: &Value) -> impl Iterator<Item = &Value> {
    message["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().iter()
}

fn attribute<'a>(span: &'a Value, name: &str) -> &'a Value {
    let attributes = span["attributes"].as_array().unwrap();
    attributes.iter().find(|attribute| attribute["key"] == name).map_or(&Value::Null, |found| &found["value"])
}

#[test]
fn p59_requests_and_jobs_are_traced_without_what_people_typed() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = collector.local_addr().unwrap();
    let (sender, messages) = mpsc::channel();
    thread::spawn(move || {
        for stream in collector.incoming() {
            if sender.send(take(stream.unwrap())).is_err() {
                break;
            }
        }
    });

    let home = Home::new();
    let mut command = home.command(&["serve", "--ephemeral", "--print-env"]);
    command.env("CITADEL_OTLP_ENDPOINT", format!("http://{address}")).env("CITADEL_LOG", "error");
    command.env("TMPDIR", &home.0);
    let server = Ephemeral::start(&mut command);
    let bridge = post(&server, "/v1/bridge-tokens/", r#"{"product_type": "income"}"#);
    let login = format!(
        r#"{{"bridge_token": "{}", "provider_id": "adp", "username": "goodlogin", "password": "goodpassword"}}"#,
        bridge["bridge_token"].as_str().unwrap()
    );
    assert_eq!(post(&server, "/v1/sandbox/public-tokens/", &login)["status"], "done");
    let secret = server.value("API_SECRET").to_owned();

    let (mut found, mut all) = (Vec::new(), String::new());
    let is_there = |found: &[Value], name: &str| found.iter().any(|span| span["name"] == name);
    let wanted = ["POST /v1/bridge-tokens/", "POST /v1/sandbox/public-tokens/", "job run_task"];
    while !wanted.iter().all(|name| is_there(&found, name)) {
        let (request, message) = messages.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
        assert!(request.starts_with("POST /v1/traces HTTP/1.1"), "{request}");
        all += &message.to_string();
        found.extend(spans(&message).cloned());
    }
    let span = found.iter().find(|span| span["name"] == wanted[0]).unwrap();
    assert_eq!(span["traceId"], attribute(span, "request.id")["stringValue"], "a request is found by its id");
    assert_eq!((span["traceId"].as_str().unwrap().len(), span["spanId"].as_str().unwrap().len()), (32, 16));
    assert_eq!(attribute(span, "http.status")["intValue"], "200");
    let at = |end: &str| span[end].as_str().unwrap().parse::<u64>().unwrap();
    assert!(at("startTimeUnixNano") <= at("endTimeUnixNano"));
    let bridge_token = bridge["bridge_token"].as_str().unwrap();
    for typed in ["goodlogin", "goodpassword", secret.as_str(), bridge_token, "991919991", "Doe"] {
        assert!(!all.contains(typed), "{typed} is in a trace: {all}");
    }
}
