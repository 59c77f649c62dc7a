//! The Debian package, the unit of systemd, and what shells and `man` read.

use std::{fs, path::Path, process::Command};

use crate::harness::Home;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

fn text(path: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap()
}

#[test]
fn shells_and_man_know_every_verb() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = home.run(&["completions", shell]).succeeded().stdout;
        for word in ["doctor", "forward-to", "beancount"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
    }
    home.run(&["man", "man"]).succeeded();
    let page = |name: &str| fs::read_to_string(home.path("man").join(name)).unwrap();
    assert!(page("citadel.1").contains("citadel\\-serve(1)"), "{}", page("citadel.1"));
    assert!(
        page("citadel-client-create.1").contains("citadel client create"),
        "{}",
        page("citadel-client-create.1")
    );
    assert!(!home.path("man/citadel-man.1").exists(), "a hidden verb has a page");
}

#[test]
fn a_folder_that_cannot_be_written_is_said() {
    let home = Home::new();
    home.write("man", "a file");
    let finished = home.run(&["man", "man/man1"]);
    assert_eq!(finished.code, 1);
    assert!(finished.stderr.contains("name a folder that can be written"), "{finished:?}");
}

/// The package is unpacked, not installed: that would need to be root, and change the machine.
#[test]
fn the_debian_package_holds_a_program_that_runs() {
    let home = Home::new();
    let packed = Command::new(Path::new(ROOT).join("scripts/make-deb.sh"))
        .arg(env!("CARGO_BIN_EXE_citadel"))
        .arg(home.path("deb"))
        .env("COMPRESSION", "none")
        .output()
        .unwrap();
    assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
    let package = fs::read_dir(home.path("deb")).unwrap().next().unwrap().unwrap().path();
    let root = home.path("root");
    let unpacked = Command::new("dpkg-deb").arg("--raw-extract").args([&package, &root]).status();
    assert!(unpacked.unwrap().success());

    let version = Command::new(root.join("usr/bin/citadel")).arg("--version").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    assert_eq!(version.trim(), concat!("citadel ", env!("CARGO_PKG_VERSION")));
    for file in [
        "usr/lib/systemd/system/citadel.service",
        "usr/share/man/man1/citadel-serve.1.gz",
        "usr/share/bash-completion/completions/citadel",
        "usr/share/zsh/vendor-completions/_citadel",
        "usr/share/fish/vendor_completions.d/citadel.fish",
        "usr/share/doc/citadel/copyright",
        "etc/citadel/citadel.toml",
    ] {
        assert!(fs::metadata(root.join(file)).unwrap().len() > 0, "{file}");
    }
    let control = fs::read_to_string(root.join("DEBIAN/control")).unwrap();
    assert!(control.contains(&format!("Version: {}\n", env!("CARGO_PKG_VERSION"))), "{control}");
    for script in ["postinst", "prerm", "postrm"] {
        let checked = Command::new("sh").arg("-n").arg(root.join("DEBIAN").join(script)).status().unwrap();
        assert!(checked.success(), "{script}");
    }
}

/// Every setting of the packaged file is one, and nothing is wrong with it but what an installation makes.
#[test]
fn the_packaged_settings_are_settings() {
    let home = Home::new();
    let key = home.write_private("root.key", &"5a".repeat(32));
    let settings = text("deploy/citadel.toml")
        .replace("/etc/citadel/keys/root.key", key.to_str().unwrap())
        .replace("/var/lib/citadel", home.path("data").to_str().unwrap());
    home.write("citadel.toml", &settings);
    home.run(&["--config", "citadel.toml", "config", "check"]).succeeded();
}

#[test]
fn the_unit_starts_what_the_package_brings_and_locks_it_in() {
    let unit = text("deploy/citadel.service");
    let has = |line: &str| assert!(unit.lines().any(|found| found == line), "the unit has no line {line}");
    has("ExecStart=/usr/bin/citadel --config /etc/citadel/citadel.toml serve");
    has("ExecReload=/bin/kill -HUP $MAINPID");
    for locked in
        ["User=citadel", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "UMask=0077"]
    {
        has(locked);
    }
    // Where it may write, and where the packaged settings say that it does.
    has("StateDirectory=citadel");
    assert!(text("deploy/citadel.toml").contains("\ndata_dir = \"/var/lib/citadel\"\n"));
    // A rotation of the root key writes beside it, as the server's user.
    has("ReadWritePaths=-/etc/citadel/keys");
    assert!(text("deploy/citadel.toml").contains("\nroot_key_file = \"/etc/citadel/keys/root.key\"\n"));
    assert!(
        text("deploy/debian/postinst")
            .contains("install -d -o citadel -g citadel -m 0700 /etc/citadel/keys\n")
    );
}
