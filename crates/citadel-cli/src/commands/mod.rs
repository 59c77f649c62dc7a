//! One file per verb.

pub mod client;
pub mod config;
pub mod doctor;
pub mod key;
pub mod migrate;
pub mod serve;

use std::path::Path;

use citadel_server::config::{Config, Problems};

/// The configuration of this process: the file, with the environment over it.
fn load(file: Option<&Path>) -> Result<Config, Problems> {
    // A value that is not UTF-8 becomes one that its check refuses, with the setting's name.
    let environment = std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()));
    Config::load(file, environment)
}
