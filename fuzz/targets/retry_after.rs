#![no_main]

use failover_testkit::fuzz_targets::retry_after;

libfuzzer_sys::fuzz_target!(|data: &[u8]| retry_after::target(data));
