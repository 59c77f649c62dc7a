//! One file per verb.

pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod dev_cert;
pub(crate) mod doctor;
pub(crate) mod ephemeral;
pub(crate) mod hold;
pub(crate) mod key;
pub(crate) mod listen;
pub(crate) mod migrate;
pub(crate) mod root_key;
pub(crate) mod sandbox;
pub(crate) mod serve;
pub(crate) mod setup_code;
pub(crate) mod shell;
pub(crate) mod worker;

use std::path::Path;

use citadel_server::config::{Config, Part, Problems};

/// The configuration of this process: the file, with the environment over it.
fn load(file: Option<&Path>) -> Result<Config, Problems> {
    Config::load(file, environment())
}

/// The same, for a process that does this part of the work.
fn doing(file: Option<&Path>, part: Part) -> Result<Config, Problems> {
    load(file)?.doing(part).map_err(|problem| Problems(vec![problem]))
}

/// The environment of this process. A value that is not UTF-8 becomes one that its check refuses, with the setting's name.
fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
}
