//! A Postgres that a test may stop, kill and configure as it likes.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use citadel_store::DbConfig;

/// Gone when dropped.
pub(crate) struct OwnPostgres {
    directory: PathBuf,
    programs: PathBuf,
    pub(crate) port: u16,
}

impl OwnPostgres {
    /// Running, on a port of 127.0.0.1. `None` where the programs are missing and may be.
    pub(crate) async fn start() -> Option<Self> {
        let own = Self::make()?;
        own.control("start");
        own.run_sql("create role citadel login").await;
        own.run_sql("create database citadel owner citadel").await;
        Some(own)
    }

    fn make() -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let programs = programs();
        assert!(
            programs.is_some() || std::env::var("CITADEL_TEST_REQUIRE_POSTGRES").is_err(),
            "Postgres is required: install the package postgresql"
        );
        let name = format!("citadel-own-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir(&directory).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let own = Self { directory, programs: programs?, port };
        own.give(&own.directory);
        let data = own.data();
        own.run(
            "initdb",
            &["--pgdata", &data, "--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8"],
        );
        Some(own)
    }

    fn data(&self) -> String {
        self.directory.join("data").display().to_string()
    }

    /// A file beside the data, which only the server may read.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        self.give(&path);
        path
    }

    /// To the user that the server runs as: Postgres does not run as root.
    fn give(&self, path: &Path) {
        if let Some(user) = runs_as() {
            chown(path, Some(user.0), Some(user.1)).unwrap();
        }
    }

    /// `start`, `restart`, `stop`, with `pg_ctl`.
    pub(crate) fn control(&self, what: &str) {
        self.control_in(what, "fast");
    }

    pub(crate) fn control_in(&self, what: &str, mode: &str) {
        let directory = self.directory.display();
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={} -c unix_socket_directories={directory} -c fsync=off \
             -c ssl_cert_file={directory}/server.pem -c ssl_key_file={directory}/server.key",
            self.port
        );
        let (data, log) = (self.data(), self.directory.join("log").display().to_string());
        let mut arguments = vec!["--pgdata", &data, "--log", &log, "--silent", "--wait", "--timeout=60"];
        if what != "start" {
            arguments.extend(["--mode", mode]);
        }
        if what != "stop" {
            arguments.extend(["--options", &options]);
        }
        arguments.push(what);
        self.run("pg_ctl", &arguments);
    }

    /// A statement of the superuser.
    pub(crate) async fn run_sql(&self, sql: &str) {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        client.batch_execute(sql).await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
    }

    fn run(&self, program: &str, arguments: &[&str]) {
        let program = self.programs.join(program);
        let mut command = match runs_as() {
            Some(_) => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(&program);
                command
            }
            None => Command::new(&program),
        };
        // The server that `pg_ctl` starts would keep a pipe of ours open.
        let status = command
            .args(arguments)
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .status()
            .unwrap();
        let log = fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        assert!(status.success(), "{} {arguments:?}: {log}", program.display());
    }

    pub(crate) fn config(&self, host: &str, options: &str) -> DbConfig {
        let url = format!("postgres://citadel@{host}:{}/citadel{options}", self.port);
        DbConfig::Postgres { url: url.into(), pool_size: 4 }
    }
}

impl Drop for OwnPostgres {
    fn drop(&mut self) {
        if self.directory.join("data/postmaster.pid").exists() {
            // What fails here must not hide what failed before.
            let _ = std::panic::catch_unwind(|| self.control_in("stop", "immediate"));
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// Where `initdb` is: in the path, or where Debian keeps it.
fn programs() -> Option<PathBuf> {
    let in_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path)
            .find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
    });
    let of_debian = || {
        let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
        let folders = versions.filter_map(|entry| Some(entry.ok()?.path().join("bin")));
        folders.filter(|folder| folder.join("initdb").exists()).max()
    };
    in_path.or_else(of_debian)
}

/// The user `postgres` and its group, where this is root.
fn runs_as() -> Option<(u32, u32)> {
    let id = |of: &str| {
        let printed = Command::new("id").args([of, "postgres"]).output().ok()?;
        String::from_utf8(printed.stdout).ok()?.trim().parse::<u32>().ok()
    };
    let own = Command::new("id").arg("-u").output().ok()?;
    if own.stdout == b"0\n" { Some((id("-u")?, id("-g")?)) } else { None }
}
