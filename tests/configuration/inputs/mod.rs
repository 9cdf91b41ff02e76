//! Any bytes from outside: never a panic, always a typed result. The checks are the fuzz targets of
//! `failover_testkit::fuzz_targets` (docs/fuzzing.md), here on the seeds and on generated inputs.

mod generators;
mod seeds;
mod unrepresentable;
