use std::{fs, os::unix::fs::PermissionsExt};

use serde_json::Value;

use crate::harness::{Finished, Home, Server, finish, free_address};

/// The subjects that are wrong, with what was found and the fix.
fn wrong(finished: &Finished) -> Vec<(String, String)> {
    let json = finished.json();
    let findings = json["findings"].as_array().unwrap().iter();
    let wrong = findings.filter(|finding| finding["verdict"] == "wrong");
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap_or_default().to_owned();
    wrong
        .map(|finding| (text(finding, "subject"), text(finding, "what") + " -> " + &text(finding, "fix")))
        .collect()
}

#[track_caller]
fn only_wrong(home: &Home, subject: &str, expected: &str) {
    let finished = home.run(&["doctor", "--json"]);
    let wrong = wrong(&finished);
    assert!(finished.code == 1 && wrong.len() == 1, "{finished:?}");
    assert!(wrong[0].0.contains(subject) && wrong[0].1.contains(expected), "{wrong:?}");
}

#[test]
fn a_fresh_directory_and_a_used_one_are_healthy_and_doctor_changes_nothing() {
    let home = Home::new();
    let finished = home.run(&["doctor"]).succeeded();
    assert!(finished.stdout.contains("Everything that was looked at works."), "{finished:?}");
    assert!(!home.path("data").exists());
    home.run(&["migrate"]).succeeded();
    assert_eq!(home.run(&["doctor", "--json"]).succeeded().json()["is_healthy"], true);
}

#[test]
fn each_fault_is_named_with_its_fix() {
    let home = Home::new();
    let mut command = home.command(&["doctor", "--json"]);
    let finished = finish(command.env("CITADEL_LISTEN", "nowhere").env("CITADEL_LISTN", "127.0.0.1:1"));
    assert!(wrong(&finished)[0].0.contains("CITADEL_LISTEN"), "{finished:?}");
    assert!(finished.stdout.contains("\"CITADEL_LISTN\""), "{finished:?}");

    home.run(&["migrate"]).succeeded();
    let data = home.path("data");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    only_wrong(&home, "CITADEL_DATA_DIR", "chmod 700");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = home.command(&["doctor", "--json"]);
    let finished = finish(command.env("CITADEL_LISTEN", taken.local_addr().unwrap().to_string()));
    assert!(
        wrong(&finished)[0].0 == "CITADEL_LISTEN" && wrong(&finished)[0].1.contains("ss -ltnp"),
        "{finished:?}"
    );

    let key = fs::read(data.join("root.key")).unwrap();
    fs::remove_file(data.join("root.key")).unwrap();
    only_wrong(&home, "CITADEL_ROOT_KEY_FILE", "restore");
    home.write_private("data/root.key", &"ab".repeat(32));
    only_wrong(&home, "CITADEL_ROOT_KEY_FILE", "not the key");
    fs::write(data.join("root.key"), key).unwrap();

    home.write_private(".env", "API_CLIENT_ID=\nAPI_SECRET=\n");
    only_wrong(&home, ".env", "client create");
    home.write_private(".env", "API_CLIENT_ID=0190163d8694739bbe8c0a6b8d2b9a3e\nAPI_SECRET=hunter2\n");
    only_wrong(&home, ".env", "API_SECRET does not look like");
    let keys = format!("API_CLIENT_ID={0}{0}\nAPI_SECRET=sandbox-{0}{0}01234567\n", "0123456789abcdef");
    home.write_private(".env", &format!("{keys}API_PRODUCT_TYPE=salary\n"));
    only_wrong(&home, ".env", "employment, income");
    home.write(".env", &keys);
    fs::set_permissions(home.path(".env"), fs::Permissions::from_mode(0o644)).unwrap();
    only_wrong(&home, ".env", "chmod 600");
    fs::remove_file(home.path(".env")).unwrap();
    home.run(&["doctor"]).succeeded();
}

#[test]
fn a_running_server_is_recognised_and_tries_the_quickstarts_keys() {
    let home = Home::new();
    let (api, metrics) = (free_address().to_string(), free_address().to_string());
    let settings = [("CITADEL_LISTEN", &api), ("CITADEL_METRICS_LISTEN", &metrics)];
    let server = Server::start(home.command(&["serve"]).envs(settings), &home.path("log"));
    let doctor = || finish(home.command(&["doctor", "--json"]).envs(settings));

    home.run(&["client", "create", "--name", "demo", "--write-env", ".env"]).succeeded();
    let finished = doctor().succeeded();
    for expected in ["is served by citadel", "is ready", "accepts its keys"] {
        assert!(finished.stdout.contains(expected), "{expected}: {finished:?}");
    }
    let text = fs::read_to_string(home.path(".env")).unwrap();
    let secret = text.split_once("API_SECRET=").unwrap().1.trim();
    assert!(!finished.stdout.contains(secret), "{finished:?}");

    home.write_private(".env", &text.replace("API_CLIENT_ID=0", "API_CLIENT_ID=1"));
    let finished = doctor();
    assert!(wrong(&finished)[0].1.contains("does not know its keys"), "{finished:?}");
    drop(server);
}
