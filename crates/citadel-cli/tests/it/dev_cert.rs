//! `citadel dev-cert`, and what a server and its clients make of it.

use std::{fs, os::unix::fs::PermissionsExt};

use citadel_domain::Clock;
use citadel_server::{system::SystemClock, tls};
use serde_json::Value;

use crate::{
    harness::{Home, Server, mode},
    tls::trusting,
};

const HOSTS: [&str; 7] = [
    "localhost",
    "127.0.0.1",
    "::1",
    "prod.citadelid.com",
    "cdn.citadelid.com",
    "prod.truv.com",
    "cdn.truv.com",
];

const FILES: [&str; 4] = ["ca-key.pem", "ca.pem", "cert.pem", "key.pem"];

/// What is in the four files.
fn texts(home: &Home) -> [String; 4] {
    FILES.map(|name| fs::read_to_string(home.path("data/dev-cert").join(name)).unwrap_or_default())
}

/// A server with the certificate of this place.
pub(crate) fn serve(home: &Home, settings: &[(&str, &str)]) -> Server {
    let mut command = home.command(&["serve"]);
    command
        .env("CITADEL_TLS_CERT", home.path("data/dev-cert/cert.pem"))
        .env("CITADEL_TLS_KEY", home.path("data/dev-cert/key.pem"))
        .envs(settings.iter().copied());
    Server::start(&mut command, &home.path("log"))
}

#[test]
fn a_first_run_makes_private_files_and_says_what_to_do() {
    let home = Home::new();
    let told = home.run(&["dev-cert"]).succeeded().stdout;
    assert_eq!((mode(&home.path("data")), mode(&home.path("data/dev-cert"))), (0o700, 0o700));
    assert_eq!(FILES.map(|name| mode(&home.path("data/dev-cert").join(name))), [0o600, 0o644, 0o644, 0o600]);
    let path = |name: &str| home.path("data/dev-cert").join(name).display().to_string();
    for expected in [
        format!("export CITADEL_TLS_CERT={}", path("cert.pem")),
        format!("export CITADEL_TLS_KEY={}", path("key.pem")),
        format!("export NODE_EXTRA_CA_CERTS={}", path("ca.pem")),
        "update-ca-certificates".to_owned(),
        "add-trusted-cert".to_owned(),
        "must not leave this machine".to_owned(),
    ] {
        assert!(told.contains(&expected), "{expected}: {told}");
    }
    assert!(!told.contains("PRIVATE KEY"), "{told}");
    // The server takes the directory as its own.
    assert!(home.serve().stop().success());
}

#[test]
fn a_second_run_keeps_the_authority_and_renews_the_certificate() {
    let home = Home::new();
    let first = home.run(&["dev-cert", "--json"]).succeeded().json();
    let [ca_key, ca, cert, key] = texts(&home);
    let second = home.run(&["dev-cert", "--json"]).succeeded().json();
    let [ca_key_2, ca_2, cert_2, key_2] = texts(&home);
    assert_eq!((&first["is_ca_new"], &second["is_ca_new"]), (&Value::from(true), &Value::from(false)));
    assert!(ca_key == ca_key_2 && ca == ca_2 && cert != cert_2 && key != key_2);
    assert_eq!(second["hosts"], Value::from(HOSTS.to_vec()));
    assert_eq!(second["settings"]["CITADEL_TLS_CERT"], second["cert"]);
    assert_eq!(second["trust"].as_object().unwrap().len(), 7, "{second}");

    let now = SystemClock.now();
    let end: jiff::Timestamp = second["not_after"].as_str().unwrap().parse().unwrap();
    assert!((390..=396).contains(&(end.duration_since(now).as_hours() / 24)), "{end}");
    for host in HOSTS {
        for cert in [&cert, &cert_2] {
            tls::verify(cert, &ca, host, now).unwrap_or_else(|error| panic!("{host}: {error}"));
        }
    }
    assert!(tls::verify(&cert, &ca, "truv.com", now).is_err());
}

#[test]
fn the_authority_vouches_for_its_own_hosts_alone() {
    let home = Home::new();
    home.run(&["dev-cert", "--host", "localhost"]).succeeded();
    let before = texts(&home);
    for other in ["example.com", "127.0.0.1", "10.0.0.7", "::1"] {
        if other != "127.0.0.1" {
            home.run(&["dev-cert", "--host", other]).failed_with(&["cannot vouch", other, "--dir"]);
        }
    }
    assert_eq!(texts(&home), before);
    home.run(&["dev-cert", "--dir", "elsewhere", "--host", "10.0.0.7"]).succeeded();
    home.run(&["dev-cert", "--dir", "elsewhere", "--host", "example.com"]).failed_with(&["cannot vouch"]);
    // Without a name of its own, it vouches for no name but this machine's.
    home.run(&["dev-cert", "--dir", "elsewhere", "--host", "localhost"]).succeeded();
}

#[test]
fn an_authority_that_cannot_be_read_is_never_written_over() {
    let home = Home::new();
    home.run(&["dev-cert"]).succeeded();
    let (ca, ca_key) = (home.path("data/dev-cert/ca.pem"), home.path("data/dev-cert/ca-key.pem"));
    let (ca_text, key_text) = (fs::read_to_string(&ca).unwrap(), fs::read_to_string(&ca_key).unwrap());
    let refused = |texts_of_it: &[&str]| {
        let before = texts(&home);
        let finished = home.run(&["dev-cert"]).failed_with(texts_of_it);
        assert_eq!(texts(&home), before);
        assert!(!finished.stderr.contains("BEGIN"), "{finished:?}");
    };
    fs::remove_file(&ca).unwrap();
    refused(&["ca-key.pem is there, but", "begin anew"]);
    fs::write(&ca, "nothing\n").unwrap();
    refused(&["cannot vouch"]);
    // Another authority's certificate beside this one's key.
    home.run(&["dev-cert", "--dir", "other"]).succeeded();
    fs::copy(home.path("other/ca.pem"), &ca).unwrap();
    refused(&["cannot vouch"]);
    fs::write(&ca, ca_text).unwrap();

    fs::remove_file(&ca_key).unwrap();
    refused(&["ca.pem is there, but", "ca-key.pem is not"]);
    home.write_private("data/dev-cert/ca-key.pem", "nothing\n");
    refused(&["ca-key.pem cannot be used"]);
    fs::remove_file(&ca_key).unwrap();
    fs::create_dir(&ca_key).unwrap();
    refused(&["ca-key.pem cannot be read, and is not written over"]);
    fs::remove_dir(&ca_key).unwrap();
    home.write("data/dev-cert/ca-key.pem", &key_text);
    fs::set_permissions(&ca_key, fs::Permissions::from_mode(0o644)).unwrap();
    refused(&["mode 0644", "chmod 600"]);
    fs::set_permissions(&ca_key, fs::Permissions::from_mode(0o600)).unwrap();
    home.run(&["dev-cert"]).succeeded();
}

/// An app with the published host names compiled in, on a machine whose hosts file sends them here.
#[tokio::test]
async fn an_app_for_the_published_hosts_finds_this_server() {
    let home = Home::new();
    home.run(&["dev-cert"]).succeeded();
    let server = serve(&home, &[]);
    let port = server.api.port();
    let app = trusting(&home, server.api);
    for host in ["prod.truv.com", "prod.citadelid.com"] {
        let answer = app.get(format!("https://{host}:{port}/v1/providers/")).send().await.unwrap();
        assert_eq!(answer.status(), 401);
        assert_eq!(answer.headers()["content-type"], "application/json");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["error"]["code"], "authentication_failed");
    }
    for host in ["cdn.truv.com", "cdn.citadelid.com", "localhost", "127.0.0.1"] {
        let answer = app.get(format!("https://{host}:{port}/bridge.js")).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{host}");
        assert_eq!(answer.headers()["content-type"], "text/javascript; charset=utf-8");
        assert!(answer.text().await.unwrap().contains("CitadelBridge"), "{host}");
    }
    // Elsewhere the certificate is nothing.
    assert!(app.get(format!("https://example.com:{port}/bridge.js")).send().await.is_err());
    let stranger = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    assert!(stranger.get(format!("https://localhost:{port}/bridge.js")).send().await.is_err());
}
