#![no_main]

use failover_testkit::fuzz_targets::paths;

libfuzzer_sys::fuzz_target!(|data: &[u8]| paths::target(data));
