//! S3, and whatever speaks its protocol.
//!
//! Each region has a client of its own, with connections of its own. Its retries are off: the loop moves on to another region at
//! once, which is faster than asking a sick one again, and an attempt costs one request and no more. (Requests for credentials are
//! not retried either: where one fails, so does the attempt, and the loop moves on.) Its limit on whole bodies is
//! off too; ours run only while the caller polls.

use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::{Certificate, ClientConfigKey, ClientOptions, RetryConfig};

use super::region::RegionConfig;
use crate::settings::ConfigError;

pub(super) fn build(region: &RegionConfig, at: &str, connect: Duration) -> Result<AmazonS3, ConfigError> {
    let mut builder = AmazonS3Builder::new()
        .with_url(region.url.as_str())
        .with_client_options(client_options(region, at, connect)?)
        .with_retry(RetryConfig { max_retries: 0, ..Default::default() });
    let options = options(region, at)?;
    if !options.iter().any(|(key, value)| is_credential(key, value)) {
        for (key, value) in CREDENTIALS_IN_ENVIRONMENT.iter().filter_map(|(variable, key)| Some((*key, std::env::var(variable).ok()?))) {
            builder = builder.with_config(key, value);
        }
    }
    let values: Vec<_> = options.iter().map(|(_, value)| value.clone()).collect();
    for (key, value) in options {
        builder = builder.with_config(key, value);
    }
    builder.build().map_err(|error| ConfigError::invalid(format!("{at}.options"), without(&error.to_string(), &values)))
}

/// The text of an error without the values of options: one of them may be a secret in the wrong place.
fn without(text: &str, values: &[String]) -> String {
    values.iter().filter(|value| !value.is_empty()).fold(text.to_owned(), |text, value| text.replace(value, "***"))
}

/// The region's options, every key known and every secret fetched.
fn options(region: &RegionConfig, at: &str) -> Result<Vec<(AmazonS3ConfigKey, String)>, ConfigError> {
    let option = |(name, value): (&String, &super::OptionValue)| {
        let at = format!("{at}.options.{name}");
        let key: AmazonS3ConfigKey =
            name.to_ascii_lowercase().parse().map_err(|_| ConfigError::invalid(&at, "is no option of an S3 store"))?;
        let value = value.resolve(&at)?;
        if key == AmazonS3ConfigKey::Client(ClientConfigKey::AllowInvalidCertificates) && value == "true" {
            tracing::warn!(region = region.name, "allow_invalid_certificates: whoever sits on the line can pose as this region");
        }
        Ok((key, value))
    };
    region.options.iter().map(option).collect()
}

fn client_options(region: &RegionConfig, at: &str, connect: Duration) -> Result<ClientOptions, ConfigError> {
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
    Ok(options)
}

/// Somebody has decided how this region is to be authenticated: nothing from the environment may mix with it.
fn is_credential(key: &AmazonS3ConfigKey, value: &str) -> bool {
    (*key == AmazonS3ConfigKey::SkipSignature && value == "true") || CREDENTIALS_IN_ENVIRONMENT.iter().any(|(_, known)| known == key)
}

/// Credentials only. Region, bucket and endpoint are never taken from the environment: one `AWS_ENDPOINT_URL` would send every
/// region to one place.
const CREDENTIALS_IN_ENVIRONMENT: [(&str, AmazonS3ConfigKey); 9] = [
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_ROLE_SESSION_NAME", AmazonS3ConfigKey::RoleSessionName),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", AmazonS3ConfigKey::ContainerAuthorizationTokenFile),
];

/// S3 closes idle connections after about six seconds; one that is closed here first cannot fail a request.
const IDLE: Duration = Duration::from_secs(5);
