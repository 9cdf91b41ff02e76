//! Replication lag, from the timestamps in the canaries.
//!
//! The clocks of reader and writer need not agree: timestamps are compared only with each other,
//! and time is measured only here. The age of a timestamp says nothing, because the writer may
//! write seldom. Therefore:
//!
//! > The lag of a region is the time since this process first saw, in any region, a timestamp newer
//! > than the one that this region serves. It is zero if no region serves a newer one.
//!
//! This is never too high. It is too low by the time between the write and its first observation:
//! at most one interval and the duration of one probe, while the region that is written to
//! responds.
//!
//! The newest timestamp is the newest of those that the regions served last. After a canary was
//! written with an older time (by another writer, whose clock is behind), the regions with that
//! canary count as lagging only until all regions have it.

use std::time::Duration;

use super::canary::CanaryTimestamp;
use crate::runtime::clock::Instant;

#[derive(Debug)]
pub(super) struct LagTracker {
    /// The timestamp that each region served last.
    served: Vec<Option<CanaryTimestamp>>,
    /// Timestamps that were the newest when first seen, and the time of that; both increase.
    newest: Vec<(CanaryTimestamp, Instant)>,
}

impl LagTracker {
    pub(super) fn new(regions: usize) -> Self {
        Self {
            served: vec![None; regions],
            newest: Vec::new(),
        }
    }

    /// A region serves this timestamp; returns its lag.
    pub(super) fn on_timestamp(
        &mut self,
        region: usize,
        stamp: CanaryTimestamp,
        now: Instant,
    ) -> Duration {
        self.served[region] = Some(stamp);
        self.prune_unserved();
        if self.newest.last().is_none_or(|(latest, _)| *latest < stamp) {
            self.newest.push((stamp, now));
        }
        self.prune_replicated();
        let newer = self.newest.iter().find(|(candidate, _)| *candidate > stamp);
        newer.map_or(Duration::ZERO, |(_, seen)| {
            now.saturating_duration_since(*seen)
        })
    }

    /// A region has no timestamp. A region that did not respond keeps its last one.
    pub(super) fn on_none(&mut self, region: usize) {
        self.served[region] = None;
    }

    /// Removes timestamps newer than any that is still served.
    fn prune_unserved(&mut self) {
        let latest = self.served.iter().flatten().max();
        self.newest.retain(|(stamp, _)| Some(stamp) <= latest);
    }

    /// Removes timestamps that every region has. The newest stays: it dates the lag of a region
    /// that falls behind it.
    fn prune_replicated(&mut self) {
        let most_lagging = self.served.iter().flatten().min();
        let replicated = self
            .newest
            .iter()
            .take_while(|(stamp, _)| Some(stamp) <= most_lagging)
            .count();
        self.newest
            .drain(..replicated.min(self.newest.len().saturating_sub(1)));
        if self.newest.len() > MAX_STAMPS {
            // A region has been unavailable for long. Neighbouring timestamps give nearly the same
            // lag: remove every other one.
            let mut nth = 0;
            self.newest.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
        }
    }
}

/// More than an hour of a writer that writes every few seconds.
const MAX_STAMPS: usize = 1001;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock;

    /// The lags in seconds for a sequence of `second:region:timestamp` (`-` for none).
    fn lags(seen: &str) -> Vec<Option<u64>> {
        let started_at = clock::now();
        let (mut lags, mut found) = (LagTracker::new(2), Vec::new());
        for probe in seen.split_whitespace() {
            let [second, region, stamp] = probe.split(':').collect::<Vec<_>>()[..] else {
                panic!("{probe}")
            };
            let (region, now) = (
                region.parse().unwrap(),
                started_at + Duration::from_secs(second.parse().unwrap()),
            );
            found.push(match stamp.parse() {
                Ok(stamp) => Some(
                    lags.on_timestamp(region, CanaryTimestamp(stamp), now)
                        .as_secs(),
                ),
                Err(_) => {
                    lags.on_none(region);
                    None
                }
            });
        }
        found
    }

    #[test]
    fn lag_counts_from_the_first_newer_timestamp() {
        assert_eq!(
            lags("0:0:1 0:1:1 5:0:2 5:1:1 9:1:1 12:1:2"),
            [0, 0, 0, 0, 4, 0].map(Some)
        );
    }

    #[test]
    fn rare_writes_cause_no_lag() {
        assert_eq!(
            lags("0:0:1000 0:1:1000 3600:0:3600000 3601:1:1000"),
            [0, 0, 0, 1].map(Some)
        );
    }

    #[test]
    fn lag_is_independent_of_the_write_rate() {
        assert_eq!(
            lags("0:0:1 0:1:1 5:0:2 10:0:3 15:0:4 15:1:1 20:0:5 20:1:2 25:1:3"),
            [0, 0, 0, 0, 0, 10, 0, 10, 10].map(Some)
        );
    }

    #[test]
    fn clocks_of_reader_and_writer_may_differ() {
        for far in ["1", "9999999999999"] {
            assert_eq!(
                lags(&format!("0:0:{far} 7:1:0 8:1:{far}")),
                [0, 7, 0].map(Some)
            );
        }
    }

    #[test]
    fn region_without_canary_has_no_lag() {
        assert_eq!(
            lags("0:0:2 1:1:- 2:0:2 3:1:1"),
            [Some(0), None, Some(0), Some(3)]
        );
    }

    #[test]
    fn older_timestamp_causes_lag_only_until_replicated() {
        assert_eq!(
            lags("0:0:9 0:1:9 5:0:3 9:1:9 20:1:3 30:0:3 31:1:3"),
            [0, 0, 5, 0, 0, 0, 0].map(Some)
        );
    }

    #[test]
    fn lag_of_a_long_outage_uses_bounded_memory() {
        let started_at = clock::now();
        let mut lags = LagTracker::new(2);
        let _ = lags.on_timestamp(1, CanaryTimestamp(0), started_at);
        for second in 1..100_000 {
            let _ = lags.on_timestamp(
                0,
                CanaryTimestamp(second),
                started_at + Duration::from_secs(second),
            );
        }
        let lag = lags.on_timestamp(
            1,
            CanaryTimestamp(0),
            started_at + Duration::from_secs(100_000),
        );
        assert_eq!(lag.as_secs(), 99_999);
        assert!(lags.newest.len() <= MAX_STAMPS);
    }
}
