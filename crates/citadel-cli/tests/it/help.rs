use crate::harness::Home;

#[test]
fn every_verb_explains_itself_with_an_example() {
    let home = Home::new();
    let verbs: &[&[&str]] = &[
        &[],
        &["serve"],
        &["worker"],
        &["migrate"],
        &["config"],
        &["config", "check"],
        &["config", "default"],
        &["client"],
        &["client", "create"],
        &["client", "list"],
        &["client", "delete"],
        &["audit"],
        &["audit", "verify"],
        &["audit", "list"],
        &["backup"],
        &["backup", "create"],
        &["backup", "verify"],
        &["backup", "restore"],
        &["backup", "settle"],
        &["backup", "ledger"],
        &["root-key"],
        &["root-key", "status"],
        &["root-key", "rotate"],
        &["root-key", "remove"],
        &["key"],
        &["key", "create"],
        &["key", "list"],
        &["key", "delete"],
        &["hold"],
        &["hold", "set"],
        &["hold", "clear"],
        &["hold", "list"],
        &["listen"],
        &["sandbox"],
        &["sandbox", "export"],
        &["sandbox", "load"],
        &["sandbox", "people"],
        &["doctor"],
        &["dev-cert"],
        &["completions"],
        &["man"],
    ];
    for verb in verbs {
        let help = home.run(&[verb, &["--help"][..]].concat()).succeeded().stdout;
        let example = help.split_once("\nExample").map_or("", |(_, example)| example);
        assert!(example.contains("citadel "), "{verb:?}: {help}");
    }
}

#[test]
fn wrong_use_is_exit_code_2() {
    let home = Home::new();
    let uses: &[&[&str]] = &[
        &[],
        &["surf"],
        &["serve", "--root-key", "00"],
        &["listen"],
        &["listen", "--forward-to", "http://localhost:5001/", "--after", "-1"],
        &["sandbox", "export", "--format", "csv"],
        &["sandbox", "export", "--format", "excel", "--company"],
        &["sandbox", "export", "--format", "csv", "--company", "--username", "goodlogin"],
        &["sandbox", "load"],
        &["dev-cert", "--host", "https://localhost"],
        &["dev-cert", "--host", "*.truv.com"],
        &["client", "create"],
        &["client", "delete"],
        &["backup", "create"],
        &["backup", "restore", "file"],
        &["backup", "restore", "file", "--ledger", "file", "--without-ledger"],
        &["backup", "restore", "file", "--ledger", "file", "--keep-key", "0190163d8694739bbe8c0a6b8d2b9a3e"],
        &["root-key", "remove"],
        &["key", "create", "--client", "short", "--env", "sandbox"],
        &["key", "create", "--client", "0190163d8694739bbe8c0a6b8d2b9a3e", "--env", "moon"],
    ];
    for arguments in uses {
        let finished = home.run(arguments);
        assert_eq!(finished.code, 2, "{arguments:?} {finished:?}");
    }
    assert!(!home.path("data").exists());
}
