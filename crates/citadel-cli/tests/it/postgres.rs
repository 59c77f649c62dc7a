//! The same command on Postgres: no lock, no socket, several nodes.

use std::{fs, path::Path, process::Command};

use tokio_postgres::NoTls;

use crate::harness::{Home, Server, finish, get};

/// A database of its own. `None` where tests on Postgres are skipped.
#[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
pub(crate) fn database(name: &str) -> Option<String> {
    let server = std::env::var("CITADEL_TEST_DATABASE_URL").ok().filter(|url| !url.is_empty());
    let is_required = std::env::var("CITADEL_TEST_REQUIRE_POSTGRES").is_ok_and(|value| value == "1");
    assert!(
        server.is_some() || !is_required,
        "the tests on Postgres are required: set CITADEL_TEST_DATABASE_URL"
    );
    let server = server?;
    let database = format!("citadel_cli_{name}_{}", std::process::id());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (client, connection) = tokio_postgres::connect(&server, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(&format!("create database {database}")).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    });
    Some(format!("{}/{database}", server.rsplit_once('/').unwrap().0))
}

pub(crate) fn on(url: &str, key: &Path, mut command: Command) -> Command {
    command.env("CITADEL_DATABASE_URL", url).env("CITADEL_ROOT_KEY_FILE", key);
    command
}

#[test]
fn two_nodes_serve_one_postgres_and_clients_are_made_beside_them() {
    let Some(url) = database("nodes") else { return };
    let home = Home::new();
    let key = home.write_private("root.key", &"5e".repeat(32));
    finish(&mut on(&url, &key, home.command(&["migrate"]))).succeeded();
    let first = Server::start(&mut on(&url, &key, home.command(&["serve"])), &home.path("log-1"));
    let second = Server::start(&mut on(&url, &key, home.command(&["serve"])), &home.path("log-2"));
    let client = finish(&mut on(&url, &key, home.command(&["client", "create", "--name", "demo", "--json"])));
    let client = client.succeeded().json();
    let (client_id, secret) = (client["client_id"].as_str().unwrap(), client["sandbox"].as_str().unwrap());
    let headers = format!("X-Access-Client-Id: {client_id}\r\nX-Access-Secret: {secret}\r\n");
    for server in [&first, &second] {
        assert_eq!(get(server.api, "/v1/providers/", &headers).0, 200);
        assert_eq!(get(server.metrics, "/readyz", "").0, 200);
    }
    assert!(!home.path("data").exists(), "nothing is kept on a node");
    let healthy = finish(&mut on(&url, &key, home.command(&["doctor"]))).succeeded();
    assert!(healthy.stdout.contains("up to date"), "{healthy:?}");
}

#[test]
fn p18_the_wrong_root_key_is_refused_on_postgres() {
    let Some(url) = database("key") else { return };
    let home = Home::new();
    let key = home.write_private("root.key", &"5e".repeat(32));
    finish(&mut on(&url, &key, home.command(&["migrate"]))).succeeded();
    let other = home.write_private("other.key", &"7a".repeat(32));
    finish(&mut on(&url, &other, home.command(&["serve"]))).failed_with(&[
        "CITADEL_ROOT_KEY_FILE",
        "is not the key that sealed this database",
        "fix: ",
    ]);
    let missing = home.path("missing.key");
    finish(&mut on(&url, &missing, home.command(&["serve"])))
        .failed_with(&["does not exist", "restore the key"]);
    assert!(!fs::exists(missing).unwrap(), "no new key hides that the old one is lost");
}

#[test]
fn p60_what_its_own_tools_have_restored_is_settled() {
    let Some(url) = database("settled") else { return };
    let home = Home::new();
    let key = home.write_private("root.key", &"5e".repeat(32));
    let run = |arguments: &[&str]| finish(&mut on(&url, &key, home.command(arguments)));
    let client = |name: &str| {
        let made = run(&["client", "create", "--name", name, "--json"]).succeeded().json();
        (made["client_id"].as_str().unwrap().to_owned(), made["sandbox"].as_str().unwrap().to_owned())
    };
    let (kept, gone) = (client("kept"), client("gone"));
    run(&["client", "delete", "--client", &gone.0, "--yes"]).succeeded();
    let ledger = run(&["backup", "ledger"]).succeeded().stdout;
    assert!(ledger.lines().count() == 1 && ledger.contains(&gone.0), "{ledger}");
    let file = home.write("ledger.txt", &ledger).display().to_string();
    let settled = run(&["backup", "settle", "--ledger", &file, "--json"]).succeeded().json();
    assert_eq!(settled["deleted_again"], 0, "this database knows");

    let keys = run(&["key", "list", "--client", &kept.0, "--json"]).succeeded().json();
    let id = keys[0]["key_id"].as_str().unwrap();
    let confirmed =
        run(&["backup", "settle", "--without-ledger", "--keep-key", id, "--json"]).succeeded().json();
    assert_eq!(
        (&confirmed["kept_keys"][0], confirmed["ended_keys"].as_array().unwrap().len()),
        (&id.into(), 0)
    );
    let ended = run(&["backup", "settle", "--without-ledger"]).succeeded().stdout;
    assert!(ended.contains(&format!("Ended key {id}")), "{ended}");
    assert_eq!(
        run(&["key", "list", "--client", &kept.0, "--json"]).succeeded().json(),
        serde_json::json!([])
    );
    for verb in
        [&["backup", "create", "x.backup"][..], &["backup", "restore", "x.backup", "--without-ledger"]]
    {
        run(verb).failed_with(&["CITADEL_DATABASE_URL", "docs/operating.md"]);
    }
}

#[test]
fn p19_every_node_has_a_new_version_before_any_seals_with_it() {
    let Some(url) = database("rotated") else { return };
    let home = Home::new();
    let key = home.write_private("root.key", &"5e".repeat(32));
    let old_key = home.write_private("old.key", &"5e".repeat(32));
    let run = |key: &Path, arguments: &[&str]| finish(&mut on(&url, key, home.command(arguments)));
    run(&key, &["client", "create", "--name", "demo"]).succeeded();
    let written = run(&key, &["root-key", "rotate", "--json"]).succeeded().json();
    assert_eq!(written["is_in_use"], false);
    run(&old_key, &["client", "list"]).succeeded();
    let used = run(&key, &["root-key", "rotate", "--json"]).succeeded().json();
    assert_eq!((&used["is_in_use"], &used["id"]), (&true.into(), &written["id"]));
    run(&old_key, &["client", "list"]).failed_with(&["CITADEL_ROOT_KEY_FILE", "lacks version"]);
    run(&key, &["client", "list"]).succeeded();
}
