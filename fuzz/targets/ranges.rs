#![no_main]

use failover_testkit::fuzz_targets::ranges;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ranges::target(data));
