//! Builds a [`Region`] from its document: the store of its provider, or a local one.

use object_store::ObjectStoreScheme;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;

use super::built::BuiltStore;
use super::option::OptionValue;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
use super::provider;
use super::region::RegionConfig;
use crate::region::{Region, RegionBreaker};
use crate::settings::ConfigError;
use crate::timeouts::TimeoutConfig;
use crate::transport::connections::Connections;

impl RegionConfig {
    /// The region; `at` is the path of its document.
    pub(super) fn build(&self, at: &str, timeouts: &TimeoutConfig) -> Result<Region, ConfigError> {
        let BuiltStore {
            store,
            signer,
            connections,
        } = self.store(at, timeouts)?;
        let ordered = self.ordered.unwrap_or_else(|| self.is_ordered_by_default());
        let mut region = Region::new(&self.name, store)
            .weight(self.weight)
            .ordered(ordered)
            .flavor(self.flavor);
        region.timeouts = self.timeouts.clone();
        region.breaker = RegionBreaker::Inherit(self.breaker.clone());
        region.signer = signer;
        region.location = Some(self.location());
        region.connections = connections;
        region.has_identity = matches!(
            ObjectStoreScheme::parse(&self.url),
            Ok((
                ObjectStoreScheme::AmazonS3
                    | ObjectStoreScheme::GoogleCloudStorage
                    | ObjectStoreScheme::MicrosoftAzure,
                _
            ))
        );
        Ok(region)
    }

    fn store(&self, at: &str, timeouts: &TimeoutConfig) -> Result<BuiltStore, ConfigError> {
        let invalid = |reason: &str| {
            ConfigError::invalid(format!("{at}.url"), format!("{}: {reason}", self.url))
        };
        let (scheme, prefix) =
            ObjectStoreScheme::parse(&self.url).map_err(|error| invalid(&error.to_string()))?;
        let prefix = self.virtual_hosted_prefix().unwrap_or(prefix);
        let connect = self.timeouts.connect_over(timeouts);
        let connections = Connections::of(&self.name, self.connector.clone());
        match scheme {
            ObjectStoreScheme::Memory => {
                self.reject_client_settings(at)?;
                Ok(BuiltStore::local(prefix, InMemory::new()))
            }
            ObjectStoreScheme::Local => {
                self.reject_client_settings(at)?;
                let folder = self
                    .url
                    .to_file_path()
                    .map_err(|()| invalid("not a local path"))?;
                let store = LocalFileSystem::new_with_prefix(folder)
                    .map_err(|error| invalid(&error.to_string()))?;
                Ok(BuiltStore::local(Path::default(), store))
            }
            #[cfg(feature = "aws")]
            ObjectStoreScheme::AmazonS3 => Ok(BuiltStore::signing(
                prefix,
                provider::s3::build(self, at, connect, &connections)?,
                connections,
            )),
            #[cfg(feature = "azure")]
            ObjectStoreScheme::MicrosoftAzure => Ok(BuiltStore::signing(
                prefix,
                provider::azure::build(self, at, connect, &connections)?,
                connections,
            )),
            #[cfg(feature = "gcp")]
            ObjectStoreScheme::GoogleCloudStorage => Ok(BuiltStore::signing(
                prefix,
                provider::google::build(self, at, connect, &connections)?,
                connections,
            )),
            #[cfg(feature = "http")]
            ObjectStoreScheme::Http => Ok(BuiltStore::remote(
                prefix,
                provider::http::build(self, at, connect, &connections)?,
                connections,
            )),
            unsupported => {
                let _ = (connect, connections);
                Err(invalid(unsupported_reason(&unsupported)))
            }
        }
    }

    /// The prefix of a URL whose host names the bucket, as in
    /// `https://bucket.s3.region.amazonaws.com/prefix`. object_store takes a host that begins with
    /// `s3` for one without a bucket, and drops the first part of the path.
    fn virtual_hosted_prefix(&self) -> Option<Path> {
        let host = self.url.host_str()?;
        let names_bucket = matches!(self.url.scheme(), "https" | "http")
            && host.ends_with(".amazonaws.com")
            && (host.contains(".s3.") || host.contains(".s3-"));
        names_bucket.then(|| Path::from_url_path(self.url.path()).ok())?
    }

    /// Whether stores of this kind list in order. If unknown they count as unordered: that costs
    /// memory, while a wrong `true` loses keys.
    fn is_ordered_by_default(&self) -> bool {
        match ObjectStoreScheme::parse(&self.url) {
            Ok((
                ObjectStoreScheme::Memory
                | ObjectStoreScheme::GoogleCloudStorage
                | ObjectStoreScheme::MicrosoftAzure,
                _,
            )) => true,
            Ok((ObjectStoreScheme::AmazonS3, _)) => !self.is_s3_express(),
            _ => false,
        }
    }

    /// S3 Express is recognised by the name of the bucket, in any part of the URL, or by its
    /// option.
    fn is_s3_express(&self) -> bool {
        let segments = self.url.path_segments().into_iter().flatten();
        let has_bucket_name = self
            .url
            .host_str()
            .into_iter()
            .flat_map(|host| host.split('.'))
            .chain(segments)
            .any(|part| part.ends_with("--x-s3"));
        let is_off = |value: &OptionValue| match value {
            OptionValue::Flag(flag) => !flag,
            OptionValue::Number(number) => *number == 0,
            OptionValue::Text(text) => {
                ["0", "false", "off", "no", "n"].contains(&text.to_ascii_lowercase().as_str())
            }
            OptionValue::Env(_) | OptionValue::File(_) => false,
        };
        let is_option = |key: &str| {
            ["s3_express", "aws_s3_express"].contains(&key.to_ascii_lowercase().as_str())
        };
        has_bucket_name
            || self
                .options
                .iter()
                .any(|(key, value)| is_option(key) && !is_off(value))
    }

    /// Rejects settings of HTTP clients for stores without a network.
    fn reject_client_settings(&self, at: &str) -> Result<(), ConfigError> {
        if let Some(key) = self.options.keys().next() {
            return Err(ConfigError::invalid(
                format!("{at}.options.{key}"),
                format!("a {} store has no options", self.url.scheme()),
            ));
        }
        if let Some(name) = self.headers.keys().next() {
            return Err(ConfigError::invalid(
                format!("{at}.headers.{name}"),
                format!("a {} store sends no requests", self.url.scheme()),
            ));
        }
        if self.connector.is_some() {
            return Err(ConfigError::invalid(
                format!("{at}.connector"),
                format!("a {} store makes no connections", self.url.scheme()),
            ));
        }
        if self.ca_file.is_some() {
            return Err(ConfigError::invalid(
                format!("{at}.ca_file"),
                format!("a {} store makes no connections", self.url.scheme()),
            ));
        }
        Ok(())
    }
}

/// Why a store of this kind cannot be built.
fn unsupported_reason(scheme: &ObjectStoreScheme) -> &'static str {
    match scheme {
        ObjectStoreScheme::AmazonS3 => "needs this crate's feature \"aws\"",
        ObjectStoreScheme::MicrosoftAzure => "needs this crate's feature \"azure\"",
        ObjectStoreScheme::GoogleCloudStorage => "needs this crate's feature \"gcp\"",
        ObjectStoreScheme::Http => "needs this crate's feature \"http\"",
        _ => "this kind of store is not supported",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use url::Url;

    use super::*;

    fn build_ordered(url: &str, options: serde_json::Value, key: Option<bool>) -> bool {
        let mut document = json!({"name": "a", "url": url, "options": options});
        if let Some(key) = key {
            document["ordered"] = key.into();
        }
        let config: RegionConfig = serde_json::from_value(document).unwrap();
        config
            .build("regions[0]", &TimeoutConfig::default())
            .unwrap()
            .ordered
    }

    #[test]
    fn document_overrides_the_order_of_the_store_kind() {
        let folder = Url::from_directory_path(std::env::temp_dir()).unwrap();
        for (url, default) in [
            ("memory:///", true),
            ("memory:///below", true),
            (folder.as_str(), false),
        ] {
            let all = [None, Some(true), Some(false)].map(|key| build_ordered(url, json!({}), key));
            assert_eq!(all, [default, true, false], "{url}");
        }
    }

    #[cfg(feature = "aws")]
    #[test]
    fn s3_is_ordered_and_s3_express_is_not() {
        let s3 = |url, option: serde_json::Value| {
            build_ordered(
                url,
                json!({"region": "us-east-1", "S3_Express": option}),
                None,
            )
        };
        assert!(s3("s3://bucket/prefix", json!(false)) && s3("s3://bucket", json!("No")));
        assert!(!s3("s3://bucket--usw2-az1--x-s3", json!(true)));
        assert!(
            !s3("s3://bucket--usw2-az1--x-s3/prefix", json!("off")),
            "recognised by the bucket name"
        );
        assert!(!s3(
            "https://bucket--usw2-az1--x-s3.s3.us-west-2.amazonaws.com",
            json!(0)
        ));
        assert!(build_ordered(
            "s3://bucket--usw2-az1--x-s3",
            json!({}),
            Some(true)
        ));
    }
}
