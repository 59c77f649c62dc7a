//! `citadel serve --ephemeral`: a server that leaves nothing behind.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use crate::harness::{Home, finish, get, mode, signal, wait};

/// A server with its input held open, and what it printed until it was ready.
pub(crate) struct Ephemeral {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
    pub(crate) lines: Vec<String>,
}

impl Ephemeral {
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut lines: Vec<String> = Vec::new();
        while lines.last().is_none_or(|line| line != "CITADEL_READY=1") {
            let mut line = String::new();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "the server ended: {lines:?}");
            lines.push(line.trim_end().to_owned());
        }
        Self { stdin: child.stdin.take(), child, stdout, lines }
    }

    pub(crate) fn value(&self, name: &str) -> &str {
        let line = self.lines.iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{name} is missing: {:?}", self.lines))
    }

    /// Status and body of a call with the printed keys.
    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        let address = self.value("API_URL").trim_start_matches("http://").trim_end_matches("/v1/");
        let (id, secret) = (self.value("API_CLIENT_ID"), self.value("API_SECRET"));
        let headers = format!("X-Access-Client-Id: {id}\r\nX-Access-Secret: {secret}\r\n");
        get(address.parse().unwrap(), path, &headers)
    }

    /// Waits for its end, which must be a good one, and answers what else it printed.
    #[track_caller]
    fn ended(mut self) -> String {
        let status = wait(&mut self.child, Duration::from_secs(10)).expect("it ends by itself");
        assert!(status.success(), "{status:?}");
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        rest
    }
}

impl Drop for Ephemeral {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory for temporary files, in which everything that is left behind can be seen.
fn command(home: &Home, arguments: &[&str]) -> Command {
    fs::create_dir_all(home.path("tmp")).unwrap();
    let mut command = home.command(&[&["serve", "--ephemeral"], arguments].concat());
    command.env("TMPDIR", home.path("tmp")).env_remove("CITADEL_LISTEN").env_remove("CITADEL_METRICS_LISTEN");
    command
}

fn left_behind(home: &Home) -> Vec<String> {
    let entries = fs::read_dir(home.path("tmp")).unwrap().chain(fs::read_dir(&home.0).unwrap());
    entries
        .map(|entry| entry.unwrap().path().display().to_string())
        .filter(|path| !path.ends_with("/tmp"))
        .collect()
}

#[test]
fn what_is_printed_works_and_is_gone_with_the_standard_input() {
    let home = Home::new();
    let mut server = Ephemeral::start(&mut command(&home, &["--print-env", "--stop-with-stdin"]));
    let names: Vec<_> = server.lines.iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(names, ["API_URL", "BRIDGE_URL", "API_CLIENT_ID", "API_SECRET", "CITADEL_READY"]);
    assert!(server.value("API_SECRET").starts_with("sandbox-"), "{:?}", server.lines);
    let base = server.value("API_URL").strip_suffix("v1/").unwrap();
    assert!(base.starts_with("http://127.0.0.1:"), "{base}");
    assert_eq!(server.value("BRIDGE_URL"), format!("{base}bridge.js"));
    assert_eq!(server.get("/v1/providers/").0, 200);
    assert_eq!(server.get("/bridge.js").0, 200);

    let store = left_behind(&home);
    assert_eq!(store.len(), 1, "{store:?}");
    assert_eq!(mode(store[0].as_ref()), 0o700);
    drop(server.stdin.take());
    assert_eq!(server.ended(), "");
    assert_eq!(left_behind(&home), [""; 0]);
}

#[test]
fn a_signal_leaves_nothing_behind_either() {
    for name in ["TERM", "INT"] {
        let home = Home::new();
        // The input stays open: a read that waits for it must not hold up the end.
        let server = Ephemeral::start(&mut command(&home, &["--print-env", "--stop-with-stdin"]));
        signal(server.child.id(), name);
        server.ended();
        assert_eq!(left_behind(&home), [""; 0], "{name}");
    }
}

#[test]
fn without_stop_with_stdin_an_input_that_ends_is_no_reason_to_stop() {
    let home = Home::new();
    let mut server = Ephemeral::start(&mut command(&home, &["--print-env"]));
    drop(server.stdin.take());
    assert!(wait(&mut server.child, Duration::from_millis(300)).is_none());
    assert_eq!(server.get("/v1/providers/").0, 200);
}

#[test]
fn a_start_that_fails_leaves_nothing_behind() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = command(&home, &["--print-env"]);
    command.env("CITADEL_LISTEN", taken.local_addr().unwrap().to_string());
    finish(&mut command).failed_with(&["CITADEL_LISTEN", "in use"]);
    assert_eq!(left_behind(&home), [""; 0]);
}

#[test]
fn a_temporary_directory_that_does_not_do_is_told_with_its_variable() {
    let home = Home::new();
    let long = home.path(&"x".repeat(100));
    fs::create_dir(&long).unwrap();
    for path in [&long, &home.path("missing")] {
        let mut command = command(&home, &["--print-env"]);
        finish(command.env("TMPDIR", path)).failed_with(&["TMPDIR"]);
    }
    assert_eq!(fs::read_dir(&long).unwrap().count(), 0);
}

#[test]
fn nothing_of_another_server_is_used() {
    let home = Home::new();
    home.write("citadel.toml", "listne = \"a file that would stop the start\"");
    let mut command = command(&home, &["--print-env", "--stop-with-stdin"]);
    command.env("CITADEL_DATA_DIR", home.path("data")).env("CITADEL_PROFILE", "production");
    command.env("CITADEL_PUBLIC_URL", "https://citadel.example.com");
    let first = Ephemeral::start(&mut command);
    let second = Ephemeral::start(&mut command);
    assert_ne!(first.value("API_URL"), second.value("API_URL"));
    assert_ne!(first.value("API_SECRET"), second.value("API_SECRET"));
    assert_eq!(first.get("/v1/providers/").0, 200);
    assert!(!home.path("data").exists());
}

#[test]
fn it_listens_where_it_is_told_to() {
    let home = Home::new();
    let mut command = command(&home, &["--print-env", "--stop-with-stdin"]);
    command.env("CITADEL_LISTEN", "0.0.0.0:0").env("CITADEL_PUBLIC_URL", "http://citadel.test:8700");
    let server = Ephemeral::start(&mut command);
    assert_eq!(server.value("API_URL"), "http://citadel.test:8700/v1/");
    assert_eq!(server.value("BRIDGE_URL"), "http://citadel.test:8700/bridge.js");
}

#[test]
fn wrong_combinations_are_exit_code_2() {
    let home = Home::new();
    let check = |command: &mut Command, said: &str| {
        let finished = finish(command);
        assert_eq!(finished.code, 2, "{finished:?}");
        assert!(finished.stderr.contains(said), "{said}: {finished:?}");
        assert_eq!(finished.stdout, "");
    };
    check(&mut home.command(&["serve", "--print-env"]), "--ephemeral");
    check(&mut home.command(&["serve", "--stop-with-stdin"]), "--ephemeral");
    check(&mut home.command(&["--config", "citadel.toml", "serve", "--ephemeral"]), "--config");
    let mut on_postgres = command(&home, &["--print-env"]);
    check(on_postgres.env("CITADEL_DATABASE_URL", "postgres://127.0.0.1/citadel"), "CITADEL_DATABASE_URL");
    assert_eq!(left_behind(&home), [""; 0]);
}
