//! The server's process: its start, what it says, its end.

use std::{
    collections::{HashMap, VecDeque},
    io::{BufRead, BufReader, Read},
    iter,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::oneshot;

use super::Error;

/// The last line of `--print-env`.
const READY: &str = "CITADEL_READY";
/// Lines of the server's log that are kept for an error.
const KEPT_LINES: usize = 20;
/// A server that was told to end has a second for open work.
const END: Duration = Duration::from_secs(5);
const STEP: Duration = Duration::from_millis(2);

/// What another server's environment may say, and this one must not hear.
const NOT_PASSED: [&str; 8] = [
    "CITADEL_LISTEN",
    "CITADEL_METRICS_LISTEN",
    "CITADEL_DASHBOARD_LISTEN",
    "CITADEL_PUBLIC_URL",
    "CITADEL_DASHBOARD_URL",
    "CITADEL_DATABASE_URL",
    // A certificate that the client here does not know.
    "CITADEL_TLS_CERT",
    "CITADEL_TLS_KEY",
];

/// What the server printed, by name.
type Lines = HashMap<String, String>;

/// A server. It ends when this is dropped, and when this process ends, because its standard input does.
pub(super) struct Process {
    child: Child,
    /// Held open for as long as the server shall run.
    stdin: Option<ChildStdin>,
    ready: oneshot::Receiver<Lines>,
    log: Log,
    log_reader: Option<JoinHandle<()>>,
}

impl Process {
    pub(super) fn start(program: &Path, variables: &[(&'static str, String)]) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.args(["serve", "--ephemeral", "--print-env", "--stop-with-stdin"]);
        for name in NOT_PASSED {
            command.env_remove(name);
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|source| Error::CannotStart { program: program.to_owned(), source })?;

        let stdout = child.stdout.take().expect("a pipe was asked for");
        let stderr = child.stderr.take().expect("a pipe was asked for");
        // Both are read to their ends, because a full pipe would stop the server.
        let (tell, ready) = oneshot::channel();
        thread::spawn(move || read_lines(stdout, tell));
        let log = Log::default();
        let kept = log.clone();
        let log_reader = thread::spawn(move || kept.read(stderr));
        Ok(Self { stdin: child.stdin.take(), child, ready, log, log_reader: Some(log_reader) })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What was printed, once the server is ready. `None`: it ended before that.
    pub(super) async fn ready(&mut self) -> Option<Lines> {
        (&mut self.ready).await.ok()
    }

    /// The last lines of its log.
    pub(super) fn log(&self) -> String {
        self.log.text()
    }

    /// The reason, after [`ready`](Self::ready) said that there is one.
    pub(super) fn ended_early(mut self, program: PathBuf) -> Error {
        let status = self.end();
        if let Some(reader) = self.log_reader.take() {
            let _ = reader.join();
        }
        Error::Ended { program, status, log: self.log() }
    }

    /// Closes its input and waits for its end; kills it if that does not come.
    fn end(&mut self) -> Option<ExitStatus> {
        drop(self.stdin.take());
        for _ in 0..END.as_millis() / STEP.as_millis() {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(STEP),
                Ok(status) => return status,
                Err(_) => return None,
            }
        }
        let _ = self.child.kill();
        self.child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Tells what stood before the last line, when that comes; then reads on.
fn read_lines(stdout: impl Read, tell: oneshot::Sender<Lines>) {
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let mut found = Lines::new();
    for line in lines.by_ref() {
        match line.split_once('=') {
            Some((READY, _)) => {
                let _ = tell.send(found);
                break;
            }
            Some((name, value)) => _ = found.insert(name.to_owned(), value.to_owned()),
            None => {}
        }
    }
    lines.for_each(drop);
}

/// The end of what the server logs.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<VecDeque<String>>>);

impl Log {
    fn read(&self, stderr: impl Read) {
        let mut stderr = BufReader::new(stderr);
        let mut line = Vec::new();
        let mut next = || {
            line.clear();
            let count = stderr.read_until(b'\n', &mut line).ok()?;
            (count > 0).then(|| String::from_utf8_lossy(&line).into_owned())
        };
        for line in iter::from_fn(&mut next) {
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push_back(line);
            if kept.len() > KEPT_LINES {
                kept.pop_front();
            }
        }
    }

    fn text(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_tells_what_came_before() {
        let (tell, mut told) = oneshot::channel();
        read_lines(&b"A=1\nnoise\nB=x=y\nCITADEL_READY=1\nC=3\n"[..], tell);
        let lines = told.try_recv().unwrap();
        assert_eq!((lines.len(), lines["A"].as_str(), lines["B"].as_str()), (2, "1", "x=y"));
        let (tell, mut told) = oneshot::channel();
        read_lines(&b"A=1\n"[..], tell);
        assert!(told.try_recv().is_err());
    }

    #[test]
    fn the_end_of_the_log_is_kept() {
        let log = Log::default();
        let text: String = (0..100).map(|number| format!("{number}\n")).collect();
        log.read(text.as_bytes());
        assert!(log.text().starts_with("80\n") && log.text().ends_with("99\n"), "{}", log.text());
    }
}
