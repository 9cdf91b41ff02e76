//! The location of a bucket: for the log, and to recognise regions with the same bucket.

use url::Url;

use super::option::OptionValue;
use super::region::RegionConfig;

impl RegionConfig {
    /// For the log: the URL, which has no secrets, and the host of a custom endpoint.
    pub(super) fn location(&self) -> String {
        let hosts = self
            .options
            .iter()
            .filter(|(key, _)| names_endpoint(&key.to_ascii_lowercase()));
        hosts
            .filter_map(|(_, value)| host(value))
            .fold(self.url.to_string(), |location, host| {
                format!("{location} at {host}")
            })
    }

    /// Identifies the bucket; None for in-memory buckets, which are always distinct.
    fn bucket(&self) -> Option<String> {
        if self.url.scheme() == "memory" {
            return None;
        }
        let mut bucket = self.url.to_string();
        for (_, value) in self
            .options
            .iter()
            .filter(|(key, _)| LOCATION_OPTIONS.contains(&key.to_ascii_lowercase().as_str()))
        {
            match value {
                OptionValue::Text(text) => bucket.extend([" at ", text]),
                other => bucket.push_str(&format!(" at {other:?}")),
            }
        }
        Some(bucket)
    }
}

/// Whether the option with this name is the URL of a server. `key` is in lower case.
pub(super) fn names_endpoint(key: &str) -> bool {
    key.contains("endpoint") || key.contains("base_url")
}

/// Scheme, host and port of a URL. The rest may contain secrets.
fn host(value: &OptionValue) -> Option<String> {
    match value {
        OptionValue::Text(text) => Url::parse(text)
            .ok()
            .map(|url| url.origin().ascii_serialization()),
        OptionValue::Env(_) | OptionValue::File(_) => {
            Some("a host from the environment or a file".into())
        }
        OptionValue::Flag(_) | OptionValue::Number(_) => None,
    }
}

/// Options that determine the location of a bucket.
const LOCATION_OPTIONS: [&str; 13] = [
    "endpoint",
    "endpoint_url",
    "aws_endpoint",
    "aws_endpoint_url",
    "aws_endpoint_url_s3",
    "base_url",
    "google_base_url",
    "azure_endpoint",
    "azure_storage_endpoint",
    "account_name",
    "azure_storage_account_name",
    "container_name",
    "azure_container_name",
];

/// Warns about regions with the same bucket: they are no replicas, and fail together.
pub(super) fn warn_of_shared_buckets(regions: &[RegionConfig]) {
    for (index, region) in regions.iter().enumerate() {
        let duplicate = regions[..index]
            .iter()
            .find(|other| region.bucket().is_some() && other.bucket() == region.bucket());
        if let Some(duplicate) = duplicate {
            tracing::warn!(
                one = duplicate.name,
                other = region.name,
                "two regions have the same bucket and fail together"
            );
        }
    }
}
