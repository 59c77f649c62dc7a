//! The whole server as a process of its own, to be killed: this test binary, run again for one test that serves.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
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

/// The configuration of a child in this directory.
pub(crate) fn config(home: &Path) -> Config {
    let environment = [
        ("CITADEL_DATA_DIR", home.join("data").display().to_string()),
        ("CITADEL_LISTEN", "127.0.0.1:0".to_owned()),
        ("CITADEL_METRICS_LISTEN", "127.0.0.1:0".to_owned()),
        ("CITADEL_RATE_LIMIT", "0".to_owned()),
        ("CITADEL_LOG", "warn".to_owned()),
    ];
    // A file of the working directory is none of the test's.
    let none = home.join("citadel.toml");
    fs::write(&none, "").unwrap();
    Config::load(Some(&none), environment.map(|(name, value)| (name.to_owned(), value))).unwrap()
}

/// A server that can be killed and started again. Removed with its directory when dropped.
pub(crate) struct ServerChild {
    home: PathBuf,
    process: Option<Child>,
}

impl ServerChild {
    /// A place for a server; nothing runs yet.
    pub(crate) fn new(name: &str) -> Self {
        let home = std::env::temp_dir().join(format!("citadel-child-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir(&home).unwrap();
        Self { home, process: None }
    }

    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// Starts the server and waits until it takes requests. Answers where.
    pub(crate) async fn start(&mut self) -> SocketAddr {
        self.start_under(Command::new(std::env::current_exe().unwrap())).await
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
        self.start_under(strace).await
    }

    fn spawn(&self, mut command: Command) -> Child {
        let log = fs::OpenOptions::new().create(true).append(true).open(self.home.join("log")).unwrap();
        command
            .args(["--exact", "child::serve_as_a_child", "--nocapture"])
            .env(HOME, &self.home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{:?}: {error}", command.get_program()))
    }

    async fn start_under(&mut self, command: Command) -> SocketAddr {
        let address = self.home.join("address");
        let _ = fs::remove_file(&address);
        self.process = Some(self.spawn(command));
        for _ in 0..3000 {
            if let Ok(text) = fs::read_to_string(&address) {
                return text.parse().unwrap();
            }
            let ended = self.process.as_mut().unwrap().try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {}", self.log());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the server did not start in 30 seconds: {}", self.log());
    }

    /// Starts the server and kills it after this time, however far it has come.
    pub(crate) async fn start_for(&mut self, time: Duration) {
        self.process = Some(self.spawn(Command::new(std::env::current_exe().unwrap())));
        tokio::time::sleep(time).await;
        self.kill();
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
