//! `citadel sandbox export|load|people`, against a real server.

use std::{fs, process::Stdio};

use serde_json::{Value, json};

use crate::harness::{Finished, Home, Server, finish, free_address, get};

/// A server, and a client of it whose keys are in `.env`.
struct World {
    home: Home,
    server: Server,
    keys: Value,
}

impl World {
    fn start() -> Self {
        let home = Home::new();
        let server = home.serve();
        let keys = home.run(&["client", "create", "--name", "demo", "--json"]).succeeded().json();
        let (client_id, secret) = (keys["client_id"].as_str().unwrap(), keys["sandbox"].as_str().unwrap());
        let url = format!("http://{}/v1/", server.api);
        let text = format!("API_CLIENT_ID={client_id}\nAPI_SECRET={secret}\nAPI_URL={url}\n");
        home.write_private(".env", &text);
        Self { home, server, keys }
    }

    fn run(&self, arguments: &[&str]) -> Finished {
        self.home.run(&[&["sandbox"], arguments].concat())
    }

    /// The scenarios of the server.
    fn scenarios(&self) -> Vec<Value> {
        let text = |name: &str| self.keys[name].as_str().unwrap();
        let headers =
            format!("X-Access-Client-Id: {}\r\nX-Access-Secret: {}\r\n", text("client_id"), text("sandbox"));
        let (status, body) = get(self.server.api, "/v1/sandbox/scenarios/", &headers);
        assert_eq!(status, 200, "{body}");
        let page: Value = serde_json::from_str(&body).unwrap();
        page["results"].as_array().unwrap().clone()
    }
}

#[test]
fn pay_is_exported_to_the_screen_or_a_file() {
    let world = World::start();
    let person =
        ["export", "--username", "goodlogin", "--provider", "adp", "--from", "2026-01-01", "--format"];
    let export =
        |format: &str, more: &[&str]| world.run(&[&person[..], &[format], more].concat()).succeeded().stdout;
    let beancount = export("beancount", &[]);
    assert!(beancount.contains("\noption \"title\" \"Pay of John Doe\"\n"), "{beancount}");
    assert!(beancount.contains(" balance Income:"), "{beancount}");
    assert!(export("hledger", &[]).contains("USD =* "));
    assert!(export("csv", &[]).starts_with("person,employer,statement_id,"));
    assert_eq!(export("beancount", &["--output", "pay.beancount"]), "");
    assert_eq!(fs::read_to_string(world.home.path("pay.beancount")).unwrap(), beancount);
    assert!(!world.home.path("pay.beancount.new").exists());
    let company = ["export", "--company", "--format", "csv", "--from", "2026-03-01", "--to", "2026-03-31"];
    // More than a pipe holds.
    world.run(&[&company[..], &["--output", "company.csv"]].concat()).succeeded();
    let company = fs::read_to_string(world.home.path("company.csv")).unwrap();
    assert!(company.lines().count() > 100 && company.contains("Bluebarrow Logistics"), "{company}");
}

#[test]
fn an_export_that_cannot_be_is_explained() {
    let world = World::start();
    let export =
        |more: &[&str]| world.run(&[&["export", "--format", "csv", "--output", "pay.csv"], more].concat());
    export(&["--username", "nobody"]).failed_with(&["user name nobody", "404"]);
    export(&["--username", "goodlogin", "--from", "yesterday"]).failed_with(&["from", "YYYY-MM-DD"]);
    export(&["--username", "goodlogin", "--provider", "moon"]).failed_with(&["provider_id"]);
    assert!(!world.home.path("pay.csv").exists());
    let nowhere =
        ["export", "--format", "csv", "--company", "--from", "2026-11-01", "--output", "no/such/folder.csv"];
    world.run(&nowhere).failed_with(&["no/such/folder.csv cannot be written"]);

    let home = Home::new();
    let export = ["sandbox", "export", "--format", "csv", "--company"];
    home.run(&export).failed_with(&["API_CLIENT_ID and API_SECRET are not set", "citadel client create"]);
    let mut command = world.home.command(&export);
    finish(command.env("API_URL", format!("http://{}/v1/", free_address())))
        .failed_with(&["cannot be reached", "citadel serve"]);
}

fn scenario(label: &str) -> Value {
    json!({
        "data_source": "payroll", "label": label, "username": format!("{label}.login"), "password": "secret",
        "description": "to begin with", "payload": {"employments": [{"job_title": "Baker"}]},
    })
}

#[test]
fn scenarios_are_loaded_and_loading_again_replaces_them() {
    let world = World::start();
    let list = json!({"scenarios": [scenario("baker"), scenario("brewer")]});
    world.home.write("people.json", &list.to_string());
    let loaded = world.run(&["load", "people.json", "--json"]).succeeded().json();
    let ids: Vec<Value> = world.scenarios().iter().map(|each| each["id"].clone()).collect();
    let expected = |is_new| {
        json!([
            {"id": ids[0], "label": "baker", "is_new": is_new},
            {"id": ids[1], "label": "brewer", "is_new": is_new},
        ])
    };
    assert_eq!(loaded, expected(true));

    // What the file does not have any more goes; what it has is taken over; the id stays.
    let mut changed = list;
    changed["scenarios"][0].as_object_mut().unwrap().remove("description");
    changed["scenarios"][0]["payload"]["employments"][0] = json!({"is_active": true});
    world.home.write("people.json", &changed.to_string());
    assert_eq!(world.run(&["load", "people.json", "--json"]).succeeded().json(), expected(false));
    let after = world.scenarios();
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!(after[0].get("description"), None, "{}", after[0]);
    assert_eq!(after[0]["payload"]["employments"], json!([{"is_active": true}]));
    assert_eq!(after[1]["description"], "to begin with");

    // One by itself, from the standard input.
    let input = world.home.write("one.json", &scenario("butcher").to_string());
    let mut command = world.home.command(&["sandbox", "load", "-"]);
    let loaded = finish(command.stdin(Stdio::from(fs::File::open(input).unwrap()))).succeeded().stdout;
    assert!(loaded.ends_with("  butcher  new\n"), "{loaded}");
    let export = world.run(&["export", "--format", "csv", "--username", "butcher.login"]).succeeded();
    assert_eq!(export.stdout.lines().count(), 1, "nothing was paid yet: {export:?}");
}

#[test]
fn a_scenario_that_is_refused_is_explained_by_line() {
    let world = World::start();
    let good = scenario("good").to_string();
    let bad = "{\n  \"data_source\": \"payroll\",\n  \"label\": \"bad\",\n  \"username\": \"goodlogin\",\n  \
               \"password\": \"x\",\n  \"payload\": {\"employments\": [\n    {\"income_unit\": \"much\"}\n  ]}\n}";
    let after = scenario("after").to_string();
    world.home.write("people.json", &format!("[\n{good},\n{bad},\n{after}\n]"));
    let refused = world.run(&["load", "people.json"]).failed_with(&[
        "people.json:6: username: ",
        "people.json:9: payload.employments[0].income_unit: ",
        "were not loaded",
    ]);
    assert!(refused.stdout.contains("  good  new"), "{refused:?}");
    let labels: Vec<Value> = world.scenarios().iter().map(|each| each["label"].clone()).collect();
    assert_eq!(labels, ["good"]);
    // The same in place of one that is there.
    let worse = good.replace("\"Baker\"", "\n7");
    world.home.write("people.json", &format!("\n\n{worse}"));
    world.run(&["load", "people.json"]).failed_with(&["people.json:4: payload.employments[0].job_title: "]);
    // What will be wrong on a day, by the line of the change; and what is wrong with the whole.
    let later = r#"{"date": "2027-01-04", "set":
{"job_title": 7}}"#;
    let worse = good.replacen("\"job_title\":", &format!("\"changes\": [{later}], \"job_title\":"), 1);
    world.home.write("people.json", &format!("\n\n{worse}"));
    let field = "payload.employments[0].changes[0].set.job_title";
    world.run(&["load", "people.json"]).failed_with(&[&format!("people.json:4: {field}: ")]);
    let large = good.replace("to begin with", &"x".repeat(65_536));
    world.home.write("people.json", &large);
    world.run(&["load", "people.json"]).failed_with(&["people.json:1: A scenario has 65536 bytes at most"]);
}

#[test]
fn what_is_no_json_or_no_scenario_is_seen_before_anything_is_sent() {
    let home = Home::new();
    let check = |text: &str, expected: &[&str]| {
        home.write("people.json", text);
        home.run(&["sandbox", "load", "people.json"]).failed_with(expected);
    };
    check("[\n{},\n", &["people.json:3:0: this is not JSON"]);
    check("{\n  \"label\": oops\n}", &["people.json:2:12: this is not JSON"]);
    check("[\n7]", &["people.json:2: this is not a scenario"]);
    check("[{\"label\": \"a\"},\n{\"label\": \"a\"}]", &["people.json:2: label: another scenario"]);
    home.run(&["sandbox", "load", "nothing.json"]).failed_with(&["nothing.json cannot be read"]);
    check("{}", &["API_CLIENT_ID and API_SECRET are not set"]);
}

#[test]
fn people_are_listed_with_what_they_teach() {
    let home = Home::new();
    let people = home.run(&["sandbox", "people", "--json"]).succeeded().json();
    let people = people.as_array().unwrap();
    assert!(!people.is_empty());
    let table = home.run(&["sandbox", "people"]).succeeded().stdout;
    for person in people {
        let (username, teaches) = (person["username"].as_str().unwrap(), person["teaches"].as_str().unwrap());
        assert!(
            username.starts_with("ugly.") && !teaches.is_empty() && person["password"] == "goodpassword",
            "{person}"
        );
        assert!(table.lines().any(|line| line.starts_with(username) && line.ends_with(teaches)), "{table}");
    }
}
