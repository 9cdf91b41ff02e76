//! What can be done to a region, to the line that leads there, and to the data.

use std::time::Duration;

use crate::proxy::{Answer, Fault};

/// One deed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// SIGKILL: listening sockets and connections are gone.
    Kill,
    /// SIGSTOP: connections open and stay open, nothing is answered.
    Hang,
    /// What was killed starts, but is not ready: one node of a cluster whose other nodes are still missing.
    StartUnready,
    /// So many of the region's four nodes are killed.
    LoseNodes(usize),
    /// The key with which the region is asked is disabled there.
    DisableKey,
    /// The line to the region is spoilt.
    Spoil(Spoil),
    /// Everything that was done to the region is undone.
    Revive,
    /// What is written from now on stays in the first region.
    PauseReplication,
    /// What was held back is sent, and what is written as well.
    ResumeReplication,
    /// New keys are written in the first region.
    Write,
    /// Keys that everybody has are overwritten there.
    Overwrite,
    /// Keys that everybody has are deleted there.
    Delete,
}

/// What happens on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoil {
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

/// To which regions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whom {
    /// One of them, counted from 0. Two of different numbers are different regions with any `--regions`, if both are below 2.
    Region(usize),
    All,
    /// Each in its turn: the steps of a phase are played once for every region, each in a slice of the phase.
    EachInTurn,
}

/// How much slower than usual.
const SLOWER: u32 = 20;
/// A body's bytes each second.
const TRICKLE: u64 = 32 * 1024;
/// Bytes of a body that still come.
pub(crate) const BEFORE_THE_END: u64 = 64 * 1024;
/// What MinIO says while it starts is 60; a drill of some seconds would be over.
const RETRY_AFTER_SECONDS: u32 = 1;

impl Act {
    /// What a region is to which it was done.
    pub(crate) fn state(self) -> &'static str {
        match self {
            Self::Kill => "killed",
            Self::Hang => "hanging",
            Self::StartUnready => "starting, not ready",
            Self::LoseNodes(2) => "short of 2 nodes",
            Self::LoseNodes(_) => "without quorum",
            Self::DisableKey => "refusing our key",
            Self::Spoil(spoil) => spoil.state(),
            Self::Revive => "back",
            Self::PauseReplication => "not replicated",
            Self::ResumeReplication => "replicated again",
            Self::Write => "written to",
            Self::Overwrite => "overwritten in part",
            Self::Delete => "missing some keys",
        }
    }

    /// Whether the region cannot serve as it should until it is revived.
    pub(crate) fn is_harm(self) -> bool {
        !matches!(self, Self::Revive | Self::LoseNodes(0..=2)) && !self.is_of_data()
    }

    /// Whether it is done to the objects, in the first region, and to no server.
    pub(crate) fn is_of_data(self) -> bool {
        matches!(self, Self::PauseReplication | Self::ResumeReplication | Self::Write | Self::Overwrite | Self::Delete)
    }

    pub(crate) fn is_on_the_line(self) -> bool {
        matches!(self, Self::Spoil(_))
    }
}

impl Spoil {
    fn state(self) -> &'static str {
        match self {
            Self::Refuse => "refusing",
            Self::Blackhole => "a black hole",
            Self::Swallow => "swallowing",
            Self::Slow => "20 times slower",
            Self::Trickle => "trickling",
            Self::Reset => "resetting bodies",
            Self::Stall => "stalling bodies",
            Self::Truncate => "truncating bodies",
            Self::Throttle => "throttling",
            Self::Unavailable => "unavailable",
            Self::Unauthorized => "refusing our key",
            Self::NoSuchBucket => "without our bucket",
            Self::Skewed => "at odds about the time",
        }
    }

    /// As a proxy does it, where a read usually takes so long.
    pub(crate) fn fault(self, usual: Duration) -> Fault {
        match self {
            Self::Refuse => Fault::Refuse,
            Self::Blackhole => Fault::Blackhole,
            Self::Swallow => Fault::Swallow,
            Self::Slow => Fault::Delay(usual * SLOWER),
            Self::Trickle => Fault::Trickle(TRICKLE),
            Self::Reset => Fault::ResetAfter(BEFORE_THE_END),
            Self::Stall => Fault::StallAfter(BEFORE_THE_END),
            Self::Truncate => Fault::CloseAfter(BEFORE_THE_END),
            Self::Throttle => Answer::error(503, "SlowDown").into(),
            Self::Unavailable => Answer::error(503, "XMinioServerNotInitialized").header("retry-after", RETRY_AFTER_SECONDS).into(),
            Self::Unauthorized => Answer::error(403, "InvalidAccessKeyId").into(),
            Self::NoSuchBucket => Answer::error(404, "NoSuchBucket").into(),
            Self::Skewed => Answer::error(403, "RequestTimeTooSkewed").into(),
        }
    }
}

impl Whom {
    /// Their indexes among `count` regions; `turn` is whose turn it is.
    pub(crate) fn of(self, count: usize, turn: usize) -> Vec<usize> {
        match self {
            Self::Region(index) => vec![index % count],
            Self::All => (0..count).collect(),
            Self::EachInTurn => vec![turn],
        }
    }
}
