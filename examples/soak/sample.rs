//! What might grow, looked at every second.

use object_store_failover::FailoverStore;
use tokio::runtime::Handle;

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    /// Of the whole process, servers and objects included.
    Memory,
    /// Of the callers' runtime: callers, the store's own, connections of its clients.
    Tasks,
    /// Of the servers' runtime.
    ServerTasks,
    Files,
    InFlight,
}

/// One look; what this system does not tell is left out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample([Option<u64>; Kind::ALL.len()]);

impl Kind {
    pub(crate) const ALL: [Self; 5] = [Self::Memory, Self::Tasks, Self::ServerTasks, Self::Files, Self::InFlight];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Memory => "resident memory, KiB",
            Self::Tasks => "tasks of callers and store",
            Self::ServerTasks => "tasks of the servers",
            Self::Files => "open files",
            Self::InFlight => "attempts in flight",
        }
    }

    /// What the median of the last quarter may be above that of the second: a tenth, and this. The faults of two quarters are never the
    /// same, and an allocator keeps what it was once given.
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
        let in_flight = store.health().regions.iter().map(|region| u64::from(region.in_flight)).sum();
        Self([memory(), tasks(&Handle::current()), tasks(servers), files(), Some(in_flight)])
    }

    pub(crate) fn of(&self, kind: Kind) -> Option<u64> {
        self.0[kind as usize]
    }
}

fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok())
}

fn files() -> Option<u64> {
    std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as u64)
}
