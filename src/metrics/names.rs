//! The names of all metrics, and what each says.

use ::metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

macro_rules! names {
    ($($kind:ident { $($name:ident = $text:literal, $unit:ident, $says:literal;)+ })+) => {
        $($(pub(super) const $name: &str = concat!("object_store_failover_", $text);)+)+

        /// Tells the recorder what they are.
        pub(super) fn describe() {
            $($($kind!($name, Unit::$unit, $says);)+)+
        }
    };
}

names! {
    describe_gauge {
        REGION_FAILING = "region_failing", Count, "1 where the last attempt in the region failed";
        CIRCUIT_STATE = "circuit_state", Count, "0 closed, 1 half-open, 2 open";
        REGION_ADMITTED = "region_admitted", Count, "1 where a read may use the region now";
        REGION_AUTH_FAILING = "region_auth_failing", Count, "1 where the last attempt was refused for its credentials";
        REGION_MISCONFIGURED = "region_misconfigured", Count, "1 where the region is not what it is taken for";
        OPERATOR_OVERRIDE = "operator_override", Count, "1 while an operator's word is in force";
        REGIONS_AVAILABLE = "regions_available", Count, "Regions that a read may use now";
        IN_FLIGHT = "in_flight", Count, "Calls and bodies under way";
        LAST_SUCCESS = "last_success_timestamp_seconds", Seconds, "Unix time at which the region last did its job; 0 before";
        REPLICATION_LAG = "replication_lag_seconds", Seconds, "Time since a newer canary than the one that the region holds was first seen anywhere";
    }
    describe_counter {
        REQUESTS = "requests_total", Count, "Calls of the store, by what callers saw";
        ATTEMPTS = "attempts_total", Count, "Calls on one region, by what came of them";
        RETRIES = "retries_total", Count, "Further rounds over the regions, by their number";
        FAILOVERS = "failovers_total", Count, "Requests that moved on from a region that failed them";
        TRANSITIONS = "circuit_transitions_total", Count, "Changes of circuits' states";
        ALL_REGIONS_FAILED = "all_regions_failed_total", Count, "Requests that no region served";
        HEDGES = "hedges_total", Count, "Second attempts beside slow first ones";
        BODY_BYTES = "body_bytes_total", Bytes, "Bytes of bodies delivered";
        BODY_RESUMES = "body_resumes_total", Count, "Bodies that broke and were asked for elsewhere";
        LAGGING_READS = "lagging_reads_total", Count, "Reads of what another region had, and this one had not";
        BUDGET_EXHAUSTED = "retry_budget_exhausted_total", Count, "Extra attempts that the retry budget refused";
        THROTTLED = "throttled_total", Count, "Attempts that were turned away as too many";
        NOT_FOUND = "not_found_total", Count, "Requests whose key was missing somewhere, by how they ended";
    }
    describe_histogram {
        REQUEST_DURATION = "request_duration_seconds", Seconds, "A call as its caller sees it, to headers or to the first item";
        ATTEMPT_DURATION = "attempt_duration_seconds", Seconds, "An attempt in one region, likewise";
    }
}
