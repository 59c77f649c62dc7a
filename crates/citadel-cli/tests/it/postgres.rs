//! The same command on Postgres: no lock, no socket, several nodes.

use std::{fs, path::Path, process::Command};

use tokio_postgres::NoTls;

use crate::harness::{Home, Server, finish, get};

/// A database of its own. `None` where tests on Postgres are skipped.
#[expect(clippy::disallowed_methods, reason = "the tests' own settings")]
fn database(name: &str) -> Option<String> {
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

fn on(url: &str, key: &Path, mut command: Command) -> Command {
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
