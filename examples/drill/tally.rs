//! What came of the reads of one phase.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock::Instant;

/// A read longer than this is counted as this long: no limit of the store lets one live that long.
const LONGEST_MICROS: u64 = 3_600_000_000;

/// What came of one read.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// An object with the bytes that it should have, from this region.
    Served(Option<usize>),
    /// A key that exists nowhere, and all regions said so.
    NotFound,
    /// A key that exists nowhere, while some region could not be asked.
    Undecided,
    /// Other bytes than were put, `NotFound` for a key that exists, or a body for one that does not; with a line that tells it.
    Wrong(String),
    /// An error, with its line.
    Failed(String),
}

/// Reads count in the phase in which they end.
pub(crate) struct Tally {
    pub(crate) began: Option<Instant>,
    pub(crate) ended: Option<Instant>,
    pub(crate) reads: u64,
    pub(crate) failed: u64,
    /// Of the failed ones, those that met a total outage.
    pub(crate) excused: u64,
    pub(crate) wrong: u64,
    pub(crate) not_found: u64,
    pub(crate) undecided: u64,
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
            wrong: 0,
            not_found: 0,
            undecided: 0,
            served: histogram(),
            missing: histogram(),
            requests_before: Vec::new(),
            requests_after: Vec::new(),
        }
    }

    pub(crate) fn count(&mut self, outcome: &Outcome, took: Duration, excused: bool) {
        self.reads += 1;
        let micros = u64::try_from(took.as_micros()).unwrap_or(LONGEST_MICROS);
        match outcome {
            Outcome::Served(_) => self.served.saturating_record(micros),
            Outcome::NotFound => {
                self.not_found += 1;
                self.missing.saturating_record(micros);
            }
            Outcome::Undecided => {
                self.undecided += 1;
                self.missing.saturating_record(micros);
            }
            Outcome::Wrong(_) => self.wrong += 1,
            Outcome::Failed(_) => {
                self.failed += 1;
                self.excused += u64::from(excused);
            }
        }
    }

    /// Requests that each region saw in this phase.
    pub(crate) fn requests(&self) -> Vec<u64> {
        self.requests_after.iter().zip(&self.requests_before).map(|(after, before)| after.saturating_sub(*before)).collect()
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, LONGEST_MICROS, 3).expect("the bounds are in order and three digits are supported")
}
