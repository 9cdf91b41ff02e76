//! The drill on regions that somebody already has (`--config`): the program itself against S3 servers in this process, which it must not
//! harm; and the faults that it makes in the HTTP client, where no proxy can stand.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "tests hold the clock, a panic is their verdict, and they use a part of the drill"
)]

#[path = "../examples/drill/clock.rs"]
mod clock;
#[path = "drill_config/faults.rs"]
mod faults;
#[path = "drill_config/preflight.rs"]
mod preflight;
#[path = "drill_config/program.rs"]
mod program;
#[path = "support/proxy/mod.rs"]
mod proxy;
#[path = "drill_config/refusals.rs"]
mod refusals;
#[path = "drill_config/runs.rs"]
mod runs;
#[path = "support/s3/mod.rs"]
mod s3;
#[path = "drill_config/theirs.rs"]
mod theirs;
