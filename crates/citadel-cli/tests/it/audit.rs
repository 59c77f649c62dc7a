//! `citadel audit`, beside a server that runs and without one.

use std::fs;

use crate::harness::{Home, mode};

fn acts(home: &Home, arguments: &[&str]) -> Vec<String> {
    let listed = home.run(&[&["audit", "list", "--json"], arguments].concat()).succeeded().json();
    listed.as_array().unwrap().iter().map(|entry| entry["act"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn p25_the_trail_is_verified_and_a_database_that_was_put_back_is_found() {
    let home = Home::new();
    let server = home.serve();
    let made = home.run(&["client", "create", "--name", "acme", "--json"]).succeeded().json();
    let client = made["client_id"].as_str().unwrap();
    assert_eq!(acts(&home, &["--client", client]), ["access_key_created", "client_created"]);
    let good = home.run(&["audit", "verify"]).succeeded().stdout;
    assert!(good.starts_with("Good: ") && good.contains(" entries, "), "{good}");
    home.run(&["audit", "list", "--act", "nonsense"]).failed_with(&["no such act", "link_deleted"]);
    assert!(server.stop().success());
    let heads = home.path("data/audit-heads.log");
    assert_eq!(mode(&heads), 0o600);

    // An earlier state of the whole database, and what came after it.
    let kept = fs::read(home.path("data/citadel.db")).unwrap();
    home.run(&["client", "create", "--name", "other"]).succeeded();
    let server = home.serve();
    assert!(server.stop().success());
    home.run(&["audit", "verify"]).succeeded();
    fs::copy(&heads, home.path("elsewhere.log")).unwrap();
    for name in ["citadel.db-wal", "citadel.db-shm"] {
        let _ = fs::remove_file(home.path(&format!("data/{name}")));
    }
    fs::write(home.path("data/citadel.db"), kept).unwrap();
    let found = home.run(&["audit", "verify"]);
    assert_eq!(found.code, 1, "{found:?}");
    assert!(
        found.stdout.contains("Chain server: entry ") && found.stdout.contains("Not good: "),
        "{}",
        found.stdout
    );
    // Whoever takes away the copy beside the data does not reach the one elsewhere.
    fs::remove_file(&heads).unwrap();
    home.run(&["audit", "verify"]).succeeded();
    let found = home.run(&["audit", "verify", "--heads", "elsewhere.log", "--json"]);
    assert_eq!(found.code, 1, "{found:?}");
    assert!(!found.json()["findings"].as_array().unwrap().is_empty(), "{}", found.stdout);
    home.run(&["audit", "verify", "--heads", "missing.log"]).failed_with(&["missing.log"]);
}

#[test]
fn p26_starts_settings_and_backups_are_told() {
    let home = Home::new();
    home.run(&["migrate"]).succeeded();
    assert_eq!(acts(&home, &[]), ["audit_listed", "schema_migrated"]);
    assert!(home.serve().stop().success());
    let mut server = home.command(&["serve"]);
    server.env("CITADEL_RATE_LIMIT", "17");
    let server = crate::harness::Server::start(&mut server, &home.path("second.log"));
    home.run(&["backup", "create", "one.backup"]).succeeded();
    let listed = home.run(&["audit", "list", "--act", "configuration_changed", "--json"]).succeeded().json();
    assert_eq!(listed[0]["detail"], serde_json::json!({"settings": ["CITADEL_RATE_LIMIT"]}));
    let all = acts(&home, &[]);
    for act in ["server_started", "backup_made"] {
        assert!(all.iter().any(|seen| seen == act), "{act}: {all:?}");
    }
    assert!(server.stop().success());
    let other = Home::new();
    other.write_private("data/root.key", &fs::read_to_string(home.path("data/root.key")).unwrap());
    let backup = home.path("one.backup").display().to_string();
    other.run(&["backup", "restore", &backup, "--without-ledger"]).succeeded();
    assert!(acts(&other, &[]).iter().any(|act| act == "backup_restored"));
    other.run(&["backup", "settle", "--without-ledger"]).succeeded();
    assert!(acts(&other, &[]).iter().any(|act| act == "backup_settled"));
    other.run(&["audit", "verify"]).succeeded();
}
