//! Replication lag, from the times that canaries bear.
//!
//! The reader's clock and the writer's need not agree: stamps are only compared with each other, and times are only measured here. The
//! question is not how old a region's stamp is (its writer may write seldom), but since when there has been something newer:
//!
//! > A region lags by the time that has passed since this process first saw, in any region, a stamp newer than the one that this region
//! > serves. It does not lag where nobody has been seen to serve a newer one.
//!
//! That is never too much. It is too little by the time from the write to the first sight of it, which is at most one interval and the
//! duration of a probe, as long as the region that was written to is reached.
//!
//! What is newest is what some region served last. A canary that was written anew with an older time (another writer, whose clock is
//! behind) leaves the regions that have it behind only until the last one has it.

use std::time::Duration;

use super::canary::Stamp;
use crate::time::Instant;

#[derive(Debug)]
pub(super) struct Lags {
    /// What each region served last.
    served: Vec<Option<Stamp>>,
    /// Stamps that were the newest when they were first seen, and when that was: both grow.
    news: Vec<(Stamp, Instant)>,
}

impl Lags {
    pub(super) fn new(regions: usize) -> Self {
        Self { served: vec![None; regions], news: Vec::new() }
    }

    /// A region serves this stamp; returns how far it lags.
    pub(super) fn on_stamp(&mut self, region: usize, stamp: Stamp, now: Instant) -> Duration {
        self.served[region] = Some(stamp);
        self.forget_what_nobody_serves();
        if self.news.last().is_none_or(|(newest, _)| *newest < stamp) {
            self.news.push((stamp, now));
        }
        self.forget_what_everybody_has();
        let newer = self.news.iter().find(|(news, _)| *news > stamp);
        newer.map_or(Duration::ZERO, |(_, seen)| now.saturating_duration_since(*seen))
    }

    /// A region has no stamp. (One that was not reached keeps what it had.)
    pub(super) fn on_none(&mut self, region: usize) {
        self.served[region] = None;
    }

    fn forget_what_nobody_serves(&mut self) {
        let newest = self.served.iter().flatten().max();
        self.news.retain(|(news, _)| Some(news) <= newest);
    }

    /// The newest stays: if a region falls back behind it, that is when it did.
    fn forget_what_everybody_has(&mut self) {
        let oldest = self.served.iter().flatten().min();
        let old = self.news.iter().take_while(|(news, _)| Some(news) <= oldest).count();
        self.news.drain(..old.min(self.news.len().saturating_sub(1)));
        if self.news.len() > KEPT {
            // A region has been out for long. Those that are nearly as old tell nearly the same.
            let mut nth = 0;
            self.news.retain(|_| {
                nth += 1;
                nth % 2 == 1
            });
        }
    }
}

/// More than an hour of a writer that writes every few seconds.
const KEPT: usize = 1001;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time;

    /// What two regions serve (`region:stamp`, `-` for none) at a second each, and the lags that come of it, in seconds.
    fn lags(seen: &str) -> Vec<Option<u64>> {
        let began = time::now();
        let (mut lags, mut found) = (Lags::new(2), Vec::new());
        for line in seen.split_whitespace() {
            let [second, region, stamp] = line.split(':').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let (region, now) = (region.parse().unwrap(), began + Duration::from_secs(second.parse().unwrap()));
            found.push(match stamp.parse() {
                Ok(stamp) => Some(lags.on_stamp(region, Stamp(stamp), now).as_secs()),
                Err(_) => {
                    lags.on_none(region);
                    None
                }
            });
        }
        found
    }

    #[test]
    fn a_region_lags_since_something_newer_was_first_seen_elsewhere() {
        assert_eq!(lags("0:0:1 0:1:1 5:0:2 5:1:1 9:1:1 12:1:2"), [0, 0, 0, 0, 4, 0].map(Some));
    }

    #[test]
    fn a_writer_that_writes_seldom_makes_nobody_lag() {
        assert_eq!(lags("0:0:1000 0:1:1000 3600:0:3600000 3601:1:1000"), [0, 0, 0, 1].map(Some));
    }

    #[test]
    fn a_region_that_follows_at_a_distance_lags_by_that_distance_however_often_the_writer_writes() {
        assert_eq!(lags("0:0:1 0:1:1 5:0:2 10:0:3 15:0:4 15:1:1 20:0:5 20:1:2 25:1:3"), [0, 0, 0, 0, 0, 10, 0, 10, 10].map(Some));
    }

    #[test]
    fn the_clocks_of_readers_and_writers_need_not_agree() {
        for far in ["1", "9999999999999"] {
            assert_eq!(lags(&format!("0:0:{far} 7:1:0 8:1:{far}")), [0, 7, 0].map(Some));
        }
    }

    #[test]
    fn a_region_without_a_canary_has_no_lag_and_is_behind_nobody() {
        assert_eq!(lags("0:0:2 1:1:- 2:0:2 3:1:1"), [Some(0), None, Some(0), Some(3)]);
    }

    #[test]
    fn a_canary_that_was_written_anew_with_an_older_time_keeps_nobody_behind_for_ever() {
        assert_eq!(lags("0:0:9 0:1:9 5:0:3 9:1:9 20:1:3 30:0:3 31:1:3"), [0, 0, 5, 0, 0, 0, 0].map(Some));
    }

    #[test]
    fn a_region_that_is_out_for_days_costs_no_memory_and_lags_since_it_went() {
        let began = time::now();
        let mut lags = Lags::new(2);
        let _ = lags.on_stamp(1, Stamp(0), began);
        for second in 1..100_000 {
            let _ = lags.on_stamp(0, Stamp(second), began + Duration::from_secs(second));
        }
        let lag = lags.on_stamp(1, Stamp(0), began + Duration::from_secs(100_000));
        assert_eq!(lag.as_secs(), 99_999);
        assert!(lags.news.len() <= KEPT);
    }
}
