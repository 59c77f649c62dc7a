//! What the kernel tells: CPU time and memory of a process, CPU time of everything, the machine.

use std::{fs, thread, time::Duration};

use anyhow::{Context, anyhow};
use rustix::time::{ClockId, clock_gettime};

/// The kernel counts CPU time in these. Linux has used 100 a second for user space on every platform.
const TICK: Duration = Duration::from_millis(10);

/// User and system time of a process and of the children that it has waited for.
pub(crate) fn cpu_time(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the process has ended")?;
    // The name, in parentheses, may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").ok_or_else(|| anyhow!("cannot read /proc/{pid}/stat"))?;
    let ticks: u32 = fields.split(' ').skip(11).take(4).filter_map(|field| field.parse::<u32>().ok()).sum();
    Ok(TICK * ticks)
}

/// CPU time that this thread has used, in seconds.
pub(crate) fn thread_time() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident(pid: u32) -> anyhow::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the process has ended")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().context("cannot read VmRSS")?;
    Ok(kilobytes * 1024)
}

/// CPU time that every process together has used since the machine started.
fn busy_time() -> anyhow::Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let fields: Vec<u64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    // user, nice, system, idle, iowait, irq, softirq, steal
    let ticks: u64 = [0, 1, 2, 5, 6, 7].iter().filter_map(|at| fields.get(*at)).sum();
    Ok(TICK * u32::try_from(ticks).unwrap_or(u32::MAX))
}

/// Tells how much of the machine others used while something was measured.
pub(crate) struct Others {
    started: std::time::Instant,
    busy: Duration,
    ours: Duration,
    pids: Vec<u32>,
}

impl Others {
    /// Begins; `pids` and this process are not others.
    pub(crate) fn watch(pids: &[u32]) -> anyhow::Result<Self> {
        let mut pids = pids.to_vec();
        pids.push(std::process::id());
        Ok(Self { started: std::time::Instant::now(), busy: busy_time()?, ours: cpu_time_of(&pids)?, pids })
    }

    /// The share of all cores that others used, from 0 to 1.
    pub(crate) fn share(&self) -> anyhow::Result<f64> {
        let busy = busy_time()?.saturating_sub(self.busy);
        let ours = cpu_time_of(&self.pids)?.saturating_sub(self.ours);
        let all = self.started.elapsed().as_secs_f64() * cores() as f64;
        Ok((busy.saturating_sub(ours).as_secs_f64() / all).clamp(0.0, 1.0))
    }
}

/// The same of several processes.
pub(crate) fn cpu_time_of(pids: &[u32]) -> anyhow::Result<Duration> {
    pids.iter().map(|pid| cpu_time(*pid)).sum()
}

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The machine in one line each, for the page of results.
pub(crate) fn machine() -> Vec<(&'static str, String)> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines()
            .find_map(|line| {
                line.strip_prefix(name)?.split_once(':').map(|(_, value)| value.trim().to_owned())
            })
            .unwrap_or_else(|| "unknown".to_owned())
    };
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let gibibytes = memory.trim_end_matches(" kB").parse::<f64>().unwrap_or(0.0) / f64::from(1 << 20);
    vec![
        ("processor", format!("{}, {} cores", field(&read("/proc/cpuinfo"), "model name"), cores())),
        ("memory", format!("{gibibytes:.1} GiB")),
        ("kernel", read("/proc/sys/kernel/osrelease").trim().to_owned()),
    ]
}
