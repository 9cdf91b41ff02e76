//! N replicated buckets behind one [`object_store::ObjectStore`], with no primary and no backup.
//!
//! Every request starts at the next region in the rotation. A sick region is skipped by its circuit breaker; a request that fails
//! moves to the next region; only when every region has been tried does the caller see an error, and that error tells the whole
//! story.
//!
//! ```
//! # use std::sync::Arc;
//! # use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory};
//! use object_store_failover::{FailoverStore, Region};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let (virginia, ireland) = (Arc::new(InMemory::new()), Arc::new(InMemory::new()));
//! # for bucket in [&virginia, &ireland] { bucket.put(&"key".into(), "value".into()).await?; }
//! let store = FailoverStore::builder()
//!     .region(Region::new("us-east-1", virginia)) // any `Arc<dyn ObjectStore>`
//!     .region(Region::new("eu-west-1", ireland))
//!     .build()?;
//! let value = store.get(&"key".into()).await?.bytes().await?;
//! # assert_eq!(value, "value");
//! # Ok(())
//! # }
//! ```
//!
//! # Where to look
//!
//! - [`FailoverStore::builder`] builds a store from stores; [`FailoverConfig`] builds one from a document (feature `config`).
//! - [`BreakerConfig`], [`TimeoutConfig`], [`RetryConfig`], [`RotationConfig`], [`ReadConfig`]: the settings, each with its default and
//!   the consequence of a wrong value.
//! - [`ThrottleConfig`]: how much of one region is asked for at most. Without it there is no limit.
//! - [`WritePolicy`]: where writes go; without one the store only reads. [`CallOptions`]: the caller's word on one call.
//! - [`NotFoundPolicy`]: what it takes to say that an object does not exist, when replicas may lag.
//! - [`FailoverError::find`]: the story behind an error. [`Failure::of`]: what any object store's error means.
//! - [`ProbeConfig`], [`FailoverStore::start_probes`]: an object that is read from each region now and then, for services that are idle.
//! - [`FailoverStore::health`], [`FailoverStore::subscribe`], [`EventsConfig`]: what is going on. Metrics go to any recorder of the
//!   `metrics` facade that is installed before the first request.
//! - `simulation` (feature `simulation`): whole lives of a store over simulated regions, to put settings to the test.
//! - [`FailoverStore::drain`], [`force_open`](FailoverStore::force_open), [`reset`](FailoverStore::reset) and their like: the operator's hand.
//!
//! # Cancel safety
//!
//! Every future and stream may be dropped at any point. A dropped call frees its places in the circuits and teaches them nothing,
//! but for a trial, whose wait counts. A body that is dropped while its caller is not waiting counts as delivered. Probes stop with their
//! guard.
//!
//! # Runtime
//!
//! Tokio, with its time driver enabled. Calls made elsewhere panic when they first have to wait.
//!
//! # Stability
//!
//! Enums and reports may grow (`#[non_exhaustive]`); settings may gain fields, so write `..Default::default()` after those you set.
//! What errors and logs say is for people and may change. The crate follows the minor versions of object_store 0.14.

// On docs.rs each item names the feature that it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod body;
mod breaks;
mod builder;
#[cfg(feature = "config")]
mod config;
mod connections;
mod error;
mod event;
mod evidence;
mod failover;
mod failure;
mod flavor;
mod health;
mod limits;
mod listing;
mod metrics;
mod operation;
mod pace;
mod plan;
mod probe;
mod probed;
mod region;
mod request;
mod settings;
#[cfg(feature = "simulation")]
pub mod simulation;
mod snapshot;
mod source;
mod stall;
mod store;
mod story;
mod sync;
mod time;
mod whole;

pub use builder::FailoverStoreBuilder;
#[cfg(feature = "config")]
pub use config::{FailoverConfig, FromEnv, FromFile, OptionValue, RegionConfig};
pub use error::{AttemptOutcome, AttemptReport, FailoverError, LeftOut, Story};
pub use event::config::EventsConfig;
pub use event::{Event, LastError};
pub use evidence::Sent;
pub use failover::budget::BudgetConfig;
pub use failover::config::{HomeOut, NotFoundPolicy, OperationRetry, ReadConfig, RetryConfig, Rounds, WritePolicy};
pub use failover::hedge::{HedgeAfter, HedgeConfig, HedgeCounts};
pub use failure::{Failure, FailureClass};
pub use flavor::Flavor;
#[cfg(feature = "_bench")]
#[doc(hidden)]
pub use health::alone as bench;
pub use health::config::{AllOpen, BreakerConfig};
#[cfg(failover_loom)]
pub use health::models;
pub use health::{CircuitClass, CircuitSnapshot, CircuitState, Override, OverrideSnapshot, Reason, Transition};
pub use limits::{OperationTimeouts, TimeoutConfig};
pub use operation::Operation;
pub use pace::config::ThrottleConfig;
pub use plan::{RotationConfig, RotationPolicy};
pub use probe::ProbeGuard;
pub use probe::config::ProbeConfig;
pub use region::Region;
pub use request::CallOptions;
pub use settings::{ConfigError, Ratio};
pub use snapshot::{HealthSnapshot, RegionSnapshot, Status, Totals};
pub use store::{FailoverStore, ServedBy, UnknownRegion};
