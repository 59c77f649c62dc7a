//! The store and the flow on Postgres, next to `pgbench` on the same server and to the flow on SQLite: F15.
//!
//! `CITADEL_TEST_SYNC=on scripts/with-postgres.sh sh -c 'CITADEL_DATABASE_URL=$CITADEL_TEST_DATABASE_URL citadel-bench postgres'`
//! starts one for it. Nothing tells how busy others were: the processes of Postgres may be anywhere, and theirs is part of what is measured.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context, ensure};
use citadel_domain::Secret;
use citadel_store::DbConfig;

use crate::{
    args::Options,
    figure::{Figure, Report, middle},
    flow::{self, PEOPLE},
    probe::{self, CLIENTS},
    server::{self, Home, Server},
    system,
};

const SETTING: &str = "CITADEL_DATABASE_URL";
/// Connections of a server.
const POOL: usize = 16;
/// Bytes of a row, as in [`probe`].
const ROW: usize = 200;

pub(crate) fn run(options: &Options, report: &mut Report) -> anyhow::Result<()> {
    let Some(postgres) = Postgres::find("postgres", report)? else { return Ok(()) };
    let binary = server::binary(&options.server)?;
    commits(options, report, &postgres)?;
    flows(options, report, &postgres, &binary)
}

/// The Postgres that was named, and the programs that come with it.
pub(crate) struct Postgres {
    programs: PathBuf,
    url: String,
}

impl Postgres {
    /// `None` where there is none that says something about ours; the report tells why `what` is not measured.
    pub(crate) fn find(what: &str, report: &mut Report) -> anyhow::Result<Option<Self>> {
        let Some(url) = std::env::var(SETTING).ok().filter(|url| !url.is_empty()) else {
            report.skip(what, &format!("{SETTING} is not set"));
            return Ok(None);
        };
        let Some(programs) = programs() else {
            report.skip(what, "pgbench is neither in PATH nor in /usr/lib/postgresql/*/bin");
            return Ok(None);
        };
        with_database(&url, "").with_context(|| format!("{SETTING} is not the address of a Postgres"))?;
        // Rates of a server that acknowledges what it may lose say nothing about ours.
        let sql = "select current_setting('fsync') || current_setting('synchronous_commit')";
        if psql(&programs, &url, sql)?.trim() != "onon" {
            report.skip(what, "this server does not wait for the disk (fsync, synchronous_commit)");
            return Ok(None);
        }
        Ok(Some(Self { programs, url }))
    }
}

/// A database of this run. Removed when dropped.
pub(crate) struct Database {
    programs: PathBuf,
    server: String,
    name: String,
    pub(crate) url: String,
}

impl Database {
    pub(crate) fn new(postgres: &Postgres, what: &str) -> anyhow::Result<Self> {
        let (programs, server) = (&*postgres.programs, &*postgres.url);
        let name = format!("citadel_bench_{what}_{}", std::process::id());
        let url = with_database(server, &name).context("not the address of a Postgres")?;
        let made = run_to_end(program(programs, server, "createdb", &name), Duration::from_secs(60));
        if made.is_err() {
            // It may have been stopped on its way.
            let _ =
                program(programs, server, "dropdb", &name).arg("--if-exists").stderr(Stdio::null()).status();
        }
        made.context("no database can be made")?;
        Ok(Self { programs: programs.to_owned(), server: server.to_owned(), name, url })
    }
}

/// What makes or removes a database.
fn program(programs: &Path, server: &str, program: &str, database: &str) -> Command {
    let mut command = Command::new(programs.join(program));
    command.arg(format!("--maintenance-db={server}")).arg(database).stdin(Stdio::null());
    command
}

impl Drop for Database {
    fn drop(&mut self) {
        let mut command = program(&self.programs, &self.server, "dropdb", &self.name);
        command.args(["--if-exists", "--force"]);
        // Not through what a signal ends: this has to be done then too.
        if !command.status().is_ok_and(|status| status.success()) {
            eprintln!("citadel-bench: the database {} is left", self.name);
        }
    }
}

impl Database {
    /// How the store opens it.
    pub(crate) fn config(&self) -> DbConfig {
        DbConfig::Postgres { url: Secret::new(&*self.url), pool_size: POOL }
    }

    /// A home whose server keeps its rows there.
    pub(crate) fn home(&self) -> anyhow::Result<Home> {
        Ok(Home::new()?.with(SETTING, &self.url))
    }
}

fn commits(options: &Options, report: &mut Report, postgres: &Postgres) -> anyhow::Result<()> {
    let home = Home::new()?;
    report.progress("postgres: commits");
    let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let plain = Database::new(postgres, "plain")?;
        let plain = pgbench(&plain, home.path(), options.turn())?;
        let database = Database::new(postgres, "store")?;
        let store = probe::store(&database.config(), options.turn())?;
        ratios.push(store / plain);
        ours.push(store);
        theirs.push(plain);
    }
    report.add(
        Figure::of("F15.commits", "ratio", &ratios)
            .beside("store_commits_per_second", middle(&ours))
            .beside("pgbench_inserts_per_second", middle(&theirs)),
    );
    Ok(())
}

/// Rows a second that `pgbench` inserts, one per transaction. Its time is in whole seconds.
fn pgbench(database: &Database, folder: &Path, time: Duration) -> anyhow::Result<f64> {
    let script = folder.join("insert.sql");
    std::fs::write(&script, format!("insert into rows (body) values ('{}');\n", "7".repeat(ROW)))?;
    let table = "create table rows (id bigserial primary key, body text not null)";
    psql(&database.programs, &database.url, table)?;
    let seconds = time.as_secs().max(1);
    let mut pgbench = Command::new(database.programs.join("pgbench"));
    pgbench
        .args(["--no-vacuum", "--protocol=prepared"])
        .arg(format!("--client={CLIENTS}"))
        .arg(format!("--jobs={}", system::cores().min(CLIENTS)))
        .arg(format!("--time={seconds}"))
        .arg("--file")
        .arg(script)
        .arg(&database.url);
    let said = run_to_end(pgbench, Duration::from_secs(seconds + 60))?;
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
    rate.with_context(|| format!("pgbench tells no rate: {said}"))
}

fn psql(programs: &Path, url: &str, sql: &str) -> anyhow::Result<String> {
    let mut command = Command::new(programs.join("psql"));
    command.args(["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--command", sql, url]);
    run_to_end(command, Duration::from_secs(60))
}

fn flows(options: &Options, report: &mut Report, postgres: &Postgres, binary: &Path) -> anyhow::Result<()> {
    report.progress("postgres: the flow, in turn with the same on SQLite");
    let database = Database::new(postgres, "flow")?;
    let (home, embedded_home) = (database.home()?, Home::new()?);
    let server = Server::with_client(binary, &home)?;
    let embedded = Server::with_client(binary, &embedded_home)?;
    let load = |server: &Server, time| flow::load(&server.program, &server.keys, PEOPLE[1].1, CLIENTS, time);
    load(&server, Duration::from_secs(1))?;
    load(&embedded, Duration::from_secs(1))?;
    let (mut ratios, mut rates, mut embedded_rates, mut cpu) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        let on_sqlite = load(&embedded, options.turn())?;
        let ours = load(&server, options.turn())?;
        ratios.push(ours.per_second() / on_sqlite.per_second());
        rates.push(ours.per_second());
        embedded_rates.push(on_sqlite.per_second());
        cpu.push(ours.cpu_micros());
    }
    report.add(
        Figure::of("F15.flow", "ratio", &ratios)
            .beside("flows_per_second", middle(&rates))
            .beside("sqlite_flows_per_second", middle(&embedded_rates))
            .beside("server_cpu_us_per_flow", middle(&cpu)),
    );
    embedded.program.stop()?;
    server.program.stop()
}

/// The folder of the programs that come with Postgres. Debian keeps them out of PATH, in one per version.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    versions.sort();
    let versions = versions.into_iter().rev().map(|(_, folder)| folder);
    std::env::split_paths(&path).chain(versions).find(|folder| folder.join("pgbench").is_file())
}

/// The same address with another database.
fn with_database(url: &str, name: &str) -> Option<String> {
    let (address, query) = url.find('?').map_or((url, ""), |at| url.split_at(at));
    let host = address.find("://")? + 3;
    let end = address[host..].find('/').map_or(address.len(), |at| host + at);
    Some(format!("{}/{name}{query}", &address[..end]))
}

/// What a program prints. Its arguments are not told when it fails: an address may hold a password.
fn run_to_end(mut command: Command, time: Duration) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stderr(Stdio::piped());
    let output = server::output(command, time)?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed: {}", said.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_our_own_stands_in_the_same_address() {
        let check = |url, expected: &str| assert_eq!(with_database(url, "b").as_deref(), Some(expected));
        check("postgres://me@host:5432/a", "postgres://me@host:5432/b");
        check("postgres://me@%2Ftmp%2Fpg/a?x=/y", "postgres://me@%2Ftmp%2Fpg/b?x=/y");
        check("postgres://host", "postgres://host/b");
        assert_eq!(with_database("host/a", "b"), None);
    }
}
