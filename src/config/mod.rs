//! The whole store as one document: it gathers every room's own settings and is parsed once.

#[cfg(feature = "azure")]
mod azure;
mod built;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod client;
#[cfg(feature = "gcp")]
mod google;
#[cfg(feature = "http")]
mod http;
mod option;
mod place;
mod region;
#[cfg(feature = "aws")]
mod s3;

use std::sync::Arc;

use object_store::ObjectStore;
use serde::{Deserialize, Deserializer, de};

use crate::builder::FailoverStoreBuilder;
use crate::event::config::EventsConfig;
use crate::failover::config::{ReadConfig, RetryConfig, WritePolicy};
use crate::failover::hedge::HedgeConfig;
use crate::health::config::BreakerConfig;
use crate::limits::TimeoutConfig;
use crate::pace::config::ThrottleConfig;
use crate::plan::RotationConfig;
use crate::probe::config::ProbeConfig;
use crate::settings::ConfigError;
use crate::store::FailoverStore;
pub use option::{FromEnv, FromFile, OptionValue};
pub use region::RegionConfig;

/// A store as a document, in any format that serde reads.
///
/// Every key but `regions` may be absent, and every key that is not known is refused, with its path.
///
/// ```
/// use object_store_failover::FailoverConfig;
///
/// let config: FailoverConfig = toml::from_str(r#"
///     [[regions]]
///     name = "a"
///     url = "memory:///"
///     [[regions]]
///     name = "b"
///     url = "memory:///"
///     [timeouts]
///     attempt = "500ms"
/// "#)?;
/// let store = config.build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Deserialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct FailoverConfig {
    /// The name that tells this store from others in one process (default `"default"`).
    #[serde(default = "default_name")]
    pub name: String,
    /// The regions; at least one.
    pub regions: Vec<RegionConfig>,
    /// How requests are spread over the regions.
    #[serde(default)]
    pub rotation: RotationConfig,
    /// When a region is left alone, and what brings it back.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// Further rounds, after every region has failed once.
    #[serde(default)]
    pub retry: RetryConfig,
    /// Time limits.
    #[serde(default)]
    pub timeouts: TimeoutConfig,
    /// Second attempts beside slow ones; absent, there are none.
    #[serde(default)]
    pub hedge: Option<HedgeConfig>,
    /// Missing keys, broken bodies.
    #[serde(default)]
    pub reads: ReadConfig,
    /// Where writes go, and which region is home.
    #[serde(default)]
    pub writes: WritePolicy,
    /// How much of each region is asked for at most; absent, there is no limit.
    #[serde(default)]
    pub throttle: Option<ThrottleConfig>,
    /// What the log tells, and when an alert is sent.
    #[serde(default)]
    pub events: EventsConfig,
    /// The canary that probes ask for, and how often; absent, there are none.
    #[serde(default)]
    pub probe: Option<ProbeConfig>,
}

impl FailoverConfig {
    /// The store.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the key that cannot be meant, and why. No error shows the value of an option.
    pub fn build(&self) -> Result<FailoverStore, ConfigError> {
        place::warn_of_shared_buckets(&self.regions);
        let mut builder = self.settings();
        for (index, region) in self.regions.iter().enumerate() {
            builder = builder.region(region.build(&format!("regions[{index}]"), &self.timeouts)?);
        }
        builder.build()
    }

    /// Each region's own store, without failover: to look at one region alone.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    #[expect(clippy::type_complexity, reason = "a name and its store, in order: a type of its own would say no more")]
    pub fn region_stores(&self) -> Result<Vec<(String, Arc<dyn ObjectStore>)>, ConfigError> {
        let store = |(index, region): (usize, &RegionConfig)| {
            let built = region.build(&format!("regions[{index}]"), &self.timeouts)?;
            Ok((built.name, built.store))
        };
        self.regions.iter().enumerate().map(store).collect()
    }

    fn settings(&self) -> FailoverStoreBuilder {
        let builder = FailoverStore::builder()
            .name(&self.name)
            .rotation(self.rotation.clone())
            .breaker(self.breaker.clone())
            .retry(self.retry.clone())
            .timeouts(self.timeouts.clone())
            .reads(self.reads.clone())
            .writes(self.writes.clone())
            .events(self.events.clone());
        let builder = match self.hedge {
            Some(hedge) => builder.hedge(hedge),
            None => builder,
        };
        let builder = match &self.throttle {
            Some(throttle) => builder.throttle(throttle.clone()),
            None => builder,
        };
        match &self.probe {
            Some(probe) => builder.probe(probe.clone()),
            None => builder,
        }
    }
}

impl<'de> Deserialize<'de> for FailoverConfig {
    /// As derived, with the path of the key in front of what is wrong with it.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        Self::deserialize(tracked).map_err(|error| match track.path().to_string().as_str() {
            "." => error,
            path => de::Error::custom(format_args!("{path}: {}", without_excerpt(&error.to_string()))),
        })
    }
}

/// The text of an error without the lines of the document that toml draws beneath it: on them may be secrets.
fn without_excerpt(error: &str) -> String {
    let is_drawn = |line: &&str| line.trim_start().trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start().starts_with('|');
    error.lines().filter(|line| !is_drawn(line)).collect::<Vec<_>>().join(": ")
}

fn default_name() -> String {
    "default".into()
}
