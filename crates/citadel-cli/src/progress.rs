//! A bar on standard error while something long is under way, if somebody sits there.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

const WIDTH: usize = 30;

/// Shows how far something has come; shows nothing where standard error is no terminal.
pub(crate) fn bar(what: &'static str) -> Arc<dyn Fn(u64, u64) + Send + Sync> {
    if !io::stderr().is_terminal() {
        return Arc::new(|_, _| ());
    }
    let shown = AtomicU64::new(u64::MAX);
    Arc::new(move |done, of| {
        let percent = (done.min(of) * 100).checked_div(of).unwrap_or(100);
        if shown.swap(percent, Ordering::Relaxed) == percent {
            return;
        }
        let filled = WIDTH * usize::try_from(percent).unwrap_or(100) / 100;
        let (done, left) = ("#".repeat(filled), " ".repeat(WIDTH - filled));
        let end = if percent == 100 { "\n" } else { "" };
        let _ = write!(io::stderr().lock(), "\r{what} [{done}{left}] {percent:>3} %{end}");
    })
}
