//! One region of a document: a URL, and object_store's own options for that kind of store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use object_store::client::HttpConnector;
use serde::de::{self, Deserialize, Deserializer};
use url::Url;

use super::option::OptionValue;
use crate::health::config::BreakerOverrides;
use crate::settings::ConfigError;
use crate::timeouts::TimeoutConfig;
use crate::types::Flavor;

/// A region of a document: the location of its bucket, and its own settings.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegionConfig {
    /// The name of the region in errors, logs and metrics.
    pub name: String,
    /// The location of the bucket: `s3://bucket/prefix` (feature `aws`), `gs://bucket/prefix`
    /// (`gcp`), `az://container/prefix`,
    /// `abfss://container@account.dfs.core.windows.net/prefix` or
    /// `https://account.blob.core.windows.net/container/prefix` (`azure`), any other
    /// `https://host/prefix` or `http://host/prefix` (`http`), `file:///folder`, `memory:///`.
    #[serde(deserialize_with = "without_credentials")]
    pub url: Url,
    /// The share of first attempts, relative to the other regions (default 1). 0: used only while
    /// all others are unavailable.
    #[serde(default = "default_weight")]
    pub weight: u32,
    /// Whether listings return keys in byte order (default by the kind of store: `true` for S3,
    /// GCS, Azure and memory, `false` for files, HTTP and S3 Express); see
    /// [`Region::ordered`](crate::Region::ordered).
    #[serde(default)]
    pub ordered: Option<bool>,
    /// The meaning of responses that differ between providers: `aws`, `minio` or `generic`
    /// (default); see [`Flavor`].
    #[serde(default)]
    pub flavor: Flavor,
    /// A PEM file with certificates of a private authority, trusted in addition to the system's.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// HTTP headers of every request of this region's client, unsigned. They are also sent with the
    /// requests for credentials (STS, a metadata service): do not use them for secrets that these
    /// services must not see. Signed URLs do not carry them.
    #[serde(default)]
    pub headers: BTreeMap<String, OptionValue>,
    /// object_store's own options for this kind of store.
    #[serde(default)]
    pub options: BTreeMap<String, OptionValue>,
    /// Creates this region's HTTP clients (default object_store's `ReqwestConnector`). Set in code,
    /// not in a document: for your own client with its own TLS, a proxy, signatures, or faults in a
    /// test.
    ///
    /// It receives the region's `ClientOptions` (`ca_file`, `headers`, the connect limit, client
    /// options), and usually passes them to a `ReqwestConnector` whose client it wraps. This crate
    /// observes responses above the connector, and treats what it returns as the response of the
    /// region:
    ///
    /// - **No retries, no redirects to other regions, no caches below it.** A hidden second request
    ///   is load outside of every budget, and a response from another time or region is not a
    ///   response of this one.
    /// - **A response is returned as a response**, whatever its status. An error means that there
    ///   was none. The kind `Connect` promises that nothing was sent, and allows to repeat a write
    ///   in another region. If the request may have been sent use `Interrupted`, `Request` or
    ///   `Timeout`.
    /// - **No time limits are needed.** When an attempt exceeds its limit, the future of the
    ///   request or the body is dropped.
    /// - **`connect` is called more than once**: when the store is built, for clients that fetch
    ///   credentials, and within a request after a circuit of the region opened. It must not block.
    ///   Connections must not outlive the client that it returns, because the requests after an
    ///   outage must use new ones.
    ///
    /// An error of `connect` when the store is built becomes a [`ConfigError`]
    /// at the region's `options`. Later the previous client stays in use, and the error is logged.
    /// Regions on `memory:` and `file:` make no connections and reject a connector.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use object_store::client::{HttpConnector, ReqwestConnector};
    /// # use object_store_failover::FailoverConfig;
    /// # let document = r#"regions = [{ name = "a", url = "https://a.example/" }]"#;
    /// let mut config = FailoverConfig::from_toml(document)?;
    /// for region in &mut config.regions {
    ///     // Your own, chosen by `region.name`.
    ///     let connector: Arc<dyn HttpConnector> = Arc::new(ReqwestConnector::default());
    ///     region.connector = Some(connector);
    /// }
    /// let store = config.build()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[serde(skip)]
    pub connector: Option<Arc<dyn HttpConnector>>,
    /// Keys of `[breaker]` that differ in this region; the others are inherited.
    #[serde(default)]
    pub(crate) breaker: BreakerOverrides,
    /// Keys of `[timeouts]` that differ in this region; the others are inherited.
    #[serde(default)]
    pub timeouts: TimeoutConfig,
}

impl RegionConfig {
    /// A region with defaults for everything but its name and URL.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Invalid`] for a text that is no URL, or one with credentials or a query.
    pub fn new(name: impl Into<String>, url: &str) -> Result<Self, ConfigError> {
        let url = check_url(url).map_err(|reason| ConfigError::invalid("url", reason))?;
        Ok(Self {
            name: name.into(),
            url,
            weight: default_weight(),
            ordered: None,
            flavor: Flavor::default(),
            ca_file: None,
            headers: BTreeMap::new(),
            options: BTreeMap::new(),
            connector: None,
            breaker: BreakerOverrides::default(),
            timeouts: TimeoutConfig::default(),
        })
    }
}

/// Rejects credentials in a URL, because errors and logs show it.
fn without_credentials<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    // serde would quote the text, which may hold a password.
    let text = String::deserialize(deserializer)?;
    check_url(&text).map_err(de::Error::custom)
}

/// Parses the URL of a region.
fn check_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| {
        format!("{error}; a url is like s3://bucket/prefix, with the endpoint in the options")
    })?;
    // Azure URLs have `container@account` in the place of the user.
    let names_container = matches!(url.scheme(), "az" | "abfs" | "abfss");
    if url.password().is_some() || !(url.username().is_empty() || names_container) {
        return Err("a url must not hold credentials; they belong in the region's options".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(
            "a url must not have a query or a fragment; a signature belongs in the region's options"
                .into(),
        );
    }
    Ok(url)
}

fn default_weight() -> u32 {
    1
}
