//! Resources that must not grow, sampled every second.

use object_store_failover::FailoverStore;
use tokio::runtime::Handle;

/// A resource.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Of the process, including servers and objects.
    Memory,
    /// Of the callers' runtime: callers, tasks of the store, connections of its clients.
    Tasks,
    /// Of the servers' runtime.
    ServerTasks,
    Files,
    InFlight,
}

/// One sample; `None` where the system does not report the resource.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample([Option<u64>; Kind::ALL.len()]);

impl Kind {
    pub(crate) const ALL: [Self; 5] = [
        Self::Memory,
        Self::Tasks,
        Self::ServerTasks,
        Self::Files,
        Self::InFlight,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "resident memory, KiB",
            Self::Tasks => "tasks of callers and store",
            Self::ServerTasks => "tasks of the servers",
            Self::Files => "open files",
            Self::InFlight => "attempts in flight",
        }
    }

    /// Tolerance of the median of the last quarter above that of the second, in addition to a
    /// tenth: the faults of two quarters differ, and an allocator keeps memory.
    pub(crate) fn slack(self) -> u64 {
        match self {
            Self::Memory => 8 * 1024,
            Self::Tasks | Self::ServerTasks => 32,
            Self::Files => 16,
            Self::InFlight => 8,
        }
    }
}

impl Sample {
    pub(crate) fn take(store: &FailoverStore, servers: &Handle) -> Self {
        let tasks = |handle: &Handle| Some(handle.metrics().num_alive_tasks() as u64);
        let in_flight = store
            .health()
            .regions
            .iter()
            .map(|region| u64::from(region.in_flight))
            .sum();
        Self([
            memory(),
            tasks(&Handle::current()),
            tasks(servers),
            files(),
            Some(in_flight),
        ])
    }

    pub(crate) fn of(&self, kind: Kind) -> Option<u64> {
        self.0[kind as usize]
    }
}

fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    })
}

fn files() -> Option<u64> {
    std::fs::read_dir("/proc/self/fd")
        .ok()
        .map(|files| files.count() as u64)
}
