//! The whole server as a process of its own, to be killed: this test binary, run again for one test that serves, or the
//! program itself where `CITADEL_BIN` names it.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};

use citadel_domain::Clock;
use citadel_server::{
    config::Config,
    serve,
    system::{SystemClock, SystemRandom},
};
use jiff::{SignedDuration, Timestamp};

/// Names the directory of a child; without it the test below has nothing to do.
const HOME: &str = "CITADEL_TEST_CHILD";
/// The file in that directory that names a Postgres.
const DATABASE: &str = "database";

/// The child's whole life: it serves until it is killed. As a test of the suite it does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serve_as_a_child() {
    let Ok(home) = std::env::var(HOME) else { return };
    let home = PathBuf::from(home);
    let clock = Arc::new(ShiftedClock { file: home.join("shift") });
    let announced = home.clone();
    let announce = move |addresses: &serve::Addresses| {
        // Whole or not at all, for whoever is waiting for it.
        fs::write(announced.join("address.new"), addresses.api.to_string()).unwrap();
        fs::rename(announced.join("address.new"), announced.join("address")).unwrap();
    };
    serve::serve(config(&home), clock, Arc::new(SystemRandom), announce).await.unwrap();
}

/// The machine's clock, moved by as many seconds as the file says: a parent can let days pass.
struct ShiftedClock {
    file: PathBuf,
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let shift = fs::read_to_string(&self.file).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
        SystemClock.now() + SignedDuration::from_secs(shift)
    }
}

/// The settings of a child in this directory.
fn settings(home: &Path) -> Vec<(String, String)> {
    let settings = [
        ("CITADEL_DATA_DIR", home.join("data").display().to_string()),
        // Empty is the same as not set.
        ("CITADEL_DATABASE_URL", fs::read_to_string(home.join(DATABASE)).unwrap_or_default()),
        ("CITADEL_LISTEN", "127.0.0.1:0".to_owned()),
        ("CITADEL_METRICS_LISTEN", "127.0.0.1:0".to_owned()),
        ("CITADEL_DASHBOARD_LISTEN", "127.0.0.1:0".to_owned()),
        ("CITADEL_RATE_LIMIT", "0".to_owned()),
        ("CITADEL_LOG", "warn".to_owned()),
    ];
    settings.map(|(name, value)| (name.to_owned(), value)).into()
}

/// The configuration of a child in this directory.
pub(crate) fn config(home: &Path) -> Config {
    // A file of the working directory is none of the test's.
    let none = home.join("citadel.toml");
    fs::write(&none, "").unwrap();
    Config::load(Some(&none), settings(home)).unwrap()
}

/// A server that can be killed and started again. Removed with its directory when dropped.
pub(crate) struct ServerChild {
    home: PathBuf,
    process: Option<Child>,
    /// The program itself, in place of this test binary.
    program: Option<PathBuf>,
    environment: Vec<(String, String)>,
}

impl ServerChild {
    /// A place for a server; nothing runs yet.
    pub(crate) fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("citadel-child-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir(&home).unwrap();
        Self { home, process: None, program: None, environment: Vec::new() }
    }

    /// A place for the program itself where `CITADEL_BIN` names it. Its clock cannot be moved.
    pub(crate) fn program(name: &str) -> Self {
        let program = std::env::var("CITADEL_BIN").ok().filter(|path| !path.is_empty()).map(PathBuf::from);
        let mut child = Self::new(name);
        child.program = program;
        child
    }

    /// On this Postgres, from the next start on.
    pub(crate) fn on_postgres(self, url: &str) -> Self {
        fs::write(self.home.join(DATABASE), url).unwrap();
        self
    }

    /// One more variable of the environment, from the next start on.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.to_owned(), value.into()));
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Starts the server and waits until it takes requests. Answers where.
    pub(crate) async fn start(&mut self) -> SocketAddr {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.home.join("log")).unwrap();
        self.start_logging_to(log).await
    }

    /// The same, with its log there.
    pub(crate) async fn start_logging_to(&mut self, log: fs::File) -> SocketAddr {
        let Some(program) = self.program.clone() else {
            return self.start_under(Command::new(std::env::current_exe().unwrap()), log).await;
        };
        let out = self.home.join("out");
        let mut command = Command::new(program);
        command.arg("serve").current_dir(&self.home).env_clear().envs(settings(&self.home));
        command.stdout(fs::File::create(&out).unwrap());
        self.spawn(command, log);
        let ready = |text: &str| text.split_once(" ready on http://")?.1.split_once('\n')?.0.parse().ok();
        self.announced(|| ready(&fs::read_to_string(&out).ok()?)).await
    }

    /// The same, with these system calls of it written to a file: one line each, with the names of files.
    pub(crate) async fn start_traced(&mut self, calls: &str, trace: &Path) -> SocketAddr {
        let mut strace = Command::new("strace");
        // -D: the server stays our own child, and is what is killed.
        strace.args([
            "-D",
            "-f",
            "-y",
            "-qq",
            "-s",
            "32",
            "-e",
            &format!("trace={calls}"),
            "-e",
            "signal=none",
            "-o",
        ]);
        strace.arg(trace).arg(std::env::current_exe().unwrap());
        let log = fs::File::create(self.home.join("log")).unwrap();
        self.start_under(strace, log).await
    }

    /// The command with what makes this test binary a server.
    fn as_a_child(&self, mut command: Command) -> Command {
        command.args(["--exact", "child::serve_as_a_child", "--nocapture"]);
        command.env(HOME, &self.home).stdout(Stdio::null());
        command
    }

    async fn start_under(&mut self, command: Command, log: fs::File) -> SocketAddr {
        let address = self.home.join("address");
        let _ = fs::remove_file(&address);
        self.spawn(self.as_a_child(command), log);
        self.announced(|| fs::read_to_string(&address).ok()?.parse().ok()).await
    }

    fn spawn(&mut self, mut command: Command, log: fs::File) {
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null()).stderr(log);
        let process = command.spawn().unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()));
        self.process = Some(process);
    }

    /// Where it takes requests, once it says so.
    async fn announced(&mut self, address: impl Fn() -> Option<SocketAddr>) -> SocketAddr {
        for _ in 0..3000 {
            if let Some(address) = address() {
                return address;
            }
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server did not start in 30 seconds: {}", self.log());
    }

    /// Starts the server and kills it this long after it has come so far, however far it has come then.
    pub(crate) async fn start_and_kill(&mut self, has_come: impl Fn() -> bool, after: Duration) {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.home.join("log")).unwrap();
        self.spawn(self.as_a_child(Command::new(std::env::current_exe().unwrap())), log);
        let patience = tokio::time::Instant::now() + Duration::from_secs(30);
        while !has_come() {
            assert!(tokio::time::Instant::now() < patience, "it never came so far: {}", self.log());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(after).await;
        self.kill();
    }

    /// How it ended, if it ends by itself in this time.
    pub(crate) async fn ended_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            if ended.is_some() || tokio::time::Instant::now() >= until {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Sends a signal to the process: `TERM`, `STOP`, `CONT`.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id]).status().unwrap().success());
    }

    /// SIGKILL: the process has no chance to tidy up.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Lets time pass for the server, in whole seconds since its first start.
    pub(crate) fn shift_clock(&self, seconds: i64) {
        fs::write(self.home.join("shift.new"), seconds.to_string()).unwrap();
        fs::rename(self.home.join("shift.new"), self.home.join("shift")).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }
}

impl Drop for ServerChild {
    fn drop(&mut self) {
        self.kill();
        let _ = fs::remove_dir_all(&self.home);
    }
}
