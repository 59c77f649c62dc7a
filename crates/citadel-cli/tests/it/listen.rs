//! `citadel listen`, between a real server and a program that writes down what it gets.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, ChildStdout, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use citadel_sdk::webhooks::{Verifier, verify_citadel_signature};
use serde_json::{Value, json};

use crate::harness::{Home, Server, finish, free_address, signal, wait};

/// A request as it came over the wire.
struct Raw {
    head: String,
    body: Vec<u8>,
}

impl Raw {
    fn header(&self, name: &str) -> &str {
        let line =
            self.head.lines().find(|line| line.to_lowercase().starts_with(&format!("{name}:"))).unwrap();
        line.split_once(':').unwrap().1.trim()
    }
}

/// A program that answers 200 to everything.
fn receiver() -> (SocketAddr, mpsc::Receiver<Raw>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if stream.read_line(&mut head).unwrap() == 0 {
                    return;
                }
            }
            let mut raw = Raw { head, body: Vec::new() };
            raw.body = vec![0; raw.header("content-length").parse().unwrap()];
            stream.read_exact(&mut raw.body).unwrap();
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            stream.get_mut().write_all(answer).unwrap();
            send.send(raw).unwrap();
        }
    });
    (address, receive)
}

struct Listening {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Listening {
    fn start(home: &Home, arguments: &[&str], api: SocketAddr) -> Self {
        let mut command = home.command(&[&["listen"], arguments].concat());
        command.env("API_URL", format!("http://{api}/v1/"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn sign_in(server: &Server, keys: &Value) {
    let citadel = citadel_sdk::Citadel::builder(
        format!("http://{}", server.api),
        keys["client_id"].as_str().unwrap(),
        keys["sandbox"].as_str().unwrap(),
    )
    .build()
    .unwrap();
    let token = citadel.create_bridge_token(&citadel_sdk::CreateBridgeToken::new("income")).await.unwrap();
    let login = json!({"provider_id": "adp", "login": {"username": "nobody", "password": "wrong"}});
    let http = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let url = format!("http://{}/bridge/api/tasks", server.api);
    let reply = http.post(url).bearer_auth(token.bridge_token.expose()).json(&login).send().await.unwrap();
    assert!(reply.status().is_success());
}

fn write_env(home: &Home, keys: &Value) {
    let text = format!(
        "API_CLIENT_ID={}\nAPI_SECRET={}\n",
        keys["client_id"].as_str().unwrap(),
        keys["sandbox"].as_str().unwrap()
    );
    home.write_private(".env", &text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_are_passed_on_byte_for_byte_and_resumed_after_a_restart() {
    let home = Home::new();
    let api = free_address();
    let start = || {
        let mut command = home.command(&["serve"]);
        Server::start(command.env("CITADEL_LISTEN", api.to_string()), &home.path("log"))
    };
    let mut server = start();
    let keys = home.run(&["client", "create", "--name", "demo", "--json"]).succeeded().json();
    write_env(&home, &keys);
    let (target, received) = receiver();
    let forward_to = format!("http://{target}/webhook?a=b");
    let mut listening = Listening::start(&home, &["--forward-to", &forward_to, "--print-secret"], api);
    assert_eq!(listening.line(), format!("Listening. Events go to {forward_to}. Ctrl-C stops."));
    let secret = listening.line().rsplit_once(' ').unwrap().1.to_owned();

    sign_in(&server, &keys).await;
    let verifier = Verifier::new([secret.as_str()]).unwrap();
    let check = |raw: &Raw| {
        assert!(raw.head.starts_with("POST /webhook?a=b HTTP/1.1\r\n"), "{}", raw.head);
        assert_eq!(raw.header("content-type"), "application/json");
        assert_eq!(raw.header("user-agent"), "Truv-Webhook-Service/2.0");
        let access_secret = keys["sandbox"].as_str().unwrap();
        assert_eq!(verify_citadel_signature(access_secret, raw.header("x-webhook-sign"), &raw.body), Ok(()));
        let verified = verifier.verify_now(
            raw.header("webhook-id"),
            raw.header("webhook-timestamp"),
            raw.header("webhook-signature"),
            &raw.body,
        );
        assert_eq!(verified, Ok(()));
        serde_json::from_slice::<Value>(&raw.body).unwrap()["status"].as_str().unwrap().to_owned()
    };
    let take = || check(&received.recv_timeout(Duration::from_secs(20)).unwrap());
    assert_eq!([take(), take(), take()], ["new", "login", "login_error"]);
    let lines = [listening.line(), listening.line(), listening.line()];
    assert_eq!(lines[2], "3  task-status-updated  login_error  -> 200");

    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let server = start();
    sign_in(&server, &keys).await;
    assert_eq!([take(), take(), take()], ["new", "login", "login_error"]);

    signal(listening.child.id(), "INT");
    assert_eq!(wait(&mut listening.child, Duration::from_secs(5)).unwrap().code(), Some(0));

    // Everything again, to a program that is not there.
    let nobody = format!("http://{}/", free_address());
    let mut listening = Listening::start(&home, &["--forward-to", &nobody, "--after", "0"], api);
    listening.line();
    assert_eq!(listening.line(), format!("1  task-status-updated  new  -> {nobody} cannot be reached"));
    // A stop ends open streams at once.
    assert!(server.stop().success());
}

#[test]
fn what_is_wrong_is_said_with_the_fix() {
    let home = Home::new();
    let to = ["--forward-to", "http://localhost:5001/webhook"];
    let listen = |arguments: &[&str]| home.run(&[&["listen"], arguments].concat());
    listen(&to).failed_with(&["API_CLIENT_ID and API_SECRET are not set", "citadel client create"]);
    listen(&["--forward-to", "localhost:5001"]).failed_with(&["--forward-to is not an address"]);
    let keys = json!({"client_id": "0190163d8694739bbe8c0a6b8d2b9a3e", "sandbox": format!("sandbox-{}", "0".repeat(40))});
    write_env(&home, &keys);
    let mut command = home.command(&[&["listen"], &to[..]].concat());
    finish(command.env("API_URL", format!("http://{}/v1/", free_address())))
        .failed_with(&["cannot be reached", "citadel serve"]);
    let server = home.serve();
    let mut command = home.command(&[&["listen"], &to[..]].concat());
    finish(command.env("API_URL", format!("http://{}", server.api)))
        .failed_with(&["401", "does not know API_CLIENT_ID"]);
}
