use std::fs;

use crate::harness::{Home, get, mode};

#[test]
fn a_client_is_made_with_or_without_a_running_server() {
    let home = Home::new();
    let before = home.run(&["client", "create", "--name", "before", "--json"]).succeeded().json();
    let server = home.serve();
    let during = home.run(&["client", "create", "--name", "during", "--json"]).succeeded().json();
    for client in [&before, &during] {
        let object = client.as_object().unwrap();
        assert_eq!(object.keys().collect::<Vec<_>>(), ["client_id", "sandbox"]);
        let (client_id, secret) =
            (client["client_id"].as_str().unwrap(), client["sandbox"].as_str().unwrap());
        assert!(secret.starts_with("sandbox-") && secret.len() == 48, "the form of a sandbox secret");
        let headers = format!("X-Access-Client-Id: {client_id}\r\nX-Access-Secret: {secret}\r\n");
        assert_eq!(get(server.api, "/v1/providers/", &headers).0, 200);
    }
    let list = home.run(&["client", "list", "--json"]).succeeded().json();
    let names: Vec<_> =
        list.as_array().unwrap().iter().map(|client| client["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["before", "during"]);
}

#[test]
fn names_and_origins_are_checked() {
    let home = Home::new();
    let check = |arguments: &[&str], expected: &str| {
        home.run(&[&["client", "create"], arguments].concat()).failed_with(&[expected]);
    };
    check(&["--name", ""], "name");
    check(&["--name", &"x".repeat(101)], "name");
    check(&["--name", "a\nb"], "name");
    check(&["--name", "demo", "--origin", "app.example.com"], "app.example.com");
    check(&["--name", "demo", "--origin", "https://app.example.com/path"], "origin");
    for bad in [
        "https://a.com;script-src",
        "https://a.com,b",
        "https://*",
        "https://*.a.com",
        "https://x'none'",
        "http://:80",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "ftp://a.com",
        "https://A.com",
    ] {
        check(&["--name", "demo", "--origin", bad], "is not a web origin");
    }
    let good = ["client", "create", "--name", "demo", "--origin", "https://app.example.com"];
    home.run(&[&good[..], &["--origin", "http://localhost:5001"]].concat()).succeeded();
}

#[test]
fn keys_come_two_per_environment_and_go_at_once() {
    let home = Home::new();
    let server = home.serve();
    let client = home.run(&["client", "create", "--name", "demo", "--json"]).succeeded().json();
    let client_id = client["client_id"].as_str().unwrap();
    let key = ["--client", client_id];
    let create = [&["key", "create"], &key[..], &["--env", "sandbox", "--json"]].concat();
    let second = home.run(&create).succeeded().json();
    home.run(&create).failed_with(&["two"]);

    let secret = second["sandbox"].as_str().unwrap();
    let headers = format!("X-Access-Client-Id: {client_id}\r\nX-Access-Secret: {secret}\r\n");
    assert_eq!(get(server.api, "/v1/providers/", &headers).0, 200);
    let delete = [&["key", "delete"], &key[..], &["--key", second["key_id"].as_str().unwrap()]].concat();
    home.run(&delete).succeeded();
    assert_eq!(get(server.api, "/v1/providers/", &headers).0, 401);
    home.run(&delete).failed_with(&["no such key"]);

    let listed = home.run(&[&["key", "list"], &key[..], &["--json"]].concat()).succeeded();
    assert!(!listed.stdout.contains("sandbox-"), "{listed:?}");
    assert_eq!(listed.json().as_array().unwrap().len(), 1);

    let dev = [&["key", "create"], &key[..], &["--env", "dev"]].concat();
    assert!(home.run(&dev).succeeded().stdout.contains("dev-"));
    let nobody = "0190163d8694739bbe8c0a6b8d2b9a3e";
    home.run(&["key", "create", "--client", nobody, "--env", "sandbox"]).failed_with(&["no such client"]);
    home.run(&["key", "list", "--client", nobody]).failed_with(&["no such client"]);
}

#[test]
fn p64_development_refuses_production_keys() {
    let home = Home::new();
    let client = home.run(&["client", "create", "--name", "demo", "--json"]).succeeded().json();
    let client_id = client["client_id"].as_str().unwrap();
    home.run(&["key", "create", "--client", client_id, "--env", "prod"])
        .failed_with(&["CITADEL_PROFILE=production"]);
}

#[test]
fn write_env_fills_empty_keys_and_touches_nothing_else() {
    let home = Home::new();
    let path = home.write(
        ".env",
        "# my notes\nAPI_CLIENT_ID=\nexport API_SECRET=\"\"\n\nAPI_PRODUCT_TYPE=income # keep",
    );
    let create = ["client", "create", "--name", "demo", "--write-env", ".env"];
    let output = home.run(&create).succeeded().stdout;
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!([lines[0], lines[3], lines[4]], ["# my notes", "", "API_PRODUCT_TYPE=income # keep"]);
    let secret = lines[2].strip_prefix("export API_SECRET=").unwrap();
    assert!(lines[1].strip_prefix("API_CLIENT_ID=").unwrap().len() == 32 && secret.starts_with("sandbox-"));
    assert!(!output.contains(secret), "{output}");
    assert_eq!(mode(&path), 0o600);

    // A second time: nothing happens, no second client.
    assert!(home.run(&create).succeeded().stdout.contains("already has keys"));
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    let list = home.run(&["client", "list", "--json"]).succeeded().json();
    assert_eq!(list.as_array().unwrap().len(), 1);
}

#[test]
fn write_env_makes_a_missing_file_and_refuses_half_a_pair() {
    let home = Home::new();
    home.run(&["client", "create", "--name", "demo", "--write-env", "new.env"]).succeeded();
    assert_eq!(mode(&home.path("new.env")), 0o600);
    home.write("half.env", "API_CLIENT_ID=0190163d8694739bbe8c0a6b8d2b9a3e\nAPI_SECRET=\n");
    let half = ["client", "create", "--name", "demo", "--write-env", "half.env"];
    home.run(&half).failed_with(&["API_CLIENT_ID is set", "API_SECRET is empty"]);
    assert_eq!(home.run(&["client", "list", "--json"]).succeeded().json().as_array().unwrap().len(), 1);
}

#[test]
fn p23_a_hold_needs_a_reason_and_a_link() {
    let home = Home::new();
    let client = home.run(&["client", "create", "--name", "demo", "--json"]).succeeded().json();
    let client = client["client_id"].as_str().unwrap();
    let link = "01901640a1b27d0c8f3e5a6b7c8d9e0f";
    assert_eq!(home.run(&["hold", "set", "--client", client, "--link", link]).code, 2);
    let set = ["hold", "set", "--client", client, "--link", link, "--reason"];
    home.run(&[&set[..], &[""]].concat()).failed_with(&["reason"]);
    home.run(&[&set[..], &["case 26-114"]].concat()).failed_with(&["no such link"]);
    home.run(&["hold", "clear", "--client", client, "--link", link]).failed_with(&["not held"]);
    assert!(home.run(&["hold", "list", "--client", client]).succeeded().stdout.contains("Nothing"));
    assert_eq!(home.run(&["hold", "list", "--client", client, "--json"]).succeeded().stdout, "[]\n");
    home.run(&["hold", "list", "--client", link]).failed_with(&["no such client"]);
}
