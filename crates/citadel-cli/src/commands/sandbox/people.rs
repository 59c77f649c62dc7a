//! `citadel sandbox people`: who breaks integrations, and how.

use std::process::ExitCode;

use citadel_server::{UGLY_PASSWORD, ugly_pack};
use serde_json::{Value, json};

use crate::output;

pub(super) fn run(as_json: bool) -> ExitCode {
    let pack = ugly_pack();
    if as_json {
        let row = |ugly: &citadel_server::Ugly| json!({"username": ugly.username, "password": UGLY_PASSWORD, "teaches": ugly.teaches});
        output::json(&pack.iter().map(row).collect::<Vec<Value>>());
        return ExitCode::SUCCESS;
    }
    let width = pack.iter().map(|ugly| ugly.username.len()).max().unwrap_or_default();
    for ugly in pack {
        output::line(&format!("{:width$}  {}", ugly.username, ugly.teaches));
    }
    output::line(&format!("The password of each is {UGLY_PASSWORD}."));
    ExitCode::SUCCESS
}
