//! The results of the reads of one phase.

use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::time::Instant;

use crate::units::millis;

/// Longer reads are counted with this duration; every limit of the store is shorter.
const MAX_MICROS: u64 = 3_600_000_000;

/// The result of one read.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The expected content, and the region that served it.
    Served { region: Option<usize>, bytes: u64 },
    /// A version that was overwritten or deleted before the read started.
    Stale { home: bool, line: String },
    /// `NotFound` for a key that exists in no region.
    NotFound,
    /// A missing key that was undecided, because not all regions responded.
    Undecided,
    /// Other bytes, `NotFound` for a key that exists, or an object where there is none.
    Wrong(String),
    /// An error as one line, and whether it names every region.
    Failed { line: String, complete: bool },
}

/// Reads count in the phase in which they end.
pub(crate) struct Tally {
    pub(crate) started_at: Option<Instant>,
    pub(crate) ended_at: Option<Instant>,
    pub(crate) reads: u64,
    pub(crate) failed: u64,
    /// Failed reads of a total outage.
    pub(crate) excused: u64,
    /// Failed reads of a total outage whose error does not name every region.
    pub(crate) incomplete_errors: u64,
    pub(crate) wrong: u64,
    /// Older versions, of keys under `home/` and of other keys.
    pub(crate) stale: u64,
    pub(crate) stale_elsewhere: u64,
    /// Bytes of bodies that were read completely.
    pub(crate) bytes: u64,
    pub(crate) not_found: u64,
    pub(crate) undecided: u64,
    /// The longest read of a key that exists, in milliseconds, without failed reads of a total
    /// outage.
    pub(crate) slowest: f64,
    pub(crate) slowest_missing: f64,
    /// The longest failed read of a total outage.
    pub(crate) slowest_excused: f64,
    /// Complete reads of keys that exist, until the last byte, in microseconds.
    pub(crate) served: Histogram<u64>,
    pub(crate) missing: Histogram<u64>,
    /// Requests to each region until the start of the phase, and until its end.
    pub(crate) requests_before: Vec<u64>,
    pub(crate) requests_after: Vec<u64>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self {
            started_at: None,
            ended_at: None,
            reads: 0,
            failed: 0,
            excused: 0,
            incomplete_errors: 0,
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

    pub(crate) fn count(
        &mut self,
        outcome: &Outcome,
        took: Duration,
        of_existing_key: bool,
        excused: bool,
    ) {
        self.reads += 1;
        let slowest = match outcome {
            Outcome::Failed { .. } if excused => &mut self.slowest_excused,
            _ if of_existing_key => &mut self.slowest,
            _ => &mut self.slowest_missing,
        };
        *slowest = slowest.max(millis(took));
        let micros = u64::try_from(took.as_micros()).unwrap_or(MAX_MICROS);
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
            Outcome::Failed { complete, .. } => {
                self.failed += 1;
                self.excused += u64::from(excused);
                self.incomplete_errors += u64::from(excused && !complete);
            }
        }
    }

    /// The quantile of complete reads in milliseconds; `None` without reads.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        quantile(&self.served, share)
    }

    pub(crate) fn missing_quantile(&self, share: f64) -> Option<f64> {
        quantile(&self.missing, share)
    }

    /// Requests to each region in this phase.
    pub(crate) fn requests(&self) -> Vec<u64> {
        self.requests_after
            .iter()
            .zip(&self.requests_before)
            .map(|(after, before)| after.saturating_sub(*before))
            .collect()
    }
}

fn quantile(times: &Histogram<u64>, share: f64) -> Option<f64> {
    (!times.is_empty()).then(|| millis(Duration::from_micros(times.value_at_quantile(share))))
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MAX_MICROS, 3)
        .expect("the bounds are ordered and three digits are supported")
}
