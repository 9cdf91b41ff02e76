//! Where a region's bucket is: told to people, and told apart from others.

use url::Url;

use super::option::OptionValue;
use super::region::RegionConfig;

impl RegionConfig {
    /// For people: the URL, which holds no secrets, and the host that is asked instead of the provider's own.
    pub(super) fn place(&self) -> String {
        let is_host = |key: &str| key.contains("endpoint") || key.contains("base_url");
        let hosts = self.options.iter().filter(|(key, _)| is_host(&key.to_ascii_lowercase()));
        hosts.filter_map(|(_, value)| host(value)).fold(self.url.to_string(), |place, host| format!("{place} at {host}"))
    }

    /// Tells one bucket from another; None where two of the same are different all the same.
    fn bucket(&self) -> Option<String> {
        if self.url.scheme() == "memory" {
            return None;
        }
        let mut place = self.url.to_string();
        for (_, value) in self.options.iter().filter(|(key, _)| PLACES.contains(&key.to_ascii_lowercase().as_str())) {
            match value {
                OptionValue::Text(text) => place.extend([" at ", text]),
                elsewhere => place.push_str(&format!(" at {elsewhere:?}")),
            }
        }
        Some(place)
    }
}

/// Scheme, host and port of a URL; whatever else is in it is nobody's business.
fn host(value: &OptionValue) -> Option<String> {
    match value {
        OptionValue::Text(text) => Url::parse(text).ok().map(|url| url.origin().ascii_serialization()),
        OptionValue::Env(_) | OptionValue::File(_) => Some("a host that is set elsewhere".into()),
        OptionValue::Flag(_) | OptionValue::Number(_) => None,
    }
}

/// Options that say where a bucket is.
const PLACES: [&str; 13] = [
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

/// Two names for one bucket are no replicas: what befalls one befalls the other.
pub(super) fn warn_of_shared_buckets(regions: &[RegionConfig]) {
    for (index, region) in regions.iter().enumerate() {
        let twin = regions[..index].iter().find(|other| region.bucket().is_some() && other.bucket() == region.bucket());
        if let Some(twin) = twin {
            tracing::warn!(one = twin.name, other = region.name, "two regions have the same bucket: the loss of it is the loss of both");
        }
    }
}
