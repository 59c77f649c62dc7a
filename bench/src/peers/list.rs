//! The list of peers, and the folder in which one runs.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::Deserialize;
use tempfile::TempDir;

/// The canned answers: name and JSON text.
pub(crate) type Bodies = [(&'static str, String); 3];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    peer: Vec<Peer>,
}

/// A tool that people use instead.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Peer {
    pub(crate) name: String,
    /// For whoever reads the list.
    #[serde(rename = "what")]
    _what: String,
    /// What is there when it is installed, below the folder of the peers.
    installed: PathBuf,
    /// Programs that it needs besides.
    #[serde(default)]
    needs: Vec<String>,
    /// Its settings, below the folder of the peers.
    folder: PathBuf,
    /// The command as one would type it.
    pub(crate) start: Vec<String>,
    pub(crate) port: u16,
    /// Other ports that it takes.
    #[serde(default)]
    also: Vec<u16>,
    /// The path that answers 200 once it is up.
    pub(crate) ready: String,
}

/// The peers of the list, and the folder beside it that holds them.
pub(crate) fn read(file: &Path) -> anyhow::Result<(Vec<Peer>, PathBuf)> {
    let text = fs::read_to_string(file).with_context(|| {
        format!("cannot read {}: run this in the checkout, or name it with --list", file.display())
    })?;
    let list: List = toml::from_str(&text).with_context(|| format!("cannot read {}", file.display()))?;
    let folder = file.with_extension("");
    let folder = folder.canonicalize().with_context(|| format!("there is no folder {}", folder.display()))?;
    Ok((list.peer, folder))
}

impl Peer {
    /// Why it cannot run here, if it cannot.
    pub(crate) fn absence(&self, folder: &Path) -> Option<String> {
        if !folder.join(&self.installed).exists() {
            return Some("it is not installed: bench/install-peers.sh does that".to_owned());
        }
        let needs = self.needs.iter().find(|program| !is_on_path(program))?;
        Some(format!("there is no {needs}: bench/install-peers.sh installs it"))
    }

    pub(crate) fn ports(&self) -> impl Iterator<Item = u16> {
        std::iter::once(self.port).chain(self.also.iter().copied())
    }

    /// A copy of its settings with the answers and the port written in, and the answers as files beside.
    pub(crate) fn prepare(&self, folder: &Path, bodies: &Bodies) -> anyhow::Result<TempDir> {
        let home = tempfile::Builder::new().prefix("citadel-bench-peer-").tempdir()?;
        let mut words = vec![("\"<port>\"".to_owned(), self.port.to_string())];
        for (name, body) in bodies {
            words.push((format!("\"<{name}>\""), body.clone()));
            words.push((format!("\"<{name} as text>\""), serde_json::to_string(body)?));
            fs::write(home.path().join(name).with_extension("json"), body)?;
        }
        let from = folder.join(&self.folder);
        copy(&from, home.path(), &words).with_context(|| format!("cannot copy {}", from.display()))?;
        Ok(home)
    }
}

fn copy(from: &Path, to: &Path, words: &[(String, String)]) -> io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            // What Python compiled is not text, and not settings.
            if entry.file_name() == "__pycache__" {
                continue;
            }
            fs::create_dir(&to)?;
            copy(&entry.path(), &to, words)?;
        } else {
            let text = fs::read_to_string(entry.path())?;
            fs::write(&to, words.iter().fold(text, |text, (word, value)| text.replace(word, value)))?;
        }
    }
    Ok(())
}

fn is_on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_gets_its_answers_and_its_port() {
        let (peers, folder) =
            read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/peers.toml"))).expect("the list");
        let bodies: Bodies =
            ["status", "token", "incomes"].map(|name| (name, format!(r#"{{"is":"{name}"}}"#)));
        for peer in peers {
            let home = peer.prepare(&folder, &bodies).expect("a folder");
            assert_eq!(fs::read_to_string(home.path().join("token.json")).expect("a file"), bodies[1].1);
            check_filled(home.path());
        }
    }

    fn check_filled(folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                check_filled(&path);
            } else if path.extension().is_some_and(|extension| extension == "json") {
                let text = fs::read_to_string(&path).expect("a file");
                serde_json::from_str::<serde_json::Value>(&text).expect("JSON");
                assert!(!text.contains("\"<"), "{} holds a word that nothing replaced", path.display());
            }
        }
    }
}
