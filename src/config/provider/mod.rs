//! Client options and credentials, common to all providers.
//!
//! Each region has its own client and connections, created by object_store or by the region's
//! `connector`. The retries of object_store are off, also for credentials: an attempt is one
//! request, and after a failure the call continues in another region, which is faster than
//! repeating the request in a failing one. The limit on whole bodies is off too; `timeouts.stall`
//! runs only while the caller polls.
//!
//! Only credentials are taken from the environment, and only if the region names none. The
//! environment never determines the location of a bucket: one such variable would send every region
//! to one place.

#[cfg(feature = "azure")]
pub(super) mod azure;
#[cfg(feature = "gcp")]
pub(super) mod google;
#[cfg(feature = "http")]
pub(super) mod http;
#[cfg(feature = "aws")]
pub(super) mod s3;

use std::cmp::Reverse;
use std::str::FromStr;
use std::time::Duration;

use ::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use object_store::{Certificate, ClientOptions, RetryConfig};

use crate::config::location::names_endpoint;
use crate::config::option::{FromEnv, FromFile, OptionValue};
use crate::config::region::RegionConfig;
use crate::settings::ConfigError;

/// object_store's option keys of one kind of store.
pub(super) trait OptionKey: Copy + PartialEq + AsRef<str> + FromStr + 'static {
    /// The kind of store, with its article, for errors.
    const STORE: &'static str;
    /// Credential options and their environment variables. Of two names for one key the later wins.
    const CREDENTIALS: &'static [(&'static str, Self)];
    /// Options that replace credentials when they are on.
    const INSTEAD_OF_CREDENTIALS: &'static [Self];
}

/// The options of a region, with known keys and resolved values.
pub(super) struct Options<K> {
    at: String,
    configured: Vec<(K, String)>,
    from_environment: Vec<(K, String)>,
}

impl<K: OptionKey> Options<K> {
    pub(super) fn of(region: &RegionConfig, at: &str) -> Result<Self, ConfigError> {
        let at = format!("{at}.options");
        let mut configured = Vec::new();
        for (name, value) in &region.options {
            let at = format!("{at}.{name}");
            let unknown = |_| ConfigError::invalid(&at, format!("is no option of {}", K::STORE));
            let key: K = name.to_ascii_lowercase().parse().map_err(unknown)?;
            let value = fetch(value, &at)?;
            if configured.iter().any(|(other, _)| *other == key) {
                return Err(ConfigError::invalid(&at, "is set twice, under two names"));
            }
            check_endpoint(region, key.as_ref(), &value, &at)?;
            if key.as_ref() == "allow_invalid_certificates" && is_on(&value) {
                tracing::warn!(
                    region = region.name,
                    "allow_invalid_certificates: any host on the network path can impersonate \
                     this region"
                );
            }
            configured.push((key, value));
        }
        let has_credentials = configured
            .iter()
            .any(|(key, value)| determines_credentials(key, value));
        Ok(Self {
            at,
            configured,
            from_environment: if has_credentials {
                Vec::new()
            } else {
                credentials_in_environment()
            },
        })
    }

    /// Whether any credential is taken from the environment.
    #[cfg(feature = "gcp")]
    pub(super) fn any_from_environment(&self) -> bool {
        !self.from_environment.is_empty()
    }

    /// Whether the region switches this option on.
    #[cfg(feature = "azure")]
    pub(super) fn switches_on(&self, key: K) -> bool {
        self.configured
            .iter()
            .any(|(configured, value)| *configured == key && is_on(value))
    }

    /// The builder with all options applied.
    pub(super) fn apply<B>(&self, builder: B, with: impl Fn(B, K, String) -> B) -> B {
        self.from_environment
            .iter()
            .chain(&self.configured)
            .fold(builder, |builder, (key, value)| {
                with(builder, *key, value.clone())
            })
    }

    /// The result of building the store, with all option values removed from its error.
    pub(super) fn check<T>(&self, built: object_store::Result<T>) -> Result<T, ConfigError> {
        let values = self
            .from_environment
            .iter()
            .chain(&self.configured)
            .map(|(_, value)| value.as_str())
            .collect();
        built.map_err(|error| ConfigError::invalid(&self.at, redact(error.to_string(), values)))
    }
}

/// The client options of a region; `connect` limits the opening of a connection.
pub(super) fn client_options(
    region: &RegionConfig,
    at: &str,
    connect: Duration,
) -> Result<ClientOptions, ConfigError> {
    let mut options = ClientOptions::new()
        .with_timeout_disabled()
        .with_connect_timeout(connect)
        .with_pool_idle_timeout(POOL_IDLE_TIMEOUT);
    if let Some(file) = &region.ca_file {
        let invalid = |reason: String| {
            ConfigError::invalid(
                format!("{at}.ca_file"),
                format!("{}: {reason}", file.display()),
            )
        };
        let pem = std::fs::read(file).map_err(|error| invalid(error.to_string()))?;
        let certificates =
            Certificate::from_pem_bundle(&pem).map_err(|error| invalid(error.to_string()))?;
        if certificates.is_empty() {
            return Err(invalid("contains no PEM certificate".into()));
        }
        options = certificates
            .into_iter()
            .fold(options, ClientOptions::with_root_certificate);
    }
    Ok(options.with_default_headers(headers(region, at)?))
}

/// The configured headers of a region. No error shows a value, which may be a secret.
fn headers(region: &RegionConfig, at: &str) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &region.headers {
        let at = format!("{at}.headers.{name}");
        let invalid = |reason: &str| ConfigError::invalid(&at, reason);
        let header: HeaderName = name
            .parse()
            .map_err(|_| invalid("is not a valid HTTP header name"))?;
        if headers.contains_key(&header) {
            return Err(invalid("is set twice, in different case"));
        }
        if is_set_by_client(&header) {
            return Err(invalid("is set by the client itself, for each request"));
        }
        let mut value = HeaderValue::from_str(&fetch(value, &at)?)
            .map_err(|_| invalid("contains characters that no HTTP header can hold"))?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// object_store's retries, off: one request per attempt.
pub(super) fn no_retries() -> RetryConfig {
    RetryConfig {
        max_retries: 0,
        ..Default::default()
    }
}

/// Resolves the value; `at` is the path of its key.
fn fetch(value: &OptionValue, at: &str) -> Result<String, ConfigError> {
    match value {
        OptionValue::Text(text) => Ok(text.clone()),
        OptionValue::Flag(flag) => Ok(flag.to_string()),
        OptionValue::Number(number) => Ok(number.to_string()),
        OptionValue::Env(FromEnv { env }) => match std::env::var(env) {
            Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
            Ok(_) => Err(ConfigError::invalid(
                at,
                format!("the environment variable {env} is empty"),
            )),
            Err(_) => Err(ConfigError::invalid(
                at,
                format!("the environment variable {env} is not set, or not UTF-8"),
            )),
        },
        OptionValue::File(FromFile { file }) => match std::fs::read_to_string(file) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => Err(ConfigError::invalid(
                at,
                format!("cannot read {}: {error}", file.display()),
            )),
        },
    }
}

/// Rejects an endpoint at which every request would panic or fail.
fn check_endpoint(
    region: &RegionConfig,
    key: &str,
    value: &str,
    at: &str,
) -> Result<(), ConfigError> {
    if !names_endpoint(key) || key.contains("disable") {
        return Ok(());
    }
    let invalid = |reason: &str| Err(ConfigError::invalid(at, reason));
    let is_plain = value.starts_with("http://");
    if !is_plain && !value.starts_with("https://") {
        return invalid("must begin with https:// or http://");
    }
    if value.contains(char::is_whitespace) || url::Url::parse(value).is_err() {
        return invalid("is not a URL");
    }
    let allows_http = region.options.iter().any(|(key, value)| {
        key.to_ascii_lowercase().ends_with("allow_http")
            && fetch(value, at).is_ok_and(|value| is_on(&value))
    });
    if is_plain && !allows_http {
        return invalid("an http:// endpoint needs allow_http = true beside it");
    }
    Ok(())
}

/// The option determines how this region authenticates: nothing is taken from the environment.
fn determines_credentials<K: OptionKey>(key: &K, value: &str) -> bool {
    K::CREDENTIALS.iter().any(|(_, known)| known == key)
        || (K::INSTEAD_OF_CREDENTIALS.contains(key) && is_on(value))
}

fn credentials_in_environment<K: OptionKey>() -> Vec<(K, String)> {
    let read = |variable: &str| {
        let value = std::env::var(variable).ok()?.trim().to_owned();
        (!value.is_empty()).then_some(value)
    };
    K::CREDENTIALS
        .iter()
        .filter_map(|(variable, key)| Some((*key, read(variable)?)))
        .collect()
}

/// A flag as object_store reads it.
fn is_on(value: &str) -> bool {
    ["1", "true", "on", "yes", "y"].contains(&value.to_ascii_lowercase().as_str())
}

/// Removes the values of options from the text of an error, and everything between quotes: of a key
/// that is itself a document, serde quotes the part that it cannot read.
fn redact(mut text: String, mut values: Vec<&str>) -> String {
    // Longest first: a value that is part of another one would leave the rest of it in the text.
    values.sort_by_key(|value| Reverse(value.len()));
    for value in values.into_iter().filter(|value| !value.is_empty()) {
        text = text.replace(value, "***");
    }
    match (text.find('"'), text.rfind('"')) {
        (Some(first), Some(last)) if first < last => {
            format!("{}***{}", &text[..=first], &text[last..])
        }
        _ => text,
    }
}

/// Headers that determine the requested bytes, the credentials and the form of the response. A
/// `Range` for all requests would turn every object into a part of itself.
fn is_set_by_client(header: &HeaderName) -> bool {
    let reserved = [
        header::ACCEPT_ENCODING,
        header::AUTHORIZATION,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::HOST,
        header::RANGE,
        header::TRANSFER_ENCODING,
    ];
    reserved.contains(header) || header.as_str().starts_with("if-")
}

/// S3 closes idle connections after about six seconds. A connection that is closed here before
/// cannot fail a request. Other providers keep them longer.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(5);
