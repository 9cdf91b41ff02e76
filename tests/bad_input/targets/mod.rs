//! What is done with bytes from outside, one function a topic: `cargo test` gives them the seeds and what proptest makes up,
//! `cargo fuzz` whatever reaches new code. Each asks the crate as its users do, and panics where an answer is not the typed one.
#![allow(clippy::allow_attributes, clippy::unwrap_used, unreachable_pub, reason = "a panic is the verdict of a test")]

mod answer;
mod attributes;
pub mod classification;
pub mod configuration;
pub mod dates;
pub mod etags;
pub mod paths;
pub mod ranges;
pub mod retry_after;
mod sound;
mod wire;

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

/// What is done with any bytes.
pub type Target = fn(&[u8]);

/// Every topic, by the name of its folder of seeds.
pub const ALL: [(&str, Target); 7] = [
    ("configuration", configuration::target),
    ("classification", classification::target),
    ("paths", paths::target),
    ("ranges", ranges::target),
    ("etags", etags::target),
    ("retry_after", retry_after::target),
    ("dates", dates::target),
];

/// An attribute of this name and value, which no request can carry.
pub fn attribute(name: &str, value: &str) {
    run(attributes::refused(name, value));
}

/// Runs to its end on this thread's paused clock: whatever waits is over at once.
fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
