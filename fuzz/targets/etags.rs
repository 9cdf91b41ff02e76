#![no_main]
#![allow(dead_code, reason = "each target is one of those that are shared")]

#[path = "../../tests/bad_input/targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::etags::target(data));
