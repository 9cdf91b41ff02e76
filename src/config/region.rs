//! A region as a document: a URL, and object_store's own options for that kind of store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::ObjectStoreScheme;
use object_store::client::HttpConnector;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use serde::de::{self, Deserialize, Deserializer};
use url::Url;

use super::built::Built;
use super::option::OptionValue;
use crate::connections::Connections;
use crate::flavor::Flavor;
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
    /// Where its bucket is: `s3://bucket/prefix` (feature `aws`), `gs://bucket/prefix` (`gcp`), `az://container/prefix`,
    /// `abfss://container@account.dfs.core.windows.net/prefix` or `https://account.blob.core.windows.net/container/prefix`
    /// (`azure`), any other `https://host/prefix` or `http://host/prefix` (`http`), `file:///folder`, `memory:///`.
    #[serde(deserialize_with = "without_credentials")]
    pub url: Url,
    /// Its share of first picks (default 1); 0 means only when all others are out.
    #[serde(default = "default_weight")]
    pub weight: u32,
    /// Whether its listings come in the order of their keys (default by the kind of store: `true` for S3 and memory, `false` for
    /// files and S3 Express); see [`Region::ordered`].
    #[serde(default)]
    pub ordered: Option<bool>,
    /// What its answers mean where providers differ: `aws`, `minio` or `generic` (default); see [`Flavor`].
    #[serde(default)]
    pub flavor: Flavor,
    /// Certificates of a private authority, as a PEM file, trusted besides the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// HTTP headers that go with every request of this region's client, unsigned: also those by which it gets its credentials (STS, a
    /// metadata service), so no secret belongs here where those are not meant to see it. URLs that are signed for others carry none.
    #[serde(default)]
    pub headers: BTreeMap<String, OptionValue>,
    /// object_store's own options for this kind of store.
    #[serde(default)]
    pub options: BTreeMap<String, OptionValue>,
    /// Who makes this region's HTTP clients; absent, object_store's own `ReqwestConnector`. It is set in code, no document holds one: for
    /// a client of your own, with its own TLS, a proxy, signatures, or faults in a test.
    ///
    /// It is given the region's `ClientOptions` (`ca_file`, `headers`, the limit of connecting, client options), and usually hands them
    /// to a `ReqwestConnector` and wraps what comes back. Everything this crate knows of a region's answers it sees above this connector:
    /// so what it returns is what the region did.
    ///
    /// - **No retries, redirects to other regions or caches below it.** A second request behind our back is load that no budget knows of,
    ///   and an answer of another day or region is no answer of this one.
    /// - **An answer is an answer**, whatever its status. An error says that there was none, and its kind what is known: `Connect` means
    ///   that nothing was sent, and a write may then be made elsewhere. Where it might have been, say `Interrupted`, `Request` or
    ///   `Timeout`.
    /// - **Waiting needs no limit.** An attempt that takes too long is dropped, and so is the request's future or the body.
    /// - **`connect` is called more than once**: when the store is built, for clients that fetch credentials, and again within a request
    ///   after a circuit of the region was open. It must not block, and connections must not outlive the client that it returns: an
    ///   outage is to be followed by new ones.
    ///
    /// What `connect` fails with when the store is built becomes a [`ConfigError`] at the region's `options`; later the old client goes
    /// on, and the log says why. Regions on `memory:` and `file:` make no connections, and refuse it.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use object_store::client::{HttpConnector, ReqwestConnector};
    /// # use object_store_failover::FailoverConfig;
    /// # let document = r#"regions = [{ name = "a", url = "https://a.example/" }, { name = "b", url = "https://b.example/" }]"#;
    /// let mut config: FailoverConfig = toml::from_str(document)?;
    /// for region in &mut config.regions {
    ///     let connector: Arc<dyn HttpConnector> = Arc::new(ReqwestConnector::default()); // yours, by region.name
    ///     region.connector = Some(connector);
    /// }
    /// let store = config.build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[serde(skip)]
    pub connector: Option<Arc<dyn HttpConnector>>,
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
        let Built { store, signer, connections } = self.store(at, timeouts)?;
        let ordered = self.ordered.unwrap_or_else(|| self.lists_in_order());
        let mut region = Region::new(&self.name, store).weight(self.weight).ordered(ordered).flavor(self.flavor);
        region.timeouts = self.timeouts.clone();
        region.breaker = BreakerOverride::Keys(self.breaker.clone());
        region.signer = signer;
        region.place = Some(self.place());
        region.connections = connections;
        Ok(region)
    }

    fn store(&self, at: &str, timeouts: &TimeoutConfig) -> Result<Built, ConfigError> {
        let refuse = |why: &str| ConfigError::invalid(format!("{at}.url"), format!("{}: {why}", self.url));
        let (scheme, prefix) = ObjectStoreScheme::parse(&self.url).map_err(|error| refuse(&error.to_string()))?;
        let connect = self.timeouts.connect_over(timeouts);
        let connections = Connections::of(&self.name, self.connector.clone());
        match scheme {
            ObjectStoreScheme::Memory => {
                self.refuse_options(at)?;
                Ok(Built::local(prefix, InMemory::new()))
            }
            ObjectStoreScheme::Local => {
                self.refuse_options(at)?;
                let folder = self.url.to_file_path().map_err(|()| refuse("not a path of this machine"))?;
                let store = LocalFileSystem::new_with_prefix(folder).map_err(|error| refuse(&error.to_string()))?;
                Ok(Built::local(Path::default(), store))
            }
            #[cfg(feature = "aws")]
            ObjectStoreScheme::AmazonS3 => Ok(Built::signing(prefix, super::s3::build(self, at, connect, &connections)?, connections)),
            #[cfg(feature = "azure")]
            ObjectStoreScheme::MicrosoftAzure => {
                Ok(Built::signing(prefix, super::azure::build(self, at, connect, &connections)?, connections))
            }
            #[cfg(feature = "gcp")]
            ObjectStoreScheme::GoogleCloudStorage => {
                Ok(Built::signing(prefix, super::google::build(self, at, connect, &connections)?, connections))
            }
            #[cfg(feature = "http")]
            ObjectStoreScheme::Http => Ok(Built::remote(prefix, super::http::build(self, at, connect, &connections)?, connections)),
            elsewhere => {
                let _ = (connect, connections);
                Err(refuse(what_is_missing(&elsewhere)))
            }
        }
    }

    /// Whether stores of this kind list in order. In doubt they do not: that costs memory, and the other costs keys.
    fn lists_in_order(&self) -> bool {
        match ObjectStoreScheme::parse(&self.url) {
            Ok((ObjectStoreScheme::Memory | ObjectStoreScheme::GoogleCloudStorage | ObjectStoreScheme::MicrosoftAzure, _)) => true,
            Ok((ObjectStoreScheme::AmazonS3, _)) => !self.is_s3_express(),
            _ => false,
        }
    }

    /// By the bucket's name, wherever a URL may hold it, or by the option, unless it plainly says no.
    fn is_s3_express(&self) -> bool {
        let segments = self.url.path_segments().into_iter().flatten();
        let named = self.url.host_str().into_iter().flat_map(|host| host.split('.')).chain(segments).any(|part| part.ends_with("--x-s3"));
        let off = |value: &OptionValue| match value {
            OptionValue::Flag(flag) => !flag,
            OptionValue::Number(number) => *number == 0,
            OptionValue::Text(text) => ["0", "false", "off", "no", "n"].contains(&text.to_ascii_lowercase().as_str()),
            OptionValue::Env(_) | OptionValue::File(_) => false,
        };
        let is_option = |key: &str| ["s3_express", "aws_s3_express"].contains(&key.to_ascii_lowercase().as_str());
        named || self.options.iter().any(|(key, value)| is_option(key) && !off(value))
    }

    /// Stores without a network have nothing to set.
    fn refuse_options(&self, at: &str) -> Result<(), ConfigError> {
        if let Some(key) = self.options.keys().next() {
            return Err(ConfigError::invalid(format!("{at}.options.{key}"), format!("a {} store has no options", self.url.scheme())));
        }
        if let Some(name) = self.headers.keys().next() {
            return Err(ConfigError::invalid(format!("{at}.headers.{name}"), format!("a {} store sends no requests", self.url.scheme())));
        }
        if self.connector.is_some() {
            return Err(ConfigError::invalid(format!("{at}.connector"), format!("a {} store makes no connections", self.url.scheme())));
        }
        if self.ca_file.is_some() {
            return Err(ConfigError::invalid(format!("{at}.ca_file"), format!("a {} store makes no connections", self.url.scheme())));
        }
        Ok(())
    }
}

/// What it would take to have such a store.
fn what_is_missing(scheme: &ObjectStoreScheme) -> &'static str {
    match scheme {
        ObjectStoreScheme::AmazonS3 => "needs this crate's feature \"aws\"",
        ObjectStoreScheme::MicrosoftAzure => "needs this crate's feature \"azure\"",
        ObjectStoreScheme::GoogleCloudStorage => "needs this crate's feature \"gcp\"",
        ObjectStoreScheme::Http => "needs this crate's feature \"http\"",
        _ => "no such kind of store here",
    }
}

/// A URL is shown in errors and logs; credentials in it would be too.
fn without_credentials<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let url = Url::deserialize(deserializer)?;
    // Azure's drivers write `container@account` where others have a user.
    let names_container = matches!(url.scheme(), "az" | "abfs" | "abfss");
    if url.password().is_some() || !(url.username().is_empty() || names_container) {
        return Err(de::Error::custom("a url must not hold credentials; they belong in the region's options"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(de::Error::custom("a url must not have a query or a fragment; a signature belongs in the region's options"));
    }
    Ok(url)
}

fn default_weight() -> u32 {
    1
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ordered(url: &str, options: serde_json::Value, key: Option<bool>) -> bool {
        let mut document = json!({"name": "a", "url": url, "options": options});
        if let Some(key) = key {
            document["ordered"] = key.into();
        }
        let config: RegionConfig = serde_json::from_value(document).unwrap();
        config.build("regions[0]", &TimeoutConfig::default()).unwrap().ordered
    }

    #[test]
    fn regions_list_in_order_by_their_kind_of_store_unless_the_document_says_otherwise() {
        let folder = Url::from_directory_path(std::env::temp_dir()).unwrap();
        for (url, default) in [("memory:///", true), ("memory:///below", true), (folder.as_str(), false)] {
            let all = [None, Some(true), Some(false)].map(|key| ordered(url, json!({}), key));
            assert_eq!(all, [default, true, false], "{url}");
        }
    }

    #[cfg(feature = "aws")]
    #[test]
    fn s3_lists_in_order_and_s3_express_does_not() {
        let s3 = |url, option: serde_json::Value| ordered(url, json!({"region": "us-east-1", "S3_Express": option}), None);
        assert!(s3("s3://bucket/prefix", json!(false)) && s3("s3://bucket", json!("No")));
        assert!(!s3("s3://bucket--usw2-az1--x-s3", json!(true)));
        assert!(!s3("s3://bucket--usw2-az1--x-s3/prefix", json!("off")), "by its name");
        assert!(!s3("https://bucket--usw2-az1--x-s3.s3.us-west-2.amazonaws.com", json!(0)));
        assert!(ordered("s3://bucket--usw2-az1--x-s3", json!({}), Some(true)));
    }
}
