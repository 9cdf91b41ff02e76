//! Names, units and descriptions of all metrics.

use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

macro_rules! names {
    ($($kind:ident { $($name:ident = $text:literal, $unit:ident, $help:literal;)+ })+) => {
        $($(pub(super) const $name: &str = concat!("object_store_failover_", $text);)+)+

        /// Describes all metrics to the recorder.
        pub(super) fn describe() {
            $($($kind!($name, Unit::$unit, $help);)+)+
        }
    };
}

names! {
    describe_gauge {
        REGION_FAILING = "region_failing", Count, "1: the last attempt in the region failed";
        CIRCUIT_STATE = "circuit_state", Count, "0 closed, 1 half-open, 2 open";
        REGION_ADMITTED = "region_admitted", Count, "1: the region admits reads";
        REGION_AUTH_FAILING = "region_auth_failing", Count,
            "1: the last attempt was rejected for its credentials";
        REGION_MISCONFIGURED = "region_misconfigured", Count,
            "1: the last attempt did not match the region's configuration";
        OPERATOR_OVERRIDE = "operator_override", Count, "1: an override is active";
        REGIONS_AVAILABLE = "regions_available", Count, "Regions that admit reads";
        IN_FLIGHT = "in_flight", Count, "Requests and response bodies in flight";
        LAST_SUCCESS = "last_success_timestamp_seconds", Seconds,
            "Unix time of the last response that was no failure; 0 before it";
        REPLICATION_LAG = "replication_lag_seconds", Seconds,
            "Time since a newer canary than the region's was first seen in any region";
    }
    describe_counter {
        REQUESTS = "requests_total", Count, "Calls on the store, by result";
        ATTEMPTS = "attempts_total", Count, "Attempts in one region, by result";
        RETRIES = "retries_total", Count, "Retry rounds over the regions, by number";
        FAILOVERS = "failovers_total", Count,
            "Calls that continued in another region after a failure";
        TRANSITIONS = "circuit_transitions_total", Count, "State changes of circuits";
        ALL_REGIONS_FAILED = "all_regions_failed_total", Count, "Calls that no region served";
        HEDGES = "hedges_total", Count, "Second attempts while the first was slow, by result";
        BODY_BYTES = "body_bytes_total", Bytes, "Bytes of response bodies delivered";
        BODY_RESUMES = "body_resumes_total", Count,
            "Interrupted bodies, by result of the resumption";
        LAGGING_READS = "lagging_reads_total", Count,
            "Reads of objects that another region had and this one did not";
        BUDGET_EXHAUSTED = "retry_budget_exhausted_total", Count,
            "Additional attempts that the retry budget refused";
        THROTTLED = "throttled_total", Count, "Attempts that the region throttled";
        NOT_FOUND = "not_found_total", Count,
            "Calls whose key was missing in some region, by result";
    }
    describe_histogram {
        REQUEST_DURATION = "request_duration_seconds", Seconds,
            "Duration of a call, to response headers or the first item";
        ATTEMPT_DURATION = "attempt_duration_seconds", Seconds,
            "Duration of an attempt in one region, to the same point";
    }
}
