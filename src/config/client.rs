//! What the clients of all providers have in common: their options, their credentials, their connections.
//!
//! Each region has a client of its own, with connections of its own, made by object_store or by the region's `connector`. Its retries
//! are off: the loop moves on to another region at once, which is faster than asking a sick one again, and an attempt costs one request
//! and no more. (Requests for credentials are not retried either: where one fails, so does the attempt, and the loop moves on.) Its limit
//! on whole bodies is off too; ours run only while the caller polls.
//!
//! The environment is asked for credentials only, and only if the region names none. It never says where a bucket is: one such
//! variable would send every region to one place.

use std::cmp::Reverse;
use std::str::FromStr;
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use object_store::{Certificate, ClientOptions, RetryConfig};

use super::option::{FromEnv, FromFile, OptionValue};
use super::region::RegionConfig;
use crate::settings::ConfigError;

/// object_store's option keys of one kind of store.
pub(super) trait OptionKey: Copy + PartialEq + AsRef<str> + FromStr + 'static {
    /// The kind of store, with its article.
    const STORE: &'static str;
    /// Credentials, and where the environment has them. Of two names for one key the later wins.
    const CREDENTIALS: &'static [(&'static str, Self)];
    /// Options that, switched on, stand in for credentials.
    const INSTEAD_OF_CREDENTIALS: &'static [Self];
}

/// A region's options, every key known and every secret fetched.
pub(super) struct Options<K> {
    at: String,
    named: Vec<(K, String)>,
    from_environment: Vec<(K, String)>,
}

impl<K: OptionKey> Options<K> {
    pub(super) fn of(region: &RegionConfig, at: &str) -> Result<Self, ConfigError> {
        let at = format!("{at}.options");
        let mut named = Vec::new();
        for (name, value) in &region.options {
            let at = format!("{at}.{name}");
            let unknown = |_| ConfigError::invalid(&at, format!("is no option of {}", K::STORE));
            let key: K = name.to_ascii_lowercase().parse().map_err(unknown)?;
            let value = fetch(value, &at)?;
            if key.as_ref() == "allow_invalid_certificates" && is_on(&value) {
                tracing::warn!(region = region.name, "allow_invalid_certificates: whoever sits on the line can pose as this region");
            }
            named.push((key, value));
        }
        let decided = named.iter().any(|(key, value)| decides_on_credentials(key, value));
        Ok(Self { at, named, from_environment: if decided { Vec::new() } else { credentials_in_environment() } })
    }

    /// Whether the credentials, or a part of them, are the environment's.
    #[cfg(feature = "gcp")]
    pub(super) fn any_from_environment(&self) -> bool {
        !self.from_environment.is_empty()
    }

    /// Whether the region switches this option on.
    #[cfg(feature = "azure")]
    pub(super) fn switches_on(&self, key: K) -> bool {
        self.named.iter().any(|(named, value)| *named == key && is_on(value))
    }

    /// The builder with all of them.
    pub(super) fn apply<B>(&self, builder: B, with: impl Fn(B, K, String) -> B) -> B {
        self.from_environment.iter().chain(&self.named).fold(builder, |builder, (key, value)| with(builder, *key, value.clone()))
    }

    /// What was built, or why not, with no secret in it.
    pub(super) fn check<T>(&self, built: object_store::Result<T>) -> Result<T, ConfigError> {
        let values = self.from_environment.iter().chain(&self.named).map(|(_, value)| value.as_str()).collect();
        built.map_err(|error| ConfigError::invalid(&self.at, without(error.to_string(), values)))
    }
}

/// The region's connections; `connect` is how long opening one may take.
pub(super) fn connections(region: &RegionConfig, at: &str, connect: Duration) -> Result<ClientOptions, ConfigError> {
    let mut options = ClientOptions::new().with_timeout_disabled().with_connect_timeout(connect).with_pool_idle_timeout(IDLE);
    if let Some(file) = &region.ca_file {
        let refuse = |why: String| ConfigError::invalid(format!("{at}.ca_file"), format!("{}: {why}", file.display()));
        let pem = std::fs::read(file).map_err(|error| refuse(error.to_string()))?;
        let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| refuse(error.to_string()))?;
        if certificates.is_empty() {
            return Err(refuse("holds no PEM certificate".into()));
        }
        options = certificates.into_iter().fold(options, ClientOptions::with_root_certificate);
    }
    Ok(options.with_default_headers(headers(region, at)?))
}

/// The region's own headers. Their values may be secrets: no error shows one.
fn headers(region: &RegionConfig, at: &str) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &region.headers {
        let at = format!("{at}.headers.{name}");
        let refuse = |why: &str| ConfigError::invalid(&at, why);
        let header: HeaderName = name.parse().map_err(|_| refuse("is no name of an HTTP header"))?;
        if headers.contains_key(&header) {
            return Err(refuse("is there twice, in other letters"));
        }
        if is_the_clients(&header) {
            return Err(refuse("is set by the client itself, for each request"));
        }
        let mut value = HeaderValue::from_str(&fetch(value, &at)?).map_err(|_| refuse("holds what no HTTP header can hold"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// One request per attempt.
pub(super) fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..Default::default() }
}

/// The value; `at` is the path of its key.
fn fetch(value: &OptionValue, at: &str) -> Result<String, ConfigError> {
    match value {
        OptionValue::Text(text) => Ok(text.clone()),
        OptionValue::Flag(flag) => Ok(flag.to_string()),
        OptionValue::Number(number) => Ok(number.to_string()),
        OptionValue::Env(FromEnv { env }) => {
            std::env::var(env).map_err(|_| ConfigError::invalid(at, format!("the environment variable {env} is not set, or not UTF-8")))
        }
        OptionValue::File(FromFile { file }) => match std::fs::read_to_string(file) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => Err(ConfigError::invalid(at, format!("cannot read {}: {error}", file.display()))),
        },
    }
}

/// Somebody has decided how this region is to be authenticated: nothing from the environment may mix with it.
fn decides_on_credentials<K: OptionKey>(key: &K, value: &str) -> bool {
    K::CREDENTIALS.iter().any(|(_, known)| known == key) || (K::INSTEAD_OF_CREDENTIALS.contains(key) && is_on(value))
}

fn credentials_in_environment<K: OptionKey>() -> Vec<(K, String)> {
    let set = |variable: &str| std::env::var(variable).ok().filter(|value| !value.is_empty());
    K::CREDENTIALS.iter().filter_map(|(variable, key)| Some((*key, set(variable)?))).collect()
}

/// A flag as object_store reads it.
fn is_on(value: &str) -> bool {
    ["1", "true", "on", "yes", "y"].contains(&value.to_ascii_lowercase().as_str())
}

/// The text of an error without the values of options: one of them may be a secret in the wrong place. What stands between quotes
/// goes too: of a key that is a document, serde quotes the part that it cannot read.
fn without(mut text: String, mut values: Vec<&str>) -> String {
    // The longest first: a value that is a part of another one must not keep it from being found.
    values.sort_by_key(|value| Reverse(value.len()));
    for value in values.into_iter().filter(|value| !value.is_empty()) {
        text = text.replace(value, "***");
    }
    match (text.find('"'), text.rfind('"')) {
        (Some(first), Some(last)) if first < last => format!("{}***{}", &text[..=first], &text[last..]),
        _ => text,
    }
}

/// What says which bytes are asked for, by whom and how they come back is the client's, for each request. One `range` for all would
/// make every object a part of itself.
fn is_the_clients(header: &HeaderName) -> bool {
    let own = [
        header::ACCEPT_ENCODING,
        header::AUTHORIZATION,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::HOST,
        header::RANGE,
        header::TRANSFER_ENCODING,
    ];
    own.contains(header) || header.as_str().starts_with("if-")
}

/// S3 closes idle connections after about six seconds; one that is closed here first cannot fail a request. The others keep theirs
/// for longer.
const IDLE: Duration = Duration::from_secs(5);
