#![no_main]

use failover_testkit::fuzz_targets::dates;

libfuzzer_sys::fuzz_target!(|data: &[u8]| dates::target(data));
