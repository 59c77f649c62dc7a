use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt};

use crate::harness::{Home, finish, get, mode};

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
const OTHER_KEY: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n";

#[test]
fn a_first_start_makes_private_files_and_answers() {
    let home = Home::new();
    let server = home.serve();
    assert_eq!(mode(&home.path("data")), 0o700);
    for file in ["root.key", "citadel.db", "admin.sock"] {
        assert_eq!(mode(&home.path("data").join(file)), 0o600, "{file}");
    }
    assert!(fs::read_to_string(home.path("data/root.key")).unwrap().starts_with("development-"));
    assert_eq!(server.get("/v1/nothing/").0, 404);
    let (status, health) = get(server.metrics, "/healthz", "");
    assert!(status == 200 && health.contains("\"service\":\"citadel\""), "{status} {health}");
    let (status, ready) = get(server.metrics, "/readyz", "");
    assert!(status == 200 && ready.contains("\"is_ready\":true"), "{status} {ready}");
    assert!(server.stop().success());
    // And once more, on what is there.
    let server = home.serve();
    assert_eq!(get(server.metrics, "/readyz", "").0, 200);
}

#[test]
fn p18_a_bad_root_key_stops_the_start_and_changes_no_byte() {
    let home = Home::new();
    let key = home.write_private("root.key", KEY);
    let mut command = home.command(&["migrate"]);
    finish(command.env("CITADEL_ROOT_KEY_FILE", &key)).succeeded();
    let before = database(&home);
    assert!(!before[0].1.is_empty());

    let check = |profile: &str, key_file: &str, expected: &str| {
        for verb in ["serve", "migrate"] {
            let mut command = home.command(&[verb]);
            command.env("CITADEL_PROFILE", profile).env("CITADEL_ROOT_KEY_FILE", home.path(key_file));
            finish(&mut command).failed_with(&["CITADEL_ROOT_KEY_FILE", expected, "fix: "]);
            assert_eq!(database(&home), before, "{verb} {profile} {key_file} {expected}");
        }
    };
    check("production", "missing.key", "does not exist");
    check("development", "missing.key", "does not exist");
    home.write_private("wrong.key", OTHER_KEY);
    check("production", "wrong.key", "not the key");
    home.write_private("short.key", &KEY[..62]);
    check("production", "short.key", "64 hex digits");
    home.write_private("garbage.key", &KEY.replace('0', "z"));
    check("development", "garbage.key", "64 hex digits");
    home.write_private("empty.key", "");
    check("development", "empty.key", "64 hex digits");
    home.write_private("marked.key", &format!("development-{KEY}"));
    check("production", "marked.key", "made for development");
    home.write_private("open.key", KEY);
    fs::set_permissions(home.path("open.key"), fs::Permissions::from_mode(0o640)).unwrap();
    check("development", "open.key", "mode 0640");
    fs::create_dir(home.path("directory.key")).unwrap();
    check("production", "directory.key", "is not a file");
    assert!(!home.path("missing.key").exists());
}

/// Name and bytes of every file of the database.
fn database(home: &Home) -> Vec<(String, Vec<u8>)> {
    let files = ["citadel.db", "citadel.db-wal"].map(|name| (name.to_owned(), home.path("data").join(name)));
    files.into_iter().map(|(name, path)| (name, fs::read(path).unwrap_or_default())).collect()
}

#[test]
fn a_taken_port_is_named_with_the_way_out_and_nothing_is_written() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for setting in ["CITADEL_LISTEN", "CITADEL_DASHBOARD_LISTEN", "CITADEL_METRICS_LISTEN"] {
        let mut command = home.command(&["serve"]);
        let port = address.rsplit_once(':').unwrap().1;
        finish(command.env(setting, &address)).failed_with(&[setting, &address, "in use", port, "fix: "]);
        assert!(!home.path("data").exists());
    }
}

#[test]
fn an_unusable_data_directory_is_named() {
    let home = Home::new();
    let file = home.write("file", "not a directory");
    for path in [file.clone(), file.join("below")] {
        let mut command = home.command(&["serve"]);
        finish(command.env("CITADEL_DATA_DIR", &path)).failed_with(&["CITADEL_DATA_DIR", "file", "fix: "]);
    }
    let long = "x".repeat(120);
    let mut command = home.command(&["serve"]);
    finish(command.env("CITADEL_DATA_DIR", &long)).failed_with(&["CITADEL_DATA_DIR", "too long"]);
    assert!(!home.path(&long).exists());
}

#[test]
fn p41_a_second_process_on_the_same_data_is_refused() {
    let home = Home::new();
    let server = home.serve();
    home.run(&["serve"]).failed_with(&["CITADEL_DATA_DIR", "another citadel process", "fix: "]);
    home.run(&["migrate"]).failed_with(&["another citadel process"]);
    assert_eq!(get(server.metrics, "/readyz", "").0, 200);
    // The refused one has not taken the socket away.
    home.run(&["client", "list"]).succeeded();
}

#[test]
fn an_unreachable_postgres_is_named_without_its_password() {
    let home = Home::new();
    let mut command = home.command(&["serve"]);
    command.env("CITADEL_DATABASE_URL", "postgres://citadel:hunter2hunter2@127.0.0.1:1/citadel");
    let finished = finish(&mut command).failed_with(&[
        "CITADEL_DATABASE_URL",
        "postgres://citadel:…@127.0.0.1:1",
        "fix: ",
    ]);
    assert!(!finished.stderr.contains("hunter2"), "{finished:?}");
    assert!(!home.path("data/root.key").exists());
}

#[test]
fn p58_the_server_prints_no_secret() {
    let home = Home::new();
    let mut command = home.command(&["serve"]);
    let server = crate::harness::Server::start(command.env("CITADEL_LOG", "trace"), &home.path("log"));
    let client = home.run(&["client", "create", "--name", "demo", "--json"]).succeeded().json();
    let (client_id, secret) = (client["client_id"].as_str().unwrap(), client["sandbox"].as_str().unwrap());
    let headers = format!("X-Access-Client-Id: {client_id}\r\nX-Access-Secret: {secret}\r\n");
    let (status, _) = get(server.api, "/v1/providers/?query=canary-in-the-query", &headers);
    assert_eq!(status, 200);
    let key = fs::read_to_string(home.path("data/root.key")).unwrap();
    let output = format!("{}{}", server.announced, server.log());
    for canary in
        [secret, &secret[8..40], key.trim().trim_start_matches("development-"), "canary-in-the-query"]
    {
        assert!(!output.contains(canary), "{output}");
    }
    assert!(output.contains("/v1/providers/"), "the route template is logged: {output}");
}

#[test]
fn p59_health_and_metrics_are_not_on_the_public_listener() {
    let home = Home::new();
    let server = home.serve();
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(server.get(path).0, 404, "{path}");
    }
    let (status, text) = get(server.metrics, "/metrics", "");
    assert_eq!(status, 200);
    for line in ["citadel_http_requests_total{route=\"unmatched\",status=\"404\"} 3", "citadel_jobs_open 0"] {
        assert!(text.contains(line), "{line}: {text}");
    }
}
