//! Ctrl-C and its likes. Whoever is ended by one leaves the programs running that it measures, so the bench only notes it, and
//! ends them on its way out.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use anyhow::bail;
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From here on a signal that would end the program only asks for the end: [`check`] tells.
pub(crate) fn watch() -> anyhow::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    drop(guard);
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        });
        ASKED.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// An error once the end was asked for. Whatever runs is ended on the way out.
pub(crate) fn check() -> anyhow::Result<()> {
    if ASKED.load(Ordering::Relaxed) {
        bail!("stopped as asked");
    }
    Ok(())
}
