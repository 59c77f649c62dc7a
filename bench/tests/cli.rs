//! The command as people run it, where something is wrong: it says what, fails, and leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

/// A directory to run in.
struct Place(TempDir);

impl Place {
    fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        fs::create_dir(place.path("tmp")).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A server that is none: its process writes its number first.
    fn server(&self, script: &str) -> PathBuf {
        let number = self.path("pid");
        let path = self.write("server", &format!("#!/bin/sh\necho $$ > '{}'\n{script}\n", number.display()));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_citadel-bench"));
        command
            .args(arguments)
            .current_dir(self.0.path())
            .env("TMPDIR", self.path("tmp"))
            .env_remove("CITADEL_DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the bench, and looks for what it leaves.
    fn run(&self, arguments: &[&str]) -> Output {
        self.finish(self.command(arguments).spawn().unwrap())
    }

    fn finish(&self, child: Child) -> Output {
        let output = child.wait_with_output().unwrap();
        let left: Vec<_> =
            fs::read_dir(self.path("tmp")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(left, Vec::<PathBuf>::new(), "something is left on disk");
        if let Ok(pid) = fs::read_to_string(self.path("pid")) {
            assert!(!Path::new("/proc").join(pid.trim()).exists(), "the server still runs");
        }
        output
    }

    fn fails(&self, arguments: &[&str], expected: &[&str]) {
        failed_with(&self.run(arguments), expected);
    }
}

fn failed_with(output: &Output, expected: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it did not fail; it said: {said}");
    assert!(output.status.code().is_some_and(|code| code < 100), "{}: {said}", output.status);
    for expected in expected {
        assert!(said.contains(expected), "no {expected:?} in: {said}");
    }
}

const F1: &str = r#"{"name":"F1","unit":"ratio","value":0.6,"min":0.6,"max":0.6,"rounds":1,"others":0.0}"#;

#[test]
fn an_unknown_command_is_told_with_the_known_ones_at_hand() {
    Place::new().fails(&["flwo"], &["flwo", "flow"]);
}

#[test]
fn options_without_sense_are_refused() {
    let check = |argument: &str, expected: &str| {
        let name = argument.split_once('=').map_or(argument, |(name, _)| name);
        Place::new().fails(&["probe", argument], &[name, expected]);
    };
    for seconds in ["0", "-1", "nan", "inf", "1e9", "soon", ""] {
        check(&format!("--seconds={seconds}"), "0.1 to 600");
    }
    for connections in ["0", "", "8,,32", "-8", "1000000", "many"] {
        check(&format!("--connections={connections}"), "1 to 1024");
    }
    check("--statements=7", "6 and with 24");
    check("--rounds=0", "1..=100");
    check("--connections", "a value is required");
}

#[test]
fn a_missing_server_is_told_with_the_way_to_build_it() {
    for command in ["flow", "read", "probe", "hooks", "cold", "all"] {
        Place::new()
            .fails(&[command, "--server", "nowhere"], &["nowhere", "cargo build --release --bin citadel"]);
    }
}

#[test]
fn what_cannot_be_run_is_no_server() {
    let place = Place::new();
    place.write("server", "not a program");
    place.fails(&["flow", "--server", "server"], &["cannot start", "server"]);
}

#[test]
fn a_server_that_ends_is_told_with_its_last_words() {
    let place = Place::new();
    place.server("echo first >&2; echo 'error: the port is in use' >&2; exit 3");
    place.fails(&["flow", "--server", "server"], &["did not start", "it ended", "error: the port is in use"]);
    place.server("exit 0");
    place.fails(&["cold", "--server", "server"], &["did not start", "it said: nothing"]);
}

#[test]
fn a_server_that_says_something_else_is_told() {
    let place = Place::new();
    place.server("echo hello; exec sleep 600");
    place.fails(&["read", "--server", "server"], &["it said `hello`"]);
}

#[test]
fn a_server_that_listens_nowhere_is_told() {
    let place = Place::new();
    // Nobody may listen on port 1.
    place.server("echo http://127.0.0.1:1; echo; echo http://127.0.0.1:1; exec sleep 600");
    place.fails(&["hooks", "--server", "server"], &["cannot reach 127.0.0.1:1"]);
}

#[test]
fn a_signal_ends_the_wait_for_a_server_that_says_nothing() {
    let place = Place::new();
    place.server("exec sleep 600");
    let child = place.command(&["flow", "--server", "server"]).spawn().unwrap();
    let is_started = || fs::read_to_string(place.path("pid")).is_ok_and(|pid| !pid.is_empty());
    for _ in 0..6000 {
        if is_started() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(is_started(), "it was never started");
    Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    failed_with(&place.finish(child), &["stopped as asked"]);
}

#[test]
fn figures_that_cannot_be_read_are_told_by_their_line() {
    let place = Place::new();
    for command in ["check", "page"] {
        place.fails(&[command], &["target/bench/figures.jsonl"]);
        place.write("figures", &format!("{F1}\n\n{{\"name\":"));
        place.fails(&[command, "figures"], &["line 3 of figures"]);
        place.write("figures", &format!("{F1}\n{}", F1.replace("0.6", "null")));
        place.fails(&[command, "figures"], &["line 2 of figures"]);
    }
    // Before anything is measured.
    place.write("figures.jsonl", "?");
    place.fails(&["flow", "--server", "nowhere", "--out", "."], &["line 1 of ./figures.jsonl"]);
    place.fails(&["flow", "--server", "nowhere", "--out", "figures"], &["cannot make figures"]);
}

#[test]
fn one_figure_can_be_checked_and_an_unknown_one_is_refused() {
    let place = Place::new();
    place.write("figures", F1);
    place.fails(&["check", "figures", "--figure", "F99"], &["F99", "F1, F2.cached"]);
    let output = place.run(&["check", "figures", "--figure", "F1"]);
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("F1") && !said.contains("F3"), "{said}");
    // Known, and not in the file.
    let output = place.run(&["check", "figures", "--figure", "F1", "--figure", "F3"]);
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stdout).contains("not measured: F3"));
    place.write("figures", &F1.replace("0.6", "0.1"));
    assert!(!place.run(&["check", "figures", "--figure", "F1"]).status.success());
}

#[test]
fn without_a_postgres_that_part_is_skipped_and_said_so() {
    let output = Place::new().run(&["postgres"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("skipped, CITADEL_DATABASE_URL is not set"));
}

#[test]
fn sizes_that_make_no_sense_or_have_no_room_are_refused_before_anything_is_filled() {
    let place = Place::new();
    let server = place.server("exit 1");
    let server = server.to_str().unwrap();
    place.fails(
        &["flat", "--server", server, "--links", "1e3,1e9"],
        &["1000001000 links need", "GiB free", "TMPDIR"],
    );
    place.fails(&["flat", "--server", server, "--links", "1e3"], &["name two at least"]);
    for wrong in ["0", "1.5", "1e10", "many"] {
        place.fails(&["flat", "--server", server, "--links", wrong], &["--links", wrong]);
    }
    assert!(!place.path("pid").exists(), "the server was started");
}
