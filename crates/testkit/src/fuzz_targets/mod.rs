//! Fuzz targets, one function a topic. `cargo test` runs them on the seeds and on generated inputs,
//! `cargo fuzz` on inputs that reach new code. Each uses the public API and panics where a result
//! is not the documented one.

mod attributes;
mod checks;
pub mod classification;
mod client;
pub mod configuration;
pub mod dates;
pub mod etags;
pub mod paths;
pub mod ranges;
mod response;
pub mod retry_after;

use std::future::Future;

use tokio::runtime::{Builder, Runtime};

/// A target takes any bytes.
pub type Target = fn(&[u8]);

/// All targets, by the name of their folder in `fuzz/seeds`.
pub const ALL: [(&str, Target); 7] = [
    ("configuration", configuration::target),
    ("classification", classification::target),
    ("paths", paths::target),
    ("ranges", ranges::target),
    ("etags", etags::target),
    ("retry_after", retry_after::target),
    ("dates", dates::target),
];

/// Checks that an attribute that no request can carry is rejected.
pub fn invalid_attribute(name: &str, value: &str) {
    run(attributes::check_rejected(name, value));
}

/// Runs a future on this thread's runtime, whose clock is paused: timers fire at once.
fn run<T>(future: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: Runtime = Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
