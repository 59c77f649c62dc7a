//! The programs that exported books are made for.

use std::{
    fs,
    path::PathBuf,
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

/// What both programs call books that are wrong.
pub(crate) struct Refused(pub(crate) String);

/// Has Beancount check a file.
pub(crate) fn beancount(text: &str) -> Result<(), Refused> {
    run("bean-check", &[], "beancount", text)
}

/// Has hledger check a file: every account and commodity is declared, every transaction balances, every assertion holds.
pub(crate) fn hledger(text: &str) -> Result<(), Refused> {
    run("hledger", &["check", "--strict", "--file"], "journal", text)
}

#[track_caller]
pub(crate) fn both_accept(beancount_text: &str, hledger_text: &str) {
    for (program, result) in [("bean-check", beancount(beancount_text)), ("hledger", hledger(hledger_text))] {
        assert!(result.is_ok(), "{program}: {}", result.err().map(|refused| refused.0).unwrap_or_default());
    }
}

#[track_caller]
fn run(program: &str, arguments: &[&str], extension: &str, text: &str) -> Result<(), Refused> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let file = Remove(
        std::env::temp_dir().join(format!("citadel-books-{}-{number}.{extension}", std::process::id())),
    );
    fs::write(&file.0, text).unwrap();
    // In any other locale hledger cannot read names that are not English.
    let ended = Command::new(program).args(arguments).arg(&file.0).env("LC_ALL", "C.UTF-8").output();
    let ended = ended
        .unwrap_or_else(|error| panic!("{program} cannot run: {error}. Run scripts/install-test-tools.sh"));
    let said =
        [ended.stdout, ended.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    if ended.status.success() { Ok(()) } else { Err(Refused(said)) }
}

struct Remove(PathBuf);

impl Drop for Remove {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}
