//! The only place that writes to the terminal. A reader that has gone away (`citadel … | head`) is no failure.

use std::io::{self, Write};

/// A result, on standard output.
pub(crate) fn line(text: &str) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Sends on what was written, for a reader that waits for it.
pub(crate) fn flush() {
    let _ = io::stdout().lock().flush();
}

/// A part of a result, on standard output. Whether somebody still reads it.
pub(crate) fn part(bytes: &[u8]) -> bool {
    io::stdout().lock().write_all(bytes).is_ok()
}

/// A JSON result, on standard output, on one line.
pub(crate) fn json(value: &impl serde::Serialize) {
    line(&serde_json::to_string(value).expect("our own values have text keys and no failing serialisers"));
}

/// A refusal or a remark, on standard error.
pub(crate) fn error(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}
