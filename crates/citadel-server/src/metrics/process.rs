//! What this process takes of the machine, under the names that every Prometheus dashboard knows. Read from `/proc`; elsewhere
//! than on Linux the figures stay 0.

use std::{
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use prometheus_client::{
    metrics::{counter::Counter, gauge::Gauge},
    registry::{Registry, Unit},
};

pub(super) struct Process {
    registry: Registry,
    cpu: Counter<f64, AtomicU64>,
    memory: Gauge,
    open_files: Gauge,
    most_files: Gauge,
    threads: Gauge,
}

impl Default for Process {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("process");
        let cpu = Counter::<f64, AtomicU64>::default();
        let [memory, open_files, most_files, threads] = [(); 4].map(|()| Gauge::default());
        registry.register_with_unit("cpu", "Processor time of this process", Unit::Seconds, cpu.clone());
        registry.register_with_unit(
            "resident_memory",
            "Memory that this process holds",
            Unit::Bytes,
            memory.clone(),
        );
        registry.register("open_fds", "Files and connections that are open", open_files.clone());
        registry.register("max_fds", "As many may be open", most_files.clone());
        registry.register("threads", "Threads of this process", threads.clone());
        Self { registry, cpu, memory, open_files, most_files, threads }
    }
}

impl Process {
    pub(super) const fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Reads the figures anew.
    pub(super) fn look(&self) {
        if let Some(ticks) = fs::read_to_string("/proc/self/stat").ok().and_then(|text| cpu_ticks(&text)) {
            // Linux shows a hundredth of a second to every program, whatever the kernel counts in.
            self.cpu.inner().store((ticks as f64 / 100.0).to_bits(), Ordering::Relaxed);
        }
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        if let Some(kib) = line(&status, "VmRSS:") {
            self.memory.set(kib.saturating_mul(1024));
        }
        if let Some(threads) = line(&status, "Threads:") {
            self.threads.set(threads);
        }
        if let Ok(files) = fs::read_dir("/proc/self/fd") {
            // One of them is this look.
            let count = files.count().saturating_sub(1);
            self.open_files.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
        if let Some(most) = line(&limits, "Max open files") {
            self.most_files.set(most);
        }
    }
}

/// The number behind a word at the beginning of a line.
fn line(text: &str, word: &str) -> Option<i64> {
    text.lines().find_map(|line| line.strip_prefix(word)?.split_whitespace().next()?.parse().ok())
}

/// Time in user and kernel mode: the 14th and 15th field. The second is the program's name, which may hold blanks and
/// brackets, so fields are counted from behind its last bracket.
fn cpu_ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    Some(fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 1 0 1 1 1";
        assert_eq!(cpu_ticks(stat), Some(300));
        assert_eq!(cpu_ticks("nonsense"), None);
        assert_eq!(line("Name:\tx\nVmRSS:\t  512 kB\n", "VmRSS:"), Some(512));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_seen() {
        let process = Process::default();
        process.look();
        assert!(process.memory.get() > 1 << 20, "{}", process.memory.get());
        assert!(process.open_files.get() > 0 && process.threads.get() > 0);
        assert!(process.most_files.get() >= process.open_files.get());
    }
}
