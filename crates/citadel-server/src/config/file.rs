//! Where values come from: the file first, then the environment over it.

use std::{collections::BTreeMap, io, path::Path};

use super::{
    DEFAULT_FILE,
    problem::Problem,
    settings::{self, Setting},
};

/// The value of each setting that was given, as text.
#[derive(Debug, Default)]
pub(super) struct Values(BTreeMap<&'static str, String>);

impl Values {
    /// What was given for this setting, if anything.
    pub(super) fn given(&self, setting: &Setting) -> Option<&str> {
        self.0.get(setting.name).map(String::as_str)
    }

    /// What was given, else the default.
    pub(super) fn get(&self, setting: &Setting) -> Option<&str> {
        self.given(setting).or(setting.default)
    }

    /// Gives a value that was not asked for.
    pub(super) fn set(&mut self, setting: &Setting, value: &str) {
        self.0.insert(setting.name, value.to_owned());
    }

    /// As if it had not been given.
    pub(super) fn remove(&mut self, setting: &Setting) {
        self.0.remove(setting.name);
    }

    /// An empty variable counts as unset, as an empty text in the file does: that is how compose files and shells
    /// "unset" one.
    pub(super) fn lay_environment_over(&mut self, environment: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in environment {
            let setting = settings::ALL.iter().copied().find(|setting| setting.env == name);
            if let Some(setting) = setting
                && !value.is_empty()
            {
                self.0.insert(setting.name, value);
            }
        }
    }
}

/// Reads the file. A missing `citadel.toml` is fine unless it was named.
pub(super) fn read(named: Option<&Path>, problems: &mut Vec<Problem>) -> Values {
    let path = named.unwrap_or_else(|| Path::new(DEFAULT_FILE));
    let mut problem = |what: String, fix: &str| {
        problems.push(Problem {
            setting: path.display().to_string(),
            value: None,
            what,
            fix: fix.to_owned(),
        });
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => return Values::default(),
        Err(error) => {
            problem(
                format!("cannot be read ({error})"),
                "name a readable TOML file with --config, or leave it out",
            );
            return Values::default();
        }
    };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            // Only the reason and the line: the error's own rendering quotes the text, which may hold a password.
            let line = error.span().map_or(1, |span| 1 + text[..span.start].matches('\n').count());
            problem(
                format!("line {line} is not valid TOML ({})", error.message()),
                "write each setting as name = \"value\"; `citadel config default` prints an example",
            );
            return Values::default();
        }
    };
    let mut values = Values::default();
    for (name, value) in table {
        let Some(setting) = settings::ALL.iter().copied().find(|setting| setting.name == name) else {
            let fix = match nearest(&name) {
                Some(setting) => format!("remove it, or did you mean {:?}?", setting.name),
                None => "remove it; `citadel config default` prints every setting".to_owned(),
            };
            problem(format!("{name:?} is not a setting"), &fix);
            continue;
        };
        match value {
            toml::Value::String(text) if text.is_empty() => {}
            toml::Value::String(text) => _ = values.0.insert(setting.name, text),
            other => problem(
                format!("{name:?} is a {}, not a text", other.type_str()),
                &format!("put it in quotes: {name} = \"…\""),
            ),
        }
    }
    values
}

/// The setting that begins most like this name. Typing errors rarely hit the first three letters.
fn nearest(name: &str) -> Option<&'static Setting> {
    let alike = |setting: &&Setting| {
        name.bytes().zip(setting.name.bytes()).take_while(|(left, right)| left == right).count()
    };
    settings::ALL.iter().copied().max_by_key(alike).filter(|setting| alike(setting) >= 3)
}
