//! The figures of a set of reads.

use std::time::Duration;

use failover_bench::load::{Read, Seen};
use serde::Serialize;

/// The columns.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figures {
    pub(crate) reads: usize,
    pub(crate) failed: usize,
    pub(crate) worst_ms: f64,
    /// Reads longer than [`SLOW`], failed ones included.
    pub(crate) slow: usize,
    /// Time beyond the p99 of the client's healthy period, summed over all reads.
    pub(crate) lost_s: f64,
    pub(crate) rate: f64,
    /// Relative to the client's healthy period.
    pub(crate) throughput: f64,
    pub(crate) p99_ms: f64,
}

/// The reads that ended in one second of the load.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Second {
    /// Successful reads.
    succeeded: usize,
    /// Failed reads.
    failed: usize,
    /// The longest read.
    worst_us: u32,
}

pub(crate) const SLOW: Duration = Duration::from_millis(100);

impl Figures {
    /// `healthy` is `None` for the healthy period itself.
    pub(crate) fn of(reads: &[Read], lasted: Duration, healthy: Option<&Self>) -> Self {
        let seen = Seen {
            reads: reads.to_vec(),
            lasted,
            first_error: None,
        };
        let (rate, p99_ms) = (seen.rate(), seen.ms(0.99));
        let usual = healthy.map_or(p99_ms, |healthy| healthy.p99_ms) * 1e3;
        let beyond = |read: &Read| (f64::from(read.took) - usual).max(0.0);
        Self {
            reads: reads.len(),
            failed: seen.failed(),
            worst_ms: seen.ms(1.0),
            slow: reads
                .iter()
                .filter(|read| Duration::from_micros(read.took.into()) > SLOW)
                .count(),
            lost_s: reads.iter().map(beyond).sum::<f64>() / 1e6,
            rate,
            throughput: healthy.map_or(1.0, |healthy| rate / healthy.rate),
            p99_ms,
        }
    }
}

/// The figures of each second, for charts.
pub(crate) fn by_second(reads: &[Read]) -> Vec<Second> {
    let mut seconds = Vec::new();
    for read in reads {
        let end = u64::from(read.started_at) + u64::from(read.took);
        let second = (end / 1_000_000) as usize;
        if seconds.len() <= second {
            seconds.resize(second + 1, Second::default());
        }
        let seen: &mut Second = &mut seconds[second];
        if read.ok {
            seen.succeeded += 1
        } else {
            seen.failed += 1
        }
        seen.worst_us = seen.worst_us.max(read.took);
    }
    seconds
}
