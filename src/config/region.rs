//! A region as a document: a URL, and object_store's own options for that kind of store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{ObjectStore, ObjectStoreScheme};
use serde::de::{self, Deserialize, Deserializer};
use url::Url;

use super::option::OptionValue;
use crate::health::config::BreakerOverrides;
use crate::limits::TimeoutConfig;
use crate::region::{BreakerOverride, Region};
use crate::settings::ConfigError;

/// A region: where its bucket is, and what differs there.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionConfig {
    /// Its name in errors, logs and metrics.
    pub name: String,
    /// Where its bucket is: `s3://bucket/prefix` (feature `aws`), `file:///folder`, `memory:///`.
    #[serde(deserialize_with = "without_credentials")]
    pub url: Url,
    /// Its share of first picks (default 1); 0 means only when all others are out.
    #[serde(default = "default_weight")]
    pub weight: u32,
    /// Certificates of a private authority, as a PEM file, trusted besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// object_store's own options for this kind of store.
    #[serde(default)]
    pub options: BTreeMap<String, OptionValue>,
    /// What differs in this region's circuits; the rest is the store's.
    #[serde(default)]
    pub(crate) breaker: BreakerOverrides,
    /// What differs in this region's limits; the rest is the store's.
    #[serde(default)]
    pub timeouts: TimeoutConfig,
}

impl RegionConfig {
    /// The region; `at` is the path of its document.
    pub(super) fn build(&self, at: &str, timeouts: &TimeoutConfig) -> Result<Region, ConfigError> {
        let store = self.store(at, timeouts)?;
        let mut region = Region::new(&self.name, store).weight(self.weight).timeouts(self.timeouts.clone());
        region.breaker = BreakerOverride::Keys(self.breaker.clone());
        Ok(region)
    }

    fn store(&self, at: &str, timeouts: &TimeoutConfig) -> Result<Arc<dyn ObjectStore>, ConfigError> {
        let refuse = |why: &str| ConfigError::invalid(format!("{at}.url"), format!("{}: {why}", self.url));
        let (scheme, prefix) = ObjectStoreScheme::parse(&self.url).map_err(|error| refuse(&error.to_string()))?;
        match scheme {
            ObjectStoreScheme::Memory => {
                self.refuse_options(at)?;
                Ok(below(prefix, InMemory::new()))
            }
            ObjectStoreScheme::Local => {
                self.refuse_options(at)?;
                let folder = self.url.to_file_path().map_err(|()| refuse("not a path of this machine"))?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| refuse(&error.to_string()))?;
                Ok(Arc::new(store))
            }
            #[cfg(feature = "aws")]
            ObjectStoreScheme::AmazonS3 => Ok(below(prefix, super::s3::build(self, at, self.timeouts.connect_over(timeouts))?)),
            #[cfg(not(feature = "aws"))]
            ObjectStoreScheme::AmazonS3 => {
                let _ = timeouts;
                Err(refuse("needs this crate's feature \"aws\""))
            }
            _ => Err(refuse("no such kind of store here: s3 (feature \"aws\"), file and memory are known")),
        }
    }

    /// Stores without a network have nothing to set.
    fn refuse_options(&self, at: &str) -> Result<(), ConfigError> {
        if let Some(key) = self.options.keys().next() {
            return Err(ConfigError::invalid(format!("{at}.options.{key}"), format!("a {} store has no options", self.url.scheme())));
        }
        if self.ca_file.is_some() {
            return Err(ConfigError::invalid(format!("{at}.ca_file"), format!("a {} store makes no connections", self.url.scheme())));
        }
        Ok(())
    }

    /// Tells one bucket from another; None where two of the same are different all the same.
    fn bucket(&self) -> Option<String> {
        if self.url.scheme() == "memory" {
            return None;
        }
        let endpoint =
            self.options.iter().find(|(key, _)| ENDPOINTS.contains(&key.to_ascii_lowercase().as_str())).map(|(_, value)| match value {
                OptionValue::Text(endpoint) => endpoint.clone(),
                elsewhere => format!("{elsewhere:?}"),
            });
        Some(format!("{} at {}", self.url, endpoint.as_deref().unwrap_or("its default endpoint")))
    }
}

/// Options that say where a bucket is.
const ENDPOINTS: [&str; 5] = ["endpoint", "endpoint_url", "aws_endpoint", "aws_endpoint_url", "aws_endpoint_url_s3"];

/// Two names for one bucket are no replicas: what befalls one befalls the other.
pub(super) fn warn_of_shared_buckets(regions: &[RegionConfig]) {
    for (index, region) in regions.iter().enumerate() {
        let twin = regions[..index].iter().find(|other| region.bucket().is_some() && other.bucket() == region.bucket());
        if let Some(twin) = twin {
            tracing::warn!(one = twin.name, other = region.name, "two regions have the same bucket: the loss of it is the loss of both");
        }
    }
}

/// The part of a store that lies below `prefix`.
fn below<T: ObjectStore>(prefix: Path, store: T) -> Arc<dyn ObjectStore> {
    if prefix.is_root() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) }
}

/// A URL is shown in errors and logs; credentials in it would be too.
fn without_credentials<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let url = Url::deserialize(deserializer)?;
    let bare = url.username().is_empty() && url.password().is_none();
    if bare { Ok(url) } else { Err(de::Error::custom("a url must not hold credentials; they belong in the region's options")) }
}

fn default_weight() -> u32 {
    1
}
