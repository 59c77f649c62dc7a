//! Programs that are measured: the server, in a fresh folder with default settings, and the bare yardstick.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use serde::Deserialize;
use tempfile::TempDir;

use crate::{http::Connection, load, signals};

/// A program that answers requests. Killed when dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: SocketAddr,
    /// Kept open: a program that cannot write its lines may stop.
    _stdout: BufReader<ChildStdout>,
}

impl Program {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it as an operator would, and waits.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let patience = Instant::now() + Duration::from_secs(30);
        while Instant::now() < patience {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        bail!("a program did not stop within 30 s")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
            .env("CITADEL_DATA_DIR", self.data_dir())
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
        let mut program = ready(child, "http://").with_context(|| {
            let log = std::fs::read_to_string(home.path().join("log")).unwrap_or_default();
            format!("the server did not start; it said: {}", log.trim())
        })?;
        let mut line = String::new();
        program._stdout.read_line(&mut line)?;
        line.clear();
        program._stdout.read_line(&mut line)?;
        let metrics =
            address_after(&line, "http://").context("the server did not say where its metrics are")?;
        load::block_on(async {
            Connection::open(program.address).await?.expect(200, "GET", "/bridge.js", "", b"").await
        })?;
        let start_time = started.elapsed();
        Ok(Self { program, metrics, start_time, keys: Keys::default() })
    }

    /// Starts the server and makes a client.
    pub(crate) fn with_client(path: &Path, home: &Home) -> anyhow::Result<Self> {
        let mut server = Self::start(path, home)?;
        let made = home
            .command(path, &["client", "create", "--name", "bench", "--json"])
            .stderr(Stdio::inherit())
            .output()?;
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
    ready(child, "http://").context("the bare yardstick did not start")
}

/// Waits for the line that tells where a program listens.
fn ready(mut child: Child, before: &str) -> anyhow::Result<Program> {
    let stdout = child.stdout.take().context("a program without output")?;
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    let Some(address) = address_after(&line, before) else {
        let _ = child.kill();
        let _ = child.wait();
        bail!("it ended, or said nothing about its address");
    };
    Ok(Program { child, address, _stdout: stdout })
}

fn address_after(line: &str, before: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once(before)?;
    rest.trim().parse().ok()
}
