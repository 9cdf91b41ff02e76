//! Bytes from outside, any of them: never a panic, always a typed answer. What is done with them is in `bad_input/targets`, one
//! function a topic, which `cargo fuzz` runs for hours (docs/fuzzing.md); here it gets its seeds, and what proptest makes up.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

#[path = "bad_input/made_up.rs"]
mod made_up;
#[path = "bad_input/refused.rs"]
mod refused;
#[path = "bad_input/seeds.rs"]
mod seeds;
#[path = "bad_input/targets/mod.rs"]
mod targets;
