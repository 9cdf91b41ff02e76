//! Actions on regions, on the network in front of them, and on the data.

use std::time::Duration;

use failover_testkit::proxy::{Fault, Response};

/// One action of a scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    /// SIGKILL: the listening socket and the connections are closed.
    Kill,
    /// SIGSTOP: connections are accepted and stay open, without a response.
    Hang,
    /// A killed region starts, but is not ready: one node of a cluster, without the others.
    StartUnready,
    /// This many of the region's four nodes are killed.
    KillNodes(usize),
    /// The access key of the client is disabled in the region.
    DisableKey,
    /// A fault on the network in front of the region.
    Network(NetworkFault),
    /// Undoes all actions on the region.
    Restore,
    /// Writes stay in the first region.
    PauseReplication,
    /// Replicates the writes during the pause, and new ones.
    ResumeReplication,
    /// Writes new keys in the first region.
    Write,
    /// Overwrites existing keys in the first region.
    Overwrite,
    /// Deletes existing keys in the first region.
    Delete,
}

/// A fault on the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NetworkFault {
    Refuse,
    Blackhole,
    Swallow,
    Slow,
    Trickle,
    Reset,
    Stall,
    Truncate,
    Throttle,
    Unavailable,
    Unauthorized,
    NoSuchBucket,
    Skewed,
}

/// The regions of a step.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// One region by index, modulo the number of regions. Indexes 0 and 1 are always different.
    Region(usize),
    All,
    /// Every region in turn: the steps of the phase are repeated for each, in equal slices of it.
    EachInTurn,
}

/// Factor of [`NetworkFault::Slow`].
const SLOW_FACTOR: u32 = 20;
/// Bytes per second of [`NetworkFault::Trickle`].
const TRICKLE_RATE: u64 = 32 * 1024;
/// Body bytes that pass before a fault within the body.
pub(crate) const BREAK_AT_BYTE: u64 = 64 * 1024;
/// A starting MinIO sends 60, which exceeds the duration of most drills.
const RETRY_AFTER_SECONDS: u32 = 1;

impl Action {
    /// The state of the region after the action, for reports.
    pub(crate) fn state(self) -> &'static str {
        match self {
            Self::Kill => "killed",
            Self::Hang => "hanging",
            Self::StartUnready => "starting, not ready",
            Self::KillNodes(2) => "short of 2 nodes",
            Self::KillNodes(_) => "without quorum",
            Self::DisableKey => "rejecting the key",
            Self::Network(fault) => fault.state(),
            Self::Restore => "restored",
            Self::PauseReplication => "not replicated",
            Self::ResumeReplication => "replicated again",
            Self::Write => "written",
            Self::Overwrite => "overwritten in part",
            Self::Delete => "deleted in part",
        }
    }

    /// Whether the region cannot serve as expected until it is restored.
    pub(crate) fn is_harmful(self) -> bool {
        !matches!(self, Self::Restore | Self::KillNodes(0..=2)) && !self.changes_data()
    }

    /// Whether the action changes the data or its replication instead of a server.
    pub(crate) fn changes_data(self) -> bool {
        matches!(
            self,
            Self::PauseReplication
                | Self::ResumeReplication
                | Self::Write
                | Self::Overwrite
                | Self::Delete
        )
    }

    pub(crate) fn is_network_fault(self) -> bool {
        matches!(self, Self::Network(_))
    }
}

impl NetworkFault {
    fn state(self) -> &'static str {
        match self {
            Self::Refuse => "refusing connections",
            Self::Blackhole => "dropping packets",
            Self::Swallow => "swallowing requests",
            Self::Slow => "20 times slower",
            Self::Trickle => "sending 32 KiB/s",
            Self::Reset => "resetting bodies",
            Self::Stall => "stalling bodies",
            Self::Truncate => "truncating bodies",
            Self::Throttle => "throttling",
            Self::Unavailable => "unavailable",
            Self::Unauthorized => "rejecting the key",
            Self::NoSuchBucket => "without the bucket",
            Self::Skewed => "rejecting the clock",
        }
    }

    /// The fault of the proxy. `usual` is the median duration of a read.
    pub(crate) fn fault(self, usual: Duration) -> Fault {
        match self {
            Self::Refuse => Fault::Refuse,
            Self::Blackhole => Fault::Blackhole,
            Self::Swallow => Fault::Swallow,
            Self::Slow => Fault::Delay(usual * SLOW_FACTOR),
            Self::Trickle => Fault::Trickle(TRICKLE_RATE),
            Self::Reset => Fault::ResetAfter(BREAK_AT_BYTE),
            Self::Stall => Fault::StallAfter(BREAK_AT_BYTE),
            Self::Truncate => Fault::CloseAfter(BREAK_AT_BYTE),
            Self::Throttle => Response::error(503, "SlowDown").into(),
            Self::Unavailable => Response::error(503, "XMinioServerNotInitialized")
                .header("retry-after", RETRY_AFTER_SECONDS)
                .into(),
            Self::Unauthorized => Response::error(403, "InvalidAccessKeyId").into(),
            Self::NoSuchBucket => Response::error(404, "NoSuchBucket").into(),
            Self::Skewed => Response::error(403, "RequestTimeTooSkewed").into(),
        }
    }
}

impl Target {
    /// Indexes among `count` regions; `turn` is the index of [`Target::EachInTurn`].
    pub(crate) fn of(self, count: usize, turn: usize) -> Vec<usize> {
        match self {
            Self::Region(index) => vec![index % count],
            Self::All => (0..count).collect(),
            Self::EachInTurn => vec![turn],
        }
    }
}
