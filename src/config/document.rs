//! A whole store as one serde document.

use std::sync::Arc;

use object_store::ObjectStore;
use serde::{Deserialize, Deserializer, de};

use super::location;
use super::region::RegionConfig;
use crate::event::config::EventsConfig;
use crate::failover::config::{ReadConfig, RetryConfig, WritePolicy};
use crate::failover::hedge::HedgeConfig;
use crate::health::config::BreakerConfig;
use crate::plan::RotationConfig;
use crate::probe::config::ProbeConfig;
use crate::settings::ConfigError;
use crate::store::{FailoverStore, FailoverStoreBuilder};
use crate::throttle::config::ThrottleConfig;
use crate::timeouts::TimeoutConfig;

/// A store as a document, in any format that serde reads.
///
/// Every key except `regions` is optional. Unknown keys are rejected, with their path.
///
/// ```
/// use object_store_failover::FailoverConfig;
///
/// let config = FailoverConfig::from_toml(r#"
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
    /// The name of the store in logs, metrics and `Display` (default `"default"`).
    #[serde(default = "default_name")]
    pub name: String,
    /// The regions, 1 to 64.
    pub regions: Vec<RegionConfig>,
    /// How requests are spread over the regions.
    #[serde(default)]
    pub rotation: RotationConfig,
    /// When a circuit opens, and when it closes again.
    #[serde(default)]
    pub breaker: BreakerConfig,
    /// Further rounds, after every region has failed once.
    #[serde(default)]
    pub retry: RetryConfig,
    /// Time limits.
    #[serde(default)]
    pub timeouts: TimeoutConfig,
    /// Second attempts beside slow ones (default none).
    #[serde(default)]
    pub hedge: Option<HedgeConfig>,
    /// Missing keys, interrupted bodies, prefixes that are read from home.
    #[serde(default)]
    pub reads: ReadConfig,
    /// Where writes go, and which region is home.
    #[serde(default)]
    pub writes: WritePolicy,
    /// Rate and concurrency limits per region (default none).
    #[serde(default)]
    pub throttle: Option<ThrottleConfig>,
    /// Levels of log lines, and the threshold of alerts.
    #[serde(default)]
    pub events: EventsConfig,
    /// The canary and the interval of background probes (default none).
    #[serde(default)]
    pub probe: Option<ProbeConfig>,
}

impl FailoverConfig {
    /// Builds the store.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the invalid key and the reason. No error shows the value of an option.
    pub fn build(&self) -> Result<FailoverStore, ConfigError> {
        self.clone().into_builder()?.build()
    }

    /// The builder with everything from the document, so that code can add to it: a region with a
    /// store of its own, other settings.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use object_store::memory::InMemory;
    /// use object_store_failover::{FailoverConfig, Region};
    ///
    /// let config = FailoverConfig::from_toml("[[regions]]\nname = 'a'\nurl = 'memory:///'")?;
    /// let region = Region::new("b", Arc::new(InMemory::new()));
    /// let store = config.into_builder()?.region(region).build()?;
    /// # Ok::<(), object_store_failover::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), for the stores of the regions.
    pub fn into_builder(self) -> Result<FailoverStoreBuilder, ConfigError> {
        location::warn_of_shared_buckets(&self.regions);
        let mut builder = self.settings();
        for (index, region) in self.regions.iter().enumerate() {
            builder = builder.region(region.build(&format!("regions[{index}]"), &self.timeouts)?);
        }
        Ok(builder)
    }

    /// The store of each region, without failover: for access to a single region.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build).
    #[expect(
        clippy::type_complexity,
        reason = "a list of names and stores needs no type of its own"
    )]
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
    /// As derived, with the path of the key in front of the message.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(deserializer).map_err(|(path, error)| match path {
            Some(path) => {
                let text = without_excerpt(&error.to_string());
                de::Error::custom(format_args!("{path}: {}", without_value(&text)))
            }
            None => error,
        })
    }
}

impl FailoverConfig {
    /// An error has the path of its key, unless it is that of the whole document.
    pub(super) fn parse<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Self, (Option<String>, D::Error)> {
        let mut track = serde_path_to_error::Track::new();
        let tracked = serde_path_to_error::Deserializer::new(deserializer, &mut track);
        Self::deserialize(tracked).map_err(|error| {
            let path = Some(track.path().to_string()).filter(|path| path != ".");
            (path, error)
        })
    }
}

/// The text of an error without the lines of the document that toml quotes: they may contain
/// secrets.
fn without_excerpt(error: &str) -> String {
    let is_excerpt = |line: &&str| {
        line.trim_start()
            .trim_start_matches(|letter: char| letter.is_ascii_digit())
            .trim_start()
            .starts_with('|')
    };
    error
        .lines()
        .filter(|line| !is_excerpt(line))
        .collect::<Vec<_>>()
        .join(": ")
}

/// The text of an error without the value that serde quotes: a text in the wrong place may be a
/// secret.
pub(super) fn without_value(error: &str) -> String {
    let Some((before, rest)) = error.split_once(" string \"") else {
        return error.to_owned();
    };
    match rest.rfind("\", expected") {
        Some(end) => format!("{before} string{}", &rest[end + 1..]),
        None => format!("{before} string"),
    }
}

fn default_name() -> String {
    "default".into()
}
