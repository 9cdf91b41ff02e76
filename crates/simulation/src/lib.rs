//! Deterministic simulation of a [`FailoverStore`](object_store_failover::FailoverStore): settings,
//! faults and operations from one seed.
//!
//! A run has regions with latencies, replication lag and faults, and callers that read, write and
//! cancel. It uses tokio's paused clock, so that minutes take milliseconds. Every random choice
//! derives from the seed: the same seed gives the same run, to the last line of its trace. Each
//! response, attempt and circuit transition is checked against the promises of the store
//! ([`Invariant`]). A [`Violation`] names the invariant and the operation, and holds the last lines
//! of the trace.
//!
//! ```
//! use object_store_failover::NotFoundPolicy;
//! use object_store_failover::config::{HedgeConfig, ReadConfig};
//! use object_store_failover_simulation::{Settings, Simulation};
//!
//! let settings = Settings {
//!     hedge: Some(HedgeConfig::default()),
//!     reads: ReadConfig { not_found: NotFoundPolicy::Reachable, ..Default::default() },
//!     ..Default::default()
//! };
//! for seed in 0..5 {
//!     let report = Simulation::of(seed).settings(settings.clone()).operations(100).run();
//!     assert!(report.violations.is_empty(), "{report}");
//! }
//! ```

mod attempt_log;
mod body;
mod checks;
mod circuit_checker;
mod expectations;
mod fault;
mod final_phase;
mod in_flight;
mod listing_stream;
mod listings;
mod object_history;
mod operations;
mod reads;
mod region;
mod report;
mod responder;
mod rng;
mod runner;
mod scenario;
mod settings;
mod step_generator;
mod trace;
mod violation;
mod wire;
mod world;
mod writes;

pub use fault::{Fault, FaultWindow, Latency};
pub use report::Report;
pub use runner::Simulation;
pub use settings::Settings;
pub use violation::{Invariant, Violation};
