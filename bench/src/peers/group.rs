//! A peer as a process group: it may start children of its own, and all of them are counted and all of them end.

use std::{
    ffi::OsString,
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail};

use super::list::Peer;
use crate::{http::Connection, load, signals, system};

/// A Java virtual machine on a busy machine takes ten seconds.
const PATIENCE: Duration = Duration::from_secs(120);
const STEP: Duration = Duration::from_millis(2);

/// A running peer. Everything in its group is killed when this is dropped.
pub(crate) struct Group {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the command to the first 200.
    pub(crate) start_time: Duration,
}

impl Group {
    /// Starts a peer in its folder and waits until it is ready.
    pub(crate) fn start(peer: &Peer, folder: &Path, home: &Path) -> anyhow::Result<Self> {
        for port in peer.ports() {
            check_free(peer, port)?;
        }
        let (program, arguments) = peer.start.split_first().context("a peer without a command")?;
        let port = peer.port.to_string();
        let log = home.join("log");
        let output = File::create(&log)?;
        let path = path(folder)?;
        let program = which(program, &path);
        let started = Instant::now();
        let child = Command::new(&program)
            .args(arguments.iter().map(|argument| argument.replace("<port>", &port)))
            .current_dir(home)
            .env_clear()
            .env("PATH", path)
            .env("HOME", home)
            .env("NODE_PATH", folder.join("node_modules"))
            .env("PORT", &port)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, peer.port));
        let mut group = Self { child, address, start_time: Duration::ZERO };
        let ready = group.wait_until_ready(peer, started);
        signals::check()?;
        ready.with_context(|| {
            let said = fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<&str> = said.trim().lines().collect();
            let last = lines[lines.len().saturating_sub(5)..].join(" | ");
            format!("{} did not start; it said: {last}", peer.name)
        })?;
        group.start_time = started.elapsed();
        Ok(group)
    }

    fn wait_until_ready(&mut self, peer: &Peer, started: Instant) -> anyhow::Result<()> {
        while started.elapsed() < PATIENCE {
            signals::check()?;
            if let Some(status) = self.child.try_wait()? {
                bail!("it ended by itself, {status}");
            }
            let answered = load::block_on(async {
                let asked =
                    async { Connection::open(self.address).await?.send("GET", &peer.ready, "", b"").await };
                tokio::time::timeout(PATIENCE / 4, asked).await?
            });
            match answered {
                Ok(200) => return Ok(()),
                _ => thread::sleep(STEP),
            }
        }
        bail!("no answer within {} s", PATIENCE.as_secs())
    }

    /// The processes of the group.
    pub(crate) fn pids(&self) -> Vec<u32> {
        members(self.child.id())
    }

    /// Resident memory of all of them, in bytes. Pages that they share count for each.
    pub(crate) fn resident(&self) -> u64 {
        self.pids().into_iter().filter_map(|pid| system::resident(pid).ok()).sum()
    }

    /// Ends it as an operator would, and makes sure.
    pub(crate) fn stop(mut self) -> anyhow::Result<()> {
        signal("-TERM", self.child.id());
        let patience = Instant::now() + Duration::from_secs(10);
        while Instant::now() < patience {
            self.child.try_wait()?;
            if self.pids().is_empty() {
                return Ok(());
            }
            thread::sleep(STEP);
        }
        // What is left is killed by the drop.
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let group = self.child.id();
        if !members(group).is_empty() {
            signal("-KILL", group);
        }
        let _ = self.child.wait();
        let patience = Instant::now() + Duration::from_secs(5);
        while !members(group).is_empty() && Instant::now() < patience {
            thread::sleep(STEP);
        }
    }
}

fn signal(name: &str, group: u32) {
    let _ = Command::new("kill").args([name, "--", &format!("-{group}")]).stderr(Stdio::null()).status();
}

/// The living processes of a group.
fn members(group: u32) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| is_member(*pid, group).unwrap_or(false))
        .collect()
}

fn is_member(pid: u32, group: u32) -> Option<bool> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold spaces. Behind it: state, parent, group.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    Some(!matches!(state, "Z" | "X") && fields.nth(1)?.parse() == Ok(group))
}

/// Another program may listen there; its answers would be taken for the peer's.
pub(crate) fn check_free(peer: &Peer, port: u16) -> anyhow::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop).with_context(|| {
        format!(
            "port {port}, where {} should listen, is taken: end what uses it, or change bench/peers.toml",
            peer.name
        )
    })
}

/// Where programs are looked for: what is installed for the bench comes first.
fn path(folder: &Path) -> anyhow::Result<OsString> {
    let ours = [folder.join("node_modules/.bin"), folder.join("venv/bin")];
    let others = std::env::var_os("PATH").unwrap_or_default();
    Ok(std::env::join_paths(ours.into_iter().chain(std::env::split_paths(&others)))?)
}

/// The program by its place in the path of the peer, not in our own.
fn which(program: &str, path: &OsString) -> std::path::PathBuf {
    std::env::split_paths(path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| program.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_ends_with_its_children() {
        let child = Command::new("sh")
            .args(["-c", "trap '' TERM; sleep 600 & wait"])
            .process_group(0)
            .spawn()
            .expect("a shell");
        let id = child.id();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let group = Group { child, address, start_time: Duration::ZERO };
        while group.pids().len() < 2 {
            thread::yield_now();
        }
        drop(group);
        assert_eq!(members(id), Vec::<u32>::new());
    }
}
