//! All settings: of the builder, and of a document (feature `config`).
//!
//! [`FailoverConfig`] describes a whole store in one serde document. The other types are sections
//! of it, and arguments of [`FailoverStoreBuilder`](crate::FailoverStoreBuilder). Each field
//! documents its default and the consequence of a wrong value.

#[cfg(feature = "config")]
mod build;
#[cfg(feature = "config")]
mod built;
#[cfg(feature = "config")]
mod document;
#[cfg(feature = "config")]
mod load;
#[cfg(feature = "config")]
mod location;
#[cfg(feature = "config")]
mod option;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod provider;
#[cfg(feature = "config")]
mod region;

#[cfg(feature = "config")]
pub use document::FailoverConfig;
#[cfg(feature = "config")]
pub use option::{FromEnv, FromFile, OptionValue};
#[cfg(feature = "config")]
pub use region::RegionConfig;

pub use crate::event::config::EventsConfig;
pub use crate::failover::budget::BudgetConfig;
pub use crate::failover::config::{
    HomeOut, NotFoundPolicy, OperationRetry, ReadConfig, RetryConfig, Rounds, WritePolicy,
};
pub use crate::failover::hedge::{HedgeAfter, HedgeConfig};
pub use crate::health::config::{AllOpen, BreakerConfig};
pub use crate::plan::{RotationConfig, RotationPolicy};
pub use crate::probe::config::ProbeConfig;
pub use crate::settings::{ConfigError, Ratio};
pub use crate::throttle::config::ThrottleConfig;
pub use crate::timeouts::{OperationTimeouts, TimeoutConfig};
pub use crate::types::Flavor;
