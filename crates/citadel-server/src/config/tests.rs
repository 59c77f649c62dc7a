use std::path::PathBuf;

use super::*;

fn load(environment: &[(&str, &str)]) -> Result<Config, Problems> {
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::load(None, pairs)
}

fn problems(environment: &[(&str, &str)]) -> String {
    load(environment).unwrap_err().to_string()
}

/// A file of one test's own, which goes with it.
struct File(PathBuf);

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn file(name: &str, text: &str) -> File {
    let path = std::env::temp_dir().join(format!("citadel-config-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    File(path)
}

#[test]
fn nothing_set_is_the_documented_default() {
    let config = load(&[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8700");
    assert_eq!(config.dashboard_listen.to_string(), "127.0.0.1:8701");
    assert_eq!(config.metrics_listen.to_string(), "127.0.0.1:8702");
    assert_eq!(config.data_dir, PathBuf::from("./data"));
    assert_eq!(config.root_key_file, PathBuf::from("./data/root.key"));
    assert_eq!(config.rate_limit, 300);
    assert_eq!(config.replay_policy, ReplayPolicy::Keep);
    assert!(config.keeps_call_bodies);
    assert!(!load(&[("CITADEL_CALL_BODIES", "off")]).unwrap().keeps_call_bodies);
    assert_eq!(config.profile, Profile::Development);
    assert_eq!(config.public_url_for(config.listen), "http://127.0.0.1:8700");
    assert_eq!(config.risks, []);
}

#[test]
fn every_problem_is_listed_with_its_setting_value_and_fix() {
    let text = problems(&[
        ("CITADEL_PROFILE", "staging"),
        ("CITADEL_LISTEN", "localhost:8700"),
        ("CITADEL_METRICS_LISTEN", "0.0.0.0:8702"),
        ("CITADEL_DASHBOARD_LISTEN", "127.0.0.1:99999"),
        ("CITADEL_PUBLIC_URL", "citadel.example.com"),
        ("CITADEL_DATABASE_URL", "mysql://root:hunter2hunter2@db/citadel"),
        ("CITADEL_TLS_CERT", "cert.pem"),
        ("CITADEL_REPLAY_POLICY", "forget"),
        ("CITADEL_CALL_BODIES", "whole"),
        ("CITADEL_RATE_LIMIT", "-1"),
        ("CITADEL_LOG", "citadel_server=loud"),
    ]);
    assert!(text.starts_with("the configuration has 11 problems"), "{text}");
    for setting in [
        "PROFILE",
        "CALL_BODIES",
        "LISTEN",
        "METRICS_LISTEN",
        "DASHBOARD_LISTEN",
        "PUBLIC_URL",
        "DATABASE_URL",
        "RATE_LIMIT",
        "REPLAY_POLICY",
        "LOG",
    ] {
        assert!(text.contains(&format!("CITADEL_{setting} (")), "{setting}: {text}");
    }
    assert!(text.contains("(listen in the file) = \"localhost:8700\""), "{text}");
    assert_eq!(text.matches("fix: ").count(), 11, "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn the_environment_wins_over_the_file() {
    let path = file("wins", "listen = \"127.0.0.1:1\"\ndata_dir = \"/srv/citadel\"\nlog = \"\"\n");
    let environment = [("CITADEL_LISTEN".to_owned(), "127.0.0.1:2".to_owned())];
    let config = Config::load(Some(&path.0), environment).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:2");
    assert_eq!(config.data_dir, PathBuf::from("/srv/citadel"));
    assert_eq!(config.log, "info");
}

#[test]
fn a_wrong_file_is_told_with_names_and_lines_and_no_values() {
    let path = file("keys", "listne = \"127.0.0.1:1\"\nlog = 3\ncolour = \"green\"\n");
    let text = Config::load(Some(&path.0), []).unwrap_err().to_string();
    assert!(text.contains("3 problems") && text.contains("did you mean \"listen\"?"), "{text}");
    assert!(
        text.contains("\"log\" is a integer, not a text") && text.contains("\"colour\" is not a setting"),
        "{text}"
    );

    let path = file("syntax", "log = \"info\"\ndatabase_url = \"postgres://a:hunter2hunter2@b/c\n");
    let text = Config::load(Some(&path.0), []).unwrap_err().to_string();
    assert!(text.contains("line 2 is not valid TOML") && !text.contains("hunter2"), "{text}");

    let text = Config::load(Some(Path::new("/nowhere/citadel.toml")), []).unwrap_err().to_string();
    assert!(text.contains("/nowhere/citadel.toml: cannot be read"), "{text}");
}

#[test]
fn p64_production_accepts_nothing_unsafe() {
    let text =
        problems(&[("CITADEL_PROFILE", "production"), ("CITADEL_PUBLIC_URL", "http://citadel.example.com")]);
    assert!(text.contains("2 problems"), "{text}");
    assert!(text.contains("CITADEL_ROOT_KEY_FILE") && text.contains("plain http"), "{text}");

    let text = problems(&[
        ("CITADEL_PROFILE", "production"),
        ("CITADEL_PUBLIC_URL", "https://citadel.example.com"),
        ("CITADEL_DASHBOARD_URL", "https://Citadel.example.com:8443"),
    ]);
    assert!(text.contains("CITADEL_DASHBOARD_URL") && text.contains("a host name of its own"), "{text}");

    let good = [
        ("CITADEL_PROFILE", "production"),
        ("CITADEL_PUBLIC_URL", "https://citadel.example.com/"),
        ("CITADEL_ROOT_KEY_FILE", "/etc/citadel/root.key"),
    ];
    let config = load(&good).unwrap();
    assert_eq!(config.public_url.as_deref(), Some("https://citadel.example.com"));
    assert_eq!(config.risks, []);
    let loopback = [good[0], ("CITADEL_PUBLIC_URL", "http://[::1]:8700"), good[2]];
    assert!(load(&loopback).is_ok());
}

#[test]
fn p64_every_risky_setting_is_named() {
    let config = load(&[
        ("CITADEL_LISTEN", "0.0.0.0:8700"),
        ("CITADEL_DATABASE_URL", "postgres://citadel:hunter2hunter2@db.example.com:5432/citadel"),
        ("CITADEL_LOG", "trace"),
    ])
    .unwrap();
    let risks: Vec<_> = config.risks.iter().map(ToString::to_string).collect();
    assert_eq!(risks.len(), 3, "{risks:?}");
    assert!(!format!("{risks:?} {config:?} {:?}", config.lines()).contains("hunter2"));
    assert_eq!(config.public_url_for(config.listen), "http://127.0.0.1:8700");
}

#[test]
fn a_database_on_this_machine_is_no_risk() {
    let risks = |url: &str| load(&[("CITADEL_DATABASE_URL", url)]).unwrap().risks.len();
    for near in
        ["localhost/c", "a:b@127.0.0.1:5432/c", "[::1]/c", "a@[::1]:5432/c", "a@%2Frun%2Fpostgresql/c", "/c"]
    {
        assert_eq!(risks(&format!("postgres://{near}")), 0, "{near}");
    }
    for far in ["db/c", "a:b@10.0.0.1:5432/c", "localhost.example.com/c", "a@[2001:db8::1]/c"] {
        assert_eq!(risks(&format!("postgres://{far}")), 1, "{far}");
    }
}

#[test]
fn p50_a_database_on_another_machine_is_spoken_to_by_tls_or_says_why_not() {
    let production = |url: &str| {
        load(&[
            ("CITADEL_PROFILE", "production"),
            ("CITADEL_PUBLIC_URL", "https://citadel.example.com"),
            ("CITADEL_ROOT_KEY_FILE", "/etc/citadel/root.key"),
            ("CITADEL_DATABASE_URL", url),
        ])
        .map(|config| config.risks.len())
        .map_err(|problems| problems.to_string())
    };
    for (safe, risks) in [
        ("postgres://citadel@db.example.com/c?sslmode=verify-full", 0),
        ("postgres://citadel@db.example.com/c?connect_timeout=3&sslmode=require", 0),
        ("postgres://citadel@db.example.com/c?sslmode=disable", 1),
        ("postgres://citadel@127.0.0.1/c", 0),
        ("postgres://citadel@/c?host=/run/postgresql", 0),
    ] {
        assert_eq!(production(safe), Ok(risks), "{safe}");
    }
    for open in [
        "postgres://citadel@db.example.com/c",
        "postgres://citadel@127.0.0.1,db.example.com/c",
        "postgres://citadel@db.example.com/c?sslmode=prefer",
        "postgres://citadel@localhost/c?hostaddr=10.0.0.1",
    ] {
        let problem = production(open).unwrap_err();
        assert!(problem.contains("in the open") && problem.contains("sslmode=disable"), "{open}: {problem}");
    }
    assert!(production("postgres://db/c?sslmode=verify-ca").unwrap_err().contains("another sslmode"));

    let ca = |url: &str| load(&[("CITADEL_DATABASE_URL", url), ("CITADEL_DATABASE_CA", "/etc/ca.pem")]);
    assert_eq!(ca("postgres://db/c?sslmode=require").unwrap().database_ca, Some("/etc/ca.pem".into()));
    assert!(ca("postgres://db/c").unwrap_err().to_string().contains("asks for no TLS"));
    assert!(problems(&[("CITADEL_DATABASE_CA", "/etc/ca.pem")]).contains("CITADEL_DATABASE_URL is not"));
}

#[test]
fn a_node_that_leaves_waits_no_longer_than_it_may() {
    assert_eq!(load(&[("CITADEL_STOP_WAIT", "15")]).unwrap().stop_wait, Duration::from_secs(15));
    for wrong in ["16", "-1", "soon"] {
        assert!(problems(&[("CITADEL_STOP_WAIT", wrong)]).contains("from 0 to 15"), "{wrong}");
    }
}

#[test]
fn parts_of_a_node_need_a_database_that_nodes_share() {
    let shared = load(&[("CITADEL_DATABASE_URL", "postgres://localhost/c")]).unwrap();
    for part in [Part::Listener, Part::Worker] {
        assert_eq!(shared.clone().doing(part).unwrap().part, part);
        assert!(load(&[]).unwrap().doing(part).unwrap_err().fix.contains("citadel serve"));
    }
}

#[test]
fn public_urls() {
    let check = |url: &str, expected: Option<&str>| {
        let config = load(&[("CITADEL_PUBLIC_URL", url)]);
        assert_eq!(
            config.as_ref().ok().and_then(|config| config.public_url.as_deref()),
            expected,
            "{url} {config:?}"
        );
    };
    check("https://citadel.example.com", Some("https://citadel.example.com"));
    check("http://10.0.0.1:8700/", Some("http://10.0.0.1:8700"));
    for bad in [
        "ftp://a",
        "https://a/path",
        "https://a?b=c",
        "https://a#b",
        "https://u:p@a",
        "https://",
        "//a",
        "a b",
    ] {
        check(bad, None);
    }
}

#[test]
fn a_certificate_needs_its_key_and_makes_the_public_address_https() {
    let (cert, key) = (("CITADEL_TLS_CERT", "/c.pem"), ("CITADEL_TLS_KEY", "/k.pem"));
    let config = load(&[cert, key]).unwrap();
    assert_eq!((config.scheme(), config.risks.len()), ("https", 0));
    assert_eq!(config.public_url_for(config.listen), "https://127.0.0.1:8700");
    let unspecified = "0.0.0.0:443".parse().unwrap();
    assert_eq!(config.public_url_for(unspecified), "https://127.0.0.1:443");
    assert!(config.lines().contains(&("CITADEL_TLS_KEY", "/k.pem".to_owned())));

    for (given, missing) in [(cert, "TLS_KEY ("), (key, "TLS_CERT (")] {
        let text = problems(&[given]);
        assert!(text.contains(missing) && text.contains(&format!("but {} is", given.0)), "{text}");
    }
    let text = problems(&[cert, key, ("CITADEL_PUBLIC_URL", "http://127.0.0.1:8700")]);
    assert!(text.contains("CITADEL_PUBLIC_URL") && text.contains("nothing but TLS is spoken"), "{text}");
    // Nothing crosses the network in the open.
    assert_eq!(load(&[cert, key, ("CITADEL_LISTEN", "0.0.0.0:443")]).unwrap().risks, []);
}

#[test]
fn p49_only_production_with_a_certificate_of_its_own_is_strict() {
    let tls = [("CITADEL_TLS_CERT", "/c.pem"), ("CITADEL_TLS_KEY", "/k.pem")];
    let production = [("CITADEL_PROFILE", "production"), ("CITADEL_ROOT_KEY_FILE", "/root.key")];
    assert!(load(&[tls, production].concat()).unwrap().is_transport_strict());
    assert!(!load(&tls).unwrap().is_transport_strict());
    assert!(!load(&production).unwrap().is_transport_strict());
}

#[test]
fn listeners_need_ports_of_their_own() {
    let text = problems(&[("CITADEL_LISTEN", "127.0.0.1:8702")]);
    assert!(text.contains("is also the address of CITADEL_LISTEN"), "{text}");
    let free = [("CITADEL_LISTEN", "127.0.0.1:0"), ("CITADEL_METRICS_LISTEN", "127.0.0.1:0")];
    assert!(load(&free).is_ok());
}

#[test]
fn database_addresses_are_masked() {
    let check = |url, expected| assert_eq!(mask_url(url), expected);
    check("postgres://citadel:p@ss:w@db:5432/citadel?password=x", "postgres://citadel:…@db:5432/citadel");
    check("postgres://db/citadel", "postgres://db/citadel");
    check("password=x host=y", "(not shown, it may hold a password)");
}

#[test]
fn the_commented_default_is_a_valid_file_with_every_setting() {
    let text = default_text();
    for setting in settings::ALL.iter().copied() {
        assert!(text.contains(&format!("[{}]\n#{} = ", setting.env, setting.name)), "{}", setting.name);
    }
    // As printed, and with every comment sign before a setting removed.
    Config::load(Some(&file("default", &text).0), []).unwrap();
    let lines: Vec<_> = text
        .lines()
        .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with([' ', '['])).unwrap_or(line))
        .collect();
    let config = Config::load(Some(&file("default-set", &lines.join("\n")).0), []).unwrap();
    assert_eq!(config.lines(), load(&[]).unwrap().lines());
}

fn ephemeral(environment: &[(&str, &str)]) -> Config {
    let pairs = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Config::ephemeral("/tmp/citadel-x", pairs).unwrap()
}

#[test]
fn an_ephemeral_server_takes_nothing_that_is_kept() {
    let config = ephemeral(&[
        ("CITADEL_PROFILE", "production"),
        ("CITADEL_DATA_DIR", "/srv/citadel"),
        ("CITADEL_DATABASE_URL", "postgres://db/citadel"),
        ("CITADEL_ROOT_KEY_FILE", "/etc/citadel/root.key"),
        ("CITADEL_PUBLIC_URL", "https://citadel.example.com"),
        ("CITADEL_LOG", "warn"),
    ]);
    assert!(config.is_ephemeral && config.is_embedded());
    assert_eq!(config.profile, Profile::Development);
    assert_eq!(config.data_dir, PathBuf::from("/tmp/citadel-x"));
    assert_eq!(config.root_key_file, PathBuf::from("/tmp/citadel-x/root.key"));
    assert_eq!((config.listen.to_string(), config.public_url), ("127.0.0.1:0".to_owned(), None));
    assert_eq!(config.metrics_listen.to_string(), "127.0.0.1:0");
    assert_eq!((config.log.as_str(), config.rate_limit), ("warn", 0));
    assert_eq!(ephemeral(&[("CITADEL_RATE_LIMIT", "10")]).rate_limit, 10);
    assert!(!load(&[]).unwrap().is_ephemeral);
}

#[test]
fn an_ephemeral_server_listens_where_it_is_told_to() {
    let config = ephemeral(&[
        ("CITADEL_LISTEN", "0.0.0.0:8700"),
        ("CITADEL_METRICS_LISTEN", "127.0.0.1:8702"),
        ("CITADEL_PUBLIC_URL", "http://citadel:8700"),
    ]);
    assert_eq!(config.listen.to_string(), "0.0.0.0:8700");
    assert_eq!(config.metrics_listen.to_string(), "127.0.0.1:8702");
    assert_eq!(config.public_url.as_deref(), Some("http://citadel:8700"));
}
