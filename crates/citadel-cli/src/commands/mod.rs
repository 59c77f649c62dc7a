//! One file per verb.

pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod doctor;
pub(crate) mod key;
pub(crate) mod listen;
pub(crate) mod migrate;
pub(crate) mod serve;

use std::path::Path;

use citadel_server::config::{Config, Problems};

/// The configuration of this process: the file, with the environment over it.
fn load(file: Option<&Path>) -> Result<Config, Problems> {
    // A value that is not UTF-8 becomes one that its check refuses, with the setting's name.
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    Config::load(file, environment)
}
