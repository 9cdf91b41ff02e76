#![no_main]

use failover_testkit::fuzz_targets::etags;

libfuzzer_sys::fuzz_target!(|data: &[u8]| etags::target(data));
