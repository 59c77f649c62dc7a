//! What `make soak` tells at its end: which promise, what was done, the figure, its limit, and whether it held.
//!
//! A test belongs to the soak when `soak` is in its path: put it into `#[cfg(feature = "soak")] mod soak { … }`.
//!
//! ```ignore
//! let kills = soak::count("CITADEL_SOAK_P38_KILLS", 500);
//! let soak = soak::begin("P38", format!("{kills} kills"), "0 lost");
//! …
//! soak.end(format!("{lost} lost"), lost == 0);
//! ```
//!
//! Tests of another crate take this file with `#[path = "../../../citadel-server/tests/it/soak.rs"] mod soak;`, and their
//! crate has a feature `soak` and a place in `scripts/soak.sh`.

use std::{fs::OpenOptions, io::Write, time::Instant};

/// The file that the script reads.
const REPORT: &str = "CITADEL_SOAK_REPORT";
/// A share of every figure, for a short run.
const SCALE: &str = "CITADEL_SOAK_SCALE";

/// How many: as this variable of the environment says, else the full figure times `CITADEL_SOAK_SCALE`. At least one.
pub(crate) fn count(variable: &str, full: usize) -> usize {
    let number = |name: &str| -> Option<f64> {
        let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
        Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number, and is {text}")))
    };
    let wanted = number(variable).unwrap_or_else(|| full as f64 * number(SCALE).unwrap_or(1.0));
    (wanted.round() as usize).max(1)
}

/// One line of the table, from the beginning of its test. A test that ends without [`Finding::end`] has failed.
pub(crate) fn begin(promise: &str, done: impl Into<String>, limit: impl Into<String>) -> Finding {
    Finding {
        promise: promise.to_owned(),
        done: done.into(),
        limit: limit.into(),
        began: Instant::now(),
        is_told: false,
    }
}

/// What is being found out.
pub(crate) struct Finding {
    promise: String,
    done: String,
    limit: String,
    began: Instant,
    is_told: bool,
}

impl Finding {
    /// The figure, and whether it keeps to the limit. Fails the test if it does not.
    #[track_caller]
    pub(crate) fn end(mut self, figure: impl Into<String>, is_within: bool) {
        let figure = figure.into();
        self.tell(&figure, is_within);
        assert!(is_within, "{}: {}: {figure}; the limit is {}", self.promise, self.done, self.limit);
    }

    #[expect(clippy::print_stdout, reason = "whoever runs one test by hand reads it there")]
    fn tell(&mut self, figure: &str, is_within: bool) {
        self.is_told = true;
        let (verdict, seconds) = (if is_within { "pass" } else { "FAIL" }, self.began.elapsed().as_secs());
        let fields = [&self.promise, &self.done, figure, &self.limit, verdict, &format!("{seconds} s")];
        let line = fields.map(|field| field.replace(['\t', '\n'], " ")).join("\t");
        println!("{}", line.replace('\t', " | "));
        let Ok(path) = std::env::var(REPORT) else { return };
        let mut report = OpenOptions::new().create(true).append(true).open(path).unwrap();
        writeln!(report, "{line}").unwrap();
    }
}

impl Drop for Finding {
    fn drop(&mut self) {
        if !self.is_told {
            self.tell("the test ended early: see above", false);
        }
    }
}
