//! The measures of a run, by name.

use super::compute::{self, count, longest};
use super::{Evaluation, Measured};

/// One measure.
pub(crate) struct Measure {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// For `--help` and the report.
    pub(crate) about: &'static str,
    pub(crate) of: fn(&Evaluation<'_>) -> Measured,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Count,
    Ratio,
    /// Milliseconds.
    Time,
}

const fn counted(
    name: &'static str,
    about: &'static str,
    of: fn(&Evaluation<'_>) -> Measured,
) -> Measure {
    Measure {
        name,
        unit: Unit::Count,
        about,
        of,
    }
}

const fn ratio(
    name: &'static str,
    about: &'static str,
    of: fn(&Evaluation<'_>) -> Measured,
) -> Measure {
    Measure {
        name,
        unit: Unit::Ratio,
        about,
        of,
    }
}

const fn time(
    name: &'static str,
    about: &'static str,
    of: fn(&Evaluation<'_>) -> Measured,
) -> Measure {
    Measure {
        name,
        unit: Unit::Time,
        about,
        of,
    }
}

/// Every measure, in the order of the report.
pub(crate) const MEASURES: &[Measure] = &[
    counted(
        "failed",
        "reads that failed while a region could serve",
        compute::failed,
    ),
    counted(
        "wrong",
        "wrong bytes, NotFound for a key that exists, an object where there is none",
        |run| count(run, |phase| phase.wrong),
    ),
    counted(
        "stale",
        "older versions of keys under home_prefixes",
        |run| count(run, |phase| phase.stale),
    ),
    counted(
        "stale_elsewhere",
        "older versions of other keys that were overwritten or deleted",
        |run| count(run, |phase| phase.stale_elsewhere),
    ),
    counted("hung", "reads that had not ended past all limits", |run| {
        Ok(run.record.never_ended as f64)
    }),
    counted(
        "dishonest",
        "errors of a total outage that do not name every region",
        |run| count(run, |phase| phase.incomplete_errors),
    ),
    time(
        "detect",
        "longest time from a fault to the open circuit",
        compute::detect,
    ),
    time(
        "rto",
        "longest time in which no read was served although a region could",
        compute::longest_gap,
    ),
    time("worst", "longest read of a key that exists", |run| {
        longest(run, |phase| phase.slowest)
    }),
    time(
        "worst_missing",
        "longest read of a key that does not exist",
        |run| longest(run, |phase| phase.slowest_missing),
    ),
    counted(
        "sick_requests",
        "requests to failing regions, from the fault to the recovery",
        compute::requests_to_failing,
    ),
    counted(
        "late",
        "requests to a failing region with a closed circuit, beyond failure_threshold + readers",
        compute::late,
    ),
    ratio(
        "extra_load",
        "requests per read to the other regions during a fault, relative to all before it",
        compute::extra_load,
    ),
    ratio(
        "p99_ratio",
        "p99 during faults, relative to before",
        compute::p99_ratio,
    ),
    ratio(
        "refetched",
        "body bytes sent in excess, relative to those of interrupted bodies",
        compute::refetched,
    ),
    counted(
        "too_slow",
        "reads longer than an attempt limit, a stall limit and a second",
        compute::too_slow,
    ),
    time(
        "worst_error",
        "longest failed read of a total outage",
        |run| longest(run, |phase| phase.slowest_excused),
    ),
    ratio(
        "imbalance",
        "largest relative deviation of a region's share from an equal share, at the end",
        compute::imbalance,
    ),
    counted(
        "open",
        "circuits that are not closed at the end",
        compute::open,
    ),
    counted(
        "undecided",
        "reads of missing keys that were undecided",
        |run| count(run, |phase| phase.undecided),
    ),
    counted(
        "undecided_before",
        "reads of missing keys that were undecided before the first fault",
        |run| Ok(run.record.phases.first().map_or(0, |phase| phase.undecided) as f64),
    ),
    counted(
        "unmet",
        "faults in a region that got no requests meanwhile",
        compute::unmet,
    ),
    counted(
        "uncounted",
        "requests that reached a region and that the store does not count",
        compute::uncounted,
    ),
    counted(
        "lagging",
        "reads of keys that one region lacked and another had",
        |run| compute::not_found_class(run, "lagging"),
    ),
    counted(
        "deleted",
        "reads of missing keys that a delete marker decided",
        |run| compute::not_found_class(run, "deleted"),
    ),
];
