//! `citadel migrate`.

use std::{path::Path, process::ExitCode, sync::Arc};

use citadel_domain::Random;
use citadel_server::{
    opening,
    system::{SystemClock, SystemRandom},
};

use crate::output;

pub(crate) async fn run(file: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = super::load(file)?;
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let opened = opening::open(&config, &SystemClock, &random).await?;
    output::line(&match opened.applied.as_slice() {
        [] => "The database is up to date.".to_owned(),
        applied => format!("Applied {}.", applied.join(", ")),
    });
    Ok(ExitCode::SUCCESS)
}
