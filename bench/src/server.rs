//! Programs that are measured: the server, in a fresh folder with default settings, and the bare yardstick.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{http::Connection, load, signals};

/// How long a program may take to say where it listens, and then to give its first answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that answers requests. Killed when dropped.
pub(crate) struct Program {
    child: Running,
    pub(crate) address: SocketAddr,
    /// What it says. Read to its end: a program that cannot write its lines may stop.
    lines: Receiver<String>,
}

/// Killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    pub(crate) fn pid(&self) -> u32 {
        self.child.0.id()
    }

    /// Ends it as an operator would, and waits.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.pid().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let patience = Instant::now() + Duration::from_secs(30);
        while Instant::now() < patience {
            if self.child.0.try_wait()?.is_some() {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("a program did not stop within 30 s")
    }
}

/// The server with its store.
pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) metrics: SocketAddr,
    /// From the start of the program to its first good answer.
    pub(crate) start_time: Duration,
    pub(crate) keys: Keys,
}

/// A client of the server, as header lines.
#[derive(Clone, Default)]
pub(crate) struct Keys {
    pub(crate) headers: String,
    pub(crate) client_id: String,
    pub(crate) secret: String,
}

/// Where a server keeps its data. Removed when dropped.
pub(crate) struct Home {
    folder: TempDir,
    extra: Vec<(String, String)>,
}

impl Home {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("citadel-bench-").tempdir()?;
        Ok(Self { folder, extra: Vec::new() })
    }

    /// The same, with one more setting of the server.
    pub(crate) fn with(mut self, setting: &str, value: &str) -> Self {
        self.extra.push((setting.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data_dir(&self) -> PathBuf {
        self.path().join("data")
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("CITADEL_LISTEN", "127.0.0.1:0")
            .env("CITADEL_METRICS_LISTEN", "127.0.0.1:0")
            .env("CITADEL_DASHBOARD_LISTEN", "127.0.0.1:0")
            .env("CITADEL_DATA_DIR", self.data_dir())
            .env("CITADEL_RATE_LIMIT", "0")
            .envs(self.extra.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null());
        command
    }
}

#[derive(Deserialize)]
struct Created {
    client_id: String,
    sandbox: String,
}

/// The program, or what to do about its absence.
pub(crate) fn binary(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize().with_context(|| {
        format!(
            "there is no server at {}: build it with `cargo build --release --bin citadel`, or name it with --server",
            path.display()
        )
    })
}

impl Server {
    /// Starts the server and waits for its first good answer.
    pub(crate) fn start(path: &Path, home: &Home) -> anyhow::Result<Self> {
        signals::check()?;
        let log = File::create(home.path().join("log"))?;
        let started = Instant::now();
        let child = home
            .command(path, &["serve"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", path.display()))?;
        Self::ready(child, started)
            .with_context(|| format!("the server did not start; it said: {}", last_words(home)))
    }

    fn ready(child: Child, started: Instant) -> anyhow::Result<Self> {
        let program = ready(child, PATIENCE)?;
        // The second line says something else.
        next_line(&program.lines, PATIENCE)?;
        let metrics = address_in(&next_line(&program.lines, PATIENCE)?)
            .context("it did not say where its metrics are")?;
        let first = async {
            Connection::open(program.address).await?.expect(200, "GET", "/bridge.js", "", b"").await
        };
        load::block_on(async {
            tokio::time::timeout(PATIENCE, first).await.context("it listens, and does not answer")?
        })?;
        let start_time = started.elapsed();
        Ok(Self { program, metrics, start_time, keys: Keys::default() })
    }

    /// Starts the server and makes a client.
    pub(crate) fn with_client(path: &Path, home: &Home) -> anyhow::Result<Self> {
        let mut server = Self::start(path, home)?;
        let mut command = home.command(path, &["client", "create", "--name", "bench", "--json"]);
        command.stderr(Stdio::inherit());
        let made = output(command, PATIENCE)?;
        let created: Created = serde_json::from_slice(&made.stdout).context("no client was made")?;
        server.keys = Keys {
            headers: format!(
                "X-Access-Client-Id: {}\r\nX-Access-Secret: {}\r\n",
                created.client_id, created.sandbox
            ),
            client_id: created.client_id,
            secret: created.sandbox,
        };
        Ok(server)
    }

    /// The server's own counters.
    pub(crate) fn counters(&self) -> anyhow::Result<BTreeMap<String, f64>> {
        let text = load::block_on(async {
            let mut connection = Connection::open(self.metrics).await?;
            connection.expect(200, "GET", "/metrics", "", b"").await?;
            Ok(String::from_utf8(connection.body().to_vec())?)
        })?;
        let value = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Ok(text.lines().filter(|line| !line.starts_with('#')).filter_map(value).collect())
    }
}

/// Starts the bare yardstick with these answers.
pub(crate) fn start_bare(answers: &Path) -> anyhow::Result<Program> {
    let child = Command::new(std::env::current_exe()?)
        .arg("bare-server")
        .arg(answers)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    ready(child, PATIENCE).context("the bare yardstick did not start")
}

/// Runs a program to its end, and ends it after `time`. Its standard error goes where `command` says.
pub(crate) fn output(command: Command, time: Duration) -> anyhow::Result<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut command = tokio::process::Command::from(command);
    command.stdout(Stdio::piped()).kill_on_drop(true);
    load::block_on_for(time, async {
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let ended = tokio::time::timeout(time, child.wait_with_output()).await;
        Ok(ended.with_context(|| format!("{name} did not end within {} s", time.as_secs()))??)
    })
}

/// Waits for the line that tells where a program listens.
fn ready(child: Child, patience: Duration) -> anyhow::Result<Program> {
    let mut child = Running(child);
    let stdout = child.0.stdout.take().context("a program without output")?;
    let (said, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // Nobody may listen any more.
            let _ = said.send(line);
        }
    });
    let line = next_line(&lines, patience)?;
    let address = address_in(&line).with_context(|| format!("it said `{line}` in place of its address"))?;
    Ok(Program { child, address, lines })
}

fn next_line(lines: &Receiver<String>, patience: Duration) -> anyhow::Result<String> {
    let until = Instant::now() + patience;
    loop {
        signals::check()?;
        match lines.recv_timeout(Duration::from_millis(50)) {
            Ok(line) => return Ok(line),
            Err(RecvTimeoutError::Disconnected) => bail!("it ended before it told its address"),
            Err(RecvTimeoutError::Timeout) if Instant::now() > until => {
                bail!("it did not tell its address within {patience:?}")
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("http://")?;
    rest.trim().parse().ok()
}

/// The end of what a server wrote to its log.
fn last_words(home: &Home) -> String {
    let log = std::fs::read(home.path().join("log")).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    match &lines[lines.len().saturating_sub(5)..] {
        [] => "nothing".to_owned(),
        last => last.join(" | "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_says_nothing_is_not_waited_for_for_ever() {
        let child = Command::new("sleep").arg("600").stdout(Stdio::piped()).spawn().unwrap();
        let pid = child.id();
        let error = ready(child, Duration::from_millis(100)).err().unwrap().to_string();
        assert!(error.contains("did not tell its address"), "{error}");
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "it still runs");
    }
}
