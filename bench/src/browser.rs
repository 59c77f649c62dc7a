//! The loader and the widget in Chromium: F13 and F14. The measuring is done by `bench/browser.mjs`; this starts the
//! server for it and reads its figures.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, ensure};

use crate::{
    args::Options,
    figure::{Figure, Report},
    server::{self, Home, Server},
};

pub(crate) fn run(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let chromium = PathBuf::from(std::env::var_os("CHROMIUM").unwrap_or("/usr/bin/chromium".into()));
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if let Some(missing) = missing(root, &chromium) {
        report.skip("browser", &missing);
        return Ok(());
    }
    let binary = server::binary(&options.server)?;
    let home = Home::new()?;
    let server = Server::with_client(&binary, &home)?;
    report.progress("loader and widget in Chromium, its processor slowed down four times");
    let output = Command::new("node")
        .arg(root.join("browser.mjs"))
        .env("CITADEL_URL", format!("http://{}", server.program.address))
        .env("CITADEL_CLIENT_ID", &server.keys.client_id)
        .env("CITADEL_SECRET", &server.keys.secret)
        .env("CITADEL_BENCH_ROUNDS", options.rounds.to_string())
        .env("CHROMIUM", &chromium)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot run node")?;
    ensure!(output.status.success(), "browser.mjs failed ({})", output.status);
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        report.add(serde_json::from_str::<Figure>(line).with_context(|| format!("no figure: {line}"))?);
    }
    server.program.stop()
}

/// What the measuring needs and the machine lacks.
fn missing(root: &Path, chromium: &Path) -> Option<String> {
    let node = Command::new("node").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !node.is_ok_and(|status| status.success()) {
        return Some("node is not installed".to_owned());
    }
    if !chromium.exists() {
        return Some(format!("there is no Chromium at {}: name one in CHROMIUM", chromium.display()));
    }
    let library = root.join("../tests/node_modules/playwright-core");
    (!library.exists())
        .then(|| "playwright-core is not installed: run scripts/install-test-tools.sh".to_owned())
}
