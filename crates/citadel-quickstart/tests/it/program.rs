//! The program itself: what it prints, and how it refuses to start.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
};

use crate::double::{SECRET, http};

const GOOD: &str = "API_CLIENT_ID=48427a36d43c4d5aa6324bc06c692456\n\
    API_SECRET=sandbox-0123456789abcdef0123456789abcdef01234567\nAPI_PRODUCT_TYPE=income\n";

/// The program in an empty folder that holds this `.env`.
fn quickstart(name: &str, env_file: &str) -> Command {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a folder for the test");
    fs::write(folder.join(".env"), env_file).expect("a file for the test");
    let mut command = Command::new(env!("CARGO_BIN_EXE_quickstart"));
    command.current_dir(folder).env_clear().stdin(Stdio::null());
    command
}

fn refuse(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the program runs");
    assert_eq!(status.code(), Some(1));
    assert!(stdout.is_empty(), "a refusal prints no banner");
    String::from_utf8(stderr).expect("text")
}

#[test]
fn missing_values_are_all_named() {
    let text = refuse(quickstart("missing", include_str!("../../env.template")));
    assert!(
        text.contains(" - API_CLIENT_ID is missing") && text.contains(" - API_SECRET is missing"),
        "{text}"
    );
    assert!(!text.contains("API_PRODUCT_TYPE"), "{text}");
    let text = refuse(quickstart("empty", ""));
    assert_eq!(text.lines().filter(|line| line.starts_with(" - ")).count(), 3, "{text}");
}

#[test]
fn p58_a_broken_line_is_named_but_not_shown() {
    let text = refuse(quickstart("broken", "API_SECRET='canary\nAPI_CLIENT_ID=x\n"));
    assert!(text.contains("API_SECRET") && !text.contains("canary"), "{text}");
}

#[test]
fn a_taken_port_names_flask_port() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let text = refuse(quickstart("taken", &format!("{GOOD}FLASK_PORT={port}\n")));
    assert!(text.contains(&format!("port {port} is taken")) && text.contains("FLASK_PORT"), "{text}");
}

/// The program on a port of its own, up to its banner. Gives the banner too.
fn start(mut command: Command, port: u16) -> (Child, Vec<String>) {
    command.env("FLASK_PORT", port.to_string());
    let mut program =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
    let last = format!("Quickstart Loaded. Navigate to http://localhost:{port} to view Quickstart.");
    let mut shown = Vec::new();
    for line in BufReader::new(program.stdout.take().expect("piped")).lines() {
        shown.push(line.expect("text"));
        if shown.last() == Some(&last) {
            break;
        }
    }
    (program, shown)
}

fn end(mut program: Child) -> String {
    program.kill().expect("it runs");
    let output = program.wait_with_output().expect("it ended");
    String::from_utf8(output.stderr).expect("text")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

#[tokio::test]
async fn a_webhook_is_told_in_the_terminal_without_what_it_holds() {
    let port = free_port();
    let (program, _) = start(quickstart("webhook", GOOD), port);
    let send = async |signature: &str, body: &'static str| {
        let url = format!("http://127.0.0.1:{port}/webhook");
        let request = http().post(url).header("x-webhook-sign", signature).body(body);
        request.send().await.unwrap().status()
    };
    let body = r#"{"event_type":"task-status-updated","status":"done","link_id":"canary"}"#;
    let good = "v1=259c199a440074fc09d93f16b97dc13a85cb8064e21aa2325bf9157f149cfccf";
    assert_eq!(send(good, body).await, 200);
    assert_eq!(send("v1=00", "{\"event_type\":\"a\\n\\u001b[31mforged\",\"status\":7}").await, 200);
    assert_eq!(send(good, "canary").await, 400);

    let told = end(program);
    let told: Vec<&str> = told.lines().collect();
    assert_eq!(
        told,
        [
            "CITADEL: Webhook received",
            "CITADEL: Event type: task-status-updated",
            "CITADEL: Status: done",
            "CITADEL: Signatures match - true",
            "CITADEL: Webhook received",
            "CITADEL: Event type: a??[31mforged",
            "CITADEL: Status: none",
            "CITADEL: Signatures match - false",
            "CITADEL: Webhook refused: the body is not JSON",
        ]
    );
}

#[test]
fn p58_the_output_is_the_banner_and_no_secret() {
    let port = free_port();
    // Asked for, but a pipe is not a terminal. The environment wins over the file.
    let mut command = quickstart("banner", &format!("{GOOD}FLASK_PORT=1\n"));
    command.env("SHOW_SECRET", "1");
    let (program, shown) = start(command, port);
    let told = end(program);

    assert_eq!(
        shown,
        [
            "======================================== ENVIRONMENT ========================================",
            " {",
            r#"    "X-Access-Secret": "sandbox-…4567 (fingerprint 68c96e8b)","#,
            r#"    "X-Access-Client-Id": "48427a36d43c4d5aa6324bc06c692456","#,
            r#"    "Content-Type": "application/json;charset=UTF-8""#,
            "}",
            " ==============================================================================================",
            "",
            &format!("Quickstart Loaded. Navigate to http://localhost:{port} to view Quickstart."),
        ]
    );
    assert!(!told.contains(SECRET));
}
