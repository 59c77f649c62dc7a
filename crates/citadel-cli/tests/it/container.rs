//! What can be said about `deploy/Containerfile` without building it.

use std::{fs, path::Path};

use crate::{ephemeral::Ephemeral, harness::Home};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The arguments of every line that begins with this word.
fn lines<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter_map(move |line| line.strip_prefix(word)?.strip_prefix(' '))
}

fn text() -> String {
    fs::read_to_string(Path::new(ROOT).join("deploy/Containerfile")).unwrap()
}

#[test]
fn the_containerfile_names_what_exists() {
    let text = text();
    let copied: Vec<&str> = lines(&text, "COPY")
        .filter(|copied| !copied.starts_with("--from"))
        .flat_map(|copied| copied.rsplit_once(' ').unwrap().0.split(' '))
        .collect();
    for path in &copied {
        assert!(Path::new(ROOT).join(path).exists(), "{path}");
    }
    let manifest = fs::read_to_string(Path::new(ROOT).join("Cargo.toml")).unwrap();
    let value = |name| lines(&manifest, name).next().unwrap().trim_start_matches("= ");
    let members: Vec<&str> = serde_json::from_str(value("members")).unwrap();
    for member in members {
        let folder = member.trim_end_matches("/*");
        assert!(copied.contains(&folder), "cargo needs every member: {folder}");
    }
    let rust = value("rust-version").trim_matches('"');
    assert!(lines(&text, "FROM").any(|image| image.contains(&format!("/rust:{rust}-"))), "Rust {rust}");
}

/// The program with the arguments and variables of the image, on a free port.
#[test]
fn the_containers_command_starts_a_server() {
    let text = text();
    let list = |word| -> Vec<String> { serde_json::from_str(lines(&text, word).next().unwrap()).unwrap() };
    assert_eq!(list("ENTRYPOINT"), ["citadel"]);
    let home = Home::new();
    let arguments = list("CMD");
    let mut command = home.command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let (name, listen) = lines(&text, "ENV").next().unwrap().split_once('=').unwrap();
    let (address, port) = listen.split_once(':').unwrap();
    assert_eq!(lines(&text, "EXPOSE").next(), Some(port));
    command.env(name, format!("{address}:0")).env("TMPDIR", &home.0);
    let server = Ephemeral::start(&mut command);
    // Nobody can call 0.0.0.0; a published port is reached at the loopback address.
    assert!(server.value("API_URL").starts_with("http://127.0.0.1:"), "{:?}", server.lines);
    assert_eq!(server.get("/v1/providers/").0, 200);
}
