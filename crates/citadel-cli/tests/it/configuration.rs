use crate::harness::{Home, finish};

#[test]
fn a_wrong_configuration_stops_the_start_with_every_problem_and_nothing_written() {
    let home = Home::new();
    home.write("citadel.toml", "profile = \"production\"\nport = \"80\"\n");
    let mut command = home.command(&["serve"]);
    command.env("CITADEL_LISTEN", "localhost").env("CITADEL_PUBLIC_URL", "http://citadel.example.com");
    command
        .env("CITADEL_DATABASE_URL", "mongodb://reader:hunter2hunter2@db/citadel")
        .env("CITADEL_TLS_KEY", "key.pem");
    let finished = finish(&mut command).failed_with(&[
        "the configuration has 6 problems",
        "citadel.toml: \"port\" is not a setting",
        "CITADEL_LISTEN (listen in the file) = \"localhost\"",
        "plain http",
        "CITADEL_ROOT_KEY_FILE",
        "CITADEL_DATABASE_URL",
        "TLS proxy",
    ]);
    assert_eq!(finished.stderr.matches("fix: ").count(), 6, "{finished:?}");
    assert!(!finished.stderr.contains("hunter2"), "{finished:?}");
    assert!(!home.path("data").exists());
}

#[test]
fn check_says_what_is_in_force_and_what_is_risky() {
    let home = Home::new();
    let good = home.run(&["config", "check"]).succeeded().stdout;
    assert!(good.contains("CITADEL_PROFILE           development") && good.contains("is good"), "{good}");

    let mut command = home.command(&["config", "check", "--json"]);
    command.env("CITADEL_DATABASE_URL", "postgres://citadel:hunter2hunter2@db.example.com/citadel");
    let finished = finish(&mut command).succeeded();
    assert!(!finished.stdout.contains("hunter2"), "{finished:?}");
    let json = finished.json();
    assert_eq!(json["settings"]["CITADEL_DATABASE_URL"], "postgres://citadel:…@db.example.com/citadel");
    assert_eq!(json["risks"].as_array().unwrap().len(), 1, "{json}");

    let mut command = home.command(&["config", "check", "--json"]);
    let wrong = finish(command.env("CITADEL_PROFILE", "staging"));
    assert_eq!((wrong.code, wrong.json()["problems"][0]["value"].as_str()), (1, Some("staging")));
}

#[test]
fn the_printed_default_is_a_file_that_works() {
    let home = Home::new();
    let text = home.run(&["config", "default"]).succeeded().stdout;
    home.write("citadel.toml", &text);
    home.run(&["config", "check"]).succeeded();
    home.run(&["--config", "elsewhere.toml", "config", "check"])
        .failed_with(&["elsewhere.toml", "cannot be read"]);
}
