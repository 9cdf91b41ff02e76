//! N replicated buckets behind one [`object_store::ObjectStore`], with no primary and no backup.
//!
//! Each request starts in the next region of a rotation. A failing region is excluded by its
//! circuit breaker, and a failed request continues in the next region. The caller receives an error
//! only after every region was tried; it lists the result of each attempt.
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
//! - **Build a store**: [`FailoverStore::builder`] and [`Region`]; from a document
//!   [`FailoverConfig`] (feature `config`).
//! - **Settings**: module [`config`]. Each field documents its default and the consequence of a
//!   wrong value.
//! - **Writes**: [`WritePolicy`]. Without one the store is read-only.
//! - **Missing objects** while replicas may lag: [`NotFoundPolicy`].
//! - **One call**: [`CallOptions`] restrict it; [`ServedBy`] names the region that served a read.
//! - **Errors**: [`FailoverError::find`] for the attempts of a failed call, [`Failure::of`] for the
//!   meaning of any error of object_store; module [`error`].
//! - **Health and events**: [`FailoverStore::health`] and [`FailoverStore::subscribe`]; module
//!   [`health`].
//! - **Background probes and replication lag**: [`FailoverStore::start_probes`],
//!   [`config::ProbeConfig`].
//! - **Operator overrides**: [`FailoverStore::drain`], [`force_open`](FailoverStore::force_open),
//!   [`force_closed`](FailoverStore::force_closed), [`metrics_only`](FailoverStore::metrics_only),
//!   [`reset`](FailoverStore::reset).
//!
//! Metrics go to the recorder of the `metrics` facade that is installed before the first request.
//! The crate `object_store_failover_simulation` runs a store with your settings over simulated
//! regions.
//!
//! # Cancel safety
//!
//! Every future and stream may be dropped at any point. A dropped call frees its permits and
//! records no verdict, except that the wait of a trial counts. A body that is dropped while its
//! caller is not waiting for bytes counts as delivered. Probes stop when their guard is dropped.
//!
//! # Runtime
//!
//! Tokio with its time driver enabled. Calls outside of such a runtime panic at their first timer.
//!
//! # Stability
//!
//! Enums and reports may gain variants and fields (`#[non_exhaustive]`). Settings may gain fields:
//! end their literals with `..Default::default()`. The texts of errors and log lines may change.
//! The crate follows the minor versions of object_store 0.14.

// On docs.rs each item names the feature that it needs.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod config;
pub mod error;
mod event;
mod failover;
pub mod health;
#[cfg(feature = "_internals")]
#[doc(hidden)]
pub mod internals;
mod metrics;
mod plan;
mod probe;
mod region;
mod request;
mod runtime;
mod settings;
mod store;
mod stream;
mod throttle;
mod timeouts;
mod transport;
mod types;

#[doc(no_inline)]
pub use config::{ConfigError, NotFoundPolicy, WritePolicy};
#[cfg(feature = "config")]
pub use config::{FailoverConfig, RegionConfig};
#[doc(no_inline)]
pub use error::{FailoverError, Failure, FailureClass};
#[doc(no_inline)]
pub use health::{CircuitState, HealthSnapshot};
pub use probe::ProbeGuard;
pub use region::Region;
pub use request::CallOptions;
pub use store::{FailoverStore, FailoverStoreBuilder, ServedBy, UnknownRegion};
pub use types::Operation;
