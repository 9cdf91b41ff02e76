//! Failover drills: faults are injected into S3 regions while readers read through a
//! `FailoverStore`; what they measure is compared with bounds.
//!
//! The binary calls [`run`]. The benches use [`clients`] and [`interrupt`], the tests
//! [`environment::existing`] and [`report::html`].

mod args;
pub mod clients;
mod command;
pub mod environment;
mod evaluation;
pub mod interrupt;
mod load;
mod minio;
mod preflight;
mod prepare;
pub mod report;
mod run;
mod runner;
mod scenario;
mod tuning;
mod units;

pub use args::Args;
pub use command::run;
