//! `citadel backup`, `citadel root-key` and `citadel client delete`, beside a server that runs and without one.

use std::fs;

use serde_json::Value;

use crate::harness::{Home, finish, get, mode};

/// A client of the running server: its id and its secret.
fn client(home: &Home, name: &str) -> (String, String) {
    let made = home.run(&["client", "create", "--name", name, "--json"]).succeeded().json();
    (made["client_id"].as_str().unwrap().to_owned(), made["sandbox"].as_str().unwrap().to_owned())
}

fn status_of(address: std::net::SocketAddr, (id, secret): &(String, String)) -> u16 {
    let headers = format!("X-Access-Client-Id: {id}\r\nX-Access-Secret: {secret}\r\n");
    get(address, "/v1/providers/", &headers).0
}

#[test]
fn p60_a_backup_of_a_running_server_restores_and_revives_nothing() {
    let home = Home::new();
    let server = home.serve();
    let (kept, deleted, revoked) =
        (client(&home, "kept"), client(&home, "deleted"), client(&home, "revoked"));
    let made = home.run(&["backup", "create", "one.backup", "--json"]).succeeded().json();
    assert_eq!((&made["rows"]["clients"], &made["file"]), (&Value::from(3), &Value::from("one.backup")));
    assert_eq!(mode(&home.path("one.backup")), 0o600);
    let shown = home.run(&["backup", "verify", "one.backup"]).succeeded().stdout;
    assert!(shown.starts_with("Good: one.backup: ") && shown.contains(" rows, "), "{shown}");
    home.run(&["backup", "create", "one.backup"]).failed_with(&["one.backup", "exists"]);

    home.run(&["client", "delete", "--client", &deleted.0]).failed_with(&["--yes"]);
    home.run(&["client", "delete", "--client", &deleted.0, "--yes"]).succeeded();
    home.run(&["client", "delete", "--client", &deleted.0, "--yes"]).failed_with(&["no such client"]);
    let keys = home.run(&["key", "list", "--client", &revoked.0, "--json"]).succeeded().json();
    let key = keys[0]["key_id"].as_str().unwrap();
    home.run(&["key", "delete", "--client", &revoked.0, "--key", key]).succeeded();
    assert_eq!(status_of(server.api, &kept), 200);
    for ended in [&deleted, &revoked] {
        assert_eq!(status_of(server.api, ended), 401);
    }
    let ledger = home.run(&["backup", "ledger"]).succeeded().stdout;
    assert_eq!(ledger, fs::read_to_string(home.path("data/deletions.log")).unwrap());
    assert_eq!(ledger.lines().count(), 2);
    drop(server);

    // The data directory in use is none to restore into.
    home.run(&["backup", "restore", "one.backup", "--without-ledger"]).failed_with(&["is not empty"]);
    let other = Home::new();
    other.write_private("data/root.key", &fs::read_to_string(home.path("data/root.key")).unwrap());
    let backup = home.path("one.backup").display().to_string();
    let ledger = home.path("data/deletions.log").display().to_string();
    let back = other.run(&["backup", "restore", &backup, "--ledger", &ledger, "--json"]).succeeded().json();
    assert_eq!(back["settled"]["deleted_again"], 2);
    let server = other.serve();
    assert_eq!(status_of(server.api, &kept), 200);
    for ended in [&deleted, &revoked] {
        assert_eq!(status_of(server.api, ended), 401);
    }
    drop(server);

    // Without the ledger: keys that nobody confirms end.
    let third = Home::new();
    third.write_private("data/root.key", &fs::read_to_string(home.path("data/root.key")).unwrap());
    // A key that is nobody's is a slip of the hand: nothing is restored, and no key ends because of it.
    let nobodys = "01901640a1b27d0c8f3e5a6b7c8d9e0f";
    let keep = ["backup", "restore", &backup, "--without-ledger", "--keep-key", nobodys];
    third.run(&keep).failed_with(&[
        "was not restored",
        "--keep-key",
        nobodys,
        "no active key of this database",
    ]);
    assert!(!third.path("data/citadel.db").exists());
    let back = third.run(&["backup", "restore", &backup, "--without-ledger"]).succeeded().stdout;
    assert_eq!(back.matches("Ended key ").count(), 3, "{back}");
    let server = third.serve();
    for ended in [&kept, &deleted, &revoked] {
        assert_eq!(status_of(server.api, ended), 401);
    }
}

#[test]
fn p60_what_is_no_backup_or_cannot_be_opened_is_said() {
    let home = Home::new();
    home.run(&["backup", "create", "x.backup"]).failed_with(&["there is no database yet", "citadel.db"]);
    home.run(&["migrate"]).succeeded();
    home.run(&["backup", "create", "x.backup"]).succeeded();
    home.write("text", "nothing of the kind, but long enough to be looked at");
    home.run(&["backup", "verify", "text"]).failed_with(&["text is no good", "no backup of Citadel"]);
    home.run(&["backup", "verify", "missing"]).failed_with(&["missing"]);
    let bytes = fs::read(home.path("x.backup")).unwrap();
    fs::write(home.path("cut.backup"), &bytes[..bytes.len() - 7]).unwrap();
    home.run(&["backup", "verify", "cut.backup"]).failed_with(&["cut.backup is no good", "damaged"]);
    let other = Home::new();
    other.run(&["migrate"]).succeeded();
    let path = home.path("x.backup").display().to_string();
    other.run(&["backup", "verify", &path]).failed_with(&["version ", "of the root key"]);
    let mut command = home.command(&["backup", "create", "y.backup"]);
    command.env("CITADEL_DATABASE_URL", "postgres://citadel@127.0.0.1:1/citadel");
    finish(&mut command).failed_with(&["CITADEL_DATABASE_URL", "pg_dump"]);
}

#[test]
fn p19_the_root_key_rotates_under_a_running_server_and_no_version_is_missed() {
    let home = Home::new();
    let server = home.serve();
    let before = client(&home, "before");
    let key_file = home.path("data/root.key");
    let first = fs::read_to_string(&key_file).unwrap();
    let old =
        home.run(&["root-key", "status", "--json"]).succeeded().json()[0]["id"].as_str().unwrap().to_owned();
    let rotated = home.run(&["root-key", "rotate", "--json"]).succeeded().json();
    assert_eq!(rotated["is_in_use"], true);
    assert_eq!(mode(&key_file), 0o600);
    let both = fs::read_to_string(&key_file).unwrap();
    assert!(both.starts_with(&first) && both.lines().count() == 2);
    let after = client(&home, "after");
    for each in [&before, &after] {
        assert_eq!(status_of(server.api, each), 200);
    }
    home.run(&["root-key", "remove", "--version-id", &old]).failed_with(&["root-key status"]);
    home.run(&["root-key", "remove", "--version-id", "nonsense"]).failed_with(&["8 hex digits"]);
    assert!(server.stop().success());

    // Either version that is taken out by hand is missed, and the start writes nothing.
    let (newest, oldest) = (both.lines().last().unwrap(), both.lines().next().unwrap());
    for left in [newest, oldest] {
        home.write_private("data/root.key", &format!("{left}\n"));
        for verb in ["serve", "migrate"] {
            home.run(&[verb]).failed_with(&["CITADEL_ROOT_KEY_FILE", "lacks version", "fix: "]);
        }
    }
    home.write_private("data/root.key", &both);
    let server = home.serve();
    for each in [&before, &after] {
        assert_eq!(status_of(server.api, each), 200);
    }
    let shown = home.run(&["root-key", "status"]).succeeded().stdout;
    assert!(shown.contains(&old) && shown.contains("seals"), "{shown}");
}
