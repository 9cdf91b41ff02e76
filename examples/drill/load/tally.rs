//! What came of the reads of one phase.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock::{Instant, millis};

/// A read longer than this is counted as this long: no limit of the store lets one live that long.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// What came of one read.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An object with the bytes that it should have, so many, from this region.
    Served { region: Option<usize>, bytes: u64 },
    /// A version that was overwritten or deleted before the read began; `home`: of a key that is the first region's.
    Stale { home: bool, line: String },
    /// A key that exists nowhere, and all regions said so.
    NotFound,
    /// A key that exists nowhere, while some region could not be asked.
    Undecided,
    /// Other bytes than were put, `NotFound` for a key that exists, or a body for one that does not; with a line that tells it.
    Wrong(String),
    /// An error, with its line, and whether that tells of every region.
    Failed { line: String, honest: bool },
}

/// Reads count in the phase in which they end.
pub(crate) struct Tally {
    pub(crate) began: Option<Instant>,
    pub(crate) ended: Option<Instant>,
    pub(crate) reads: u64,
    pub(crate) failed: u64,
    /// Of the failed ones, those that met a total outage.
    pub(crate) excused: u64,
    /// Of the excused, those whose error did not tell of every region.
    pub(crate) dishonest: u64,
    pub(crate) wrong: u64,
    /// Older versions of keys that are the first region's, and of others.
    pub(crate) stale: u64,
    pub(crate) stale_elsewhere: u64,
    /// Bytes of bodies that were delivered whole.
    pub(crate) bytes: u64,
    pub(crate) not_found: u64,
    pub(crate) undecided: u64,
    /// The longest read of a key that exists, whatever came of it, in milliseconds; failed ones that an outage excuses are left out.
    pub(crate) slowest: f64,
    pub(crate) slowest_missing: f64,
    /// The longest of the failed ones that an outage excuses.
    pub(crate) slowest_excused: f64,
    /// Whole reads of keys that exist, until the last byte.
    pub(crate) served: Histogram<u64>,
    pub(crate) missing: Histogram<u64>,
    /// Requests of each region when the phase began, and when it ended.
    pub(crate) requests_before: Vec<u64>,
    pub(crate) requests_after: Vec<u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            began: None,
            ended: None,
            reads: 0,
            failed: 0,
            excused: 0,
            dishonest: 0,
            wrong: 0,
            stale: 0,
            stale_elsewhere: 0,
            bytes: 0,
            not_found: 0,
            undecided: 0,
            slowest: 0.0,
            slowest_missing: 0.0,
            slowest_excused: 0.0,
            served: histogram(),
            missing: histogram(),
            requests_before: Vec::new(),
            requests_after: Vec::new(),
        }
    }

    pub(crate) fn count(&mut self, outcome: &Outcome, took: Duration, of_existing_key: bool, excused: bool) {
        self.reads += 1;
        let slowest = match outcome {
            Outcome::Failed { .. } if excused => &mut self.slowest_excused,
            _ if of_existing_key => &mut self.slowest,
            _ => &mut self.slowest_missing,
        };
        *slowest = slowest.max(millis(took));
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST_MICROS);
        match outcome {
            Outcome::Served { bytes, .. } => {
                self.served.saturating_record(micros);
                self.bytes += bytes;
            }
            Outcome::Stale { home: true, .. } => self.stale += 1,
            Outcome::Stale { home: false, .. } => self.stale_elsewhere += 1,
            Outcome::NotFound => {
                self.not_found += 1;
                self.missing.saturating_record(micros);
            }
            Outcome::Undecided => {
                self.undecided += 1;
                self.missing.saturating_record(micros);
            }
            Outcome::Wrong(_) => self.wrong += 1,
            Outcome::Failed { honest, .. } => {
                self.failed += 1;
                self.excused += u64::from(excused);
                self.dishonest += u64::from(excused && !honest);
            }
        }
    }

    /// Milliseconds within which this share of the whole reads ended; None where there were none.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        quantile(&self.served, share)
    }

    pub(crate) fn missing_quantile(&self, share: f64) -> Option<f64> {
        quantile(&self.missing, share)
    }

    /// Requests that each region saw in this phase.
    pub(crate) fn requests(&self) -> Vec<u64> {
        self.requests_after.iter().zip(&self.requests_before).map(|(after, before)| after.saturating_sub(*before)).collect()
    }
}

fn quantile(times: &Histogram<u64>, share: f64) -> Option<f64> {
    (!times.is_empty()).then(|| millis(Duration::from_micros(times.value_at_quantile(share))))
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("the bounds are in order and three digits are supported")
}
