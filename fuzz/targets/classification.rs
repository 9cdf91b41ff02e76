#![no_main]

use failover_testkit::fuzz_targets::classification;

libfuzzer_sys::fuzz_target!(|data: &[u8]| classification::target(data));
