#![no_main]

use failover_testkit::fuzz_targets::configuration;

libfuzzer_sys::fuzz_target!(|data: &[u8]| configuration::target(data));
