//! What the process is told from outside.

use std::io::{self, IsTerminal};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// SIGHUP, by which certificates are read again. Not on a terminal: there it says that the terminal has gone away, and
/// ends the server as it ends every program.
pub(super) fn hang_up() -> io::Result<Option<Signal>> {
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    signal(SignalKind::hangup()).map(Some)
}

/// SIGINT and SIGTERM, listened to from the start, so that a signal during the start is not lost.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
