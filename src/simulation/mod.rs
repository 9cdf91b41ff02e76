//! Whole lives of a store over simulated regions, drawn from one seed (feature `simulation`).
//!
//! A life has regions with latencies, replication that lags, faults that come and go, and callers that read, write and go away. It runs
//! on a paused clock, so that minutes take milliseconds, and everything that chance decides in it falls from the seed: the same seed is the
//! same life, to the last line of its trace. What the store promises is checked all along ([`Invariant`]); what is broken is named,
//! with the number of the operation and what happened before.
//!
//! ```
//! use object_store_failover::simulation::{Settings, Simulation};
//! use object_store_failover::{HedgeConfig, NotFoundPolicy, ReadConfig};
//!
//! let mine = Settings {
//!     hedge: Some(HedgeConfig::default()),
//!     reads: ReadConfig { not_found: NotFoundPolicy::Reachable, ..Default::default() },
//!     ..Default::default()
//! };
//! for seed in 0..5 {
//!     let report = Simulation::of(seed).settings(mine.clone()).operations(100).run();
//!     assert!(report.violations.is_empty(), "{report}");
//! }
//! ```

mod answer;
mod attempt;
mod body;
mod checks;
mod circuits;
mod dice;
mod fault;
mod ledger;
mod life;
mod listings;
mod operate;
mod pages;
mod plan;
mod reads;
mod recovery;
mod region;
mod report;
mod rules;
mod settings;
mod steps;
mod trace;
mod truth;
mod violation;
mod wire;
mod world;
mod writes;

pub use fault::{Fault, Latency, Spell};
pub use life::Simulation;
pub use report::Report;
pub use settings::Settings;
pub use violation::{Invariant, Violation};
