//! S3 and compatible stores.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3ConfigKey::{self, *};
use object_store::aws::{AmazonS3, AmazonS3Builder};

use super::{OptionKey, Options, client_options, no_retries};
use crate::config::region::RegionConfig;
use crate::settings::ConfigError;
use crate::transport::connections::Connections;
use crate::transport::connector::RecordingConnector;
use crate::transport::credentials::UnrecordedCredentials;

pub(in crate::config) fn build(
    region: &RegionConfig,
    at: &str,
    connect: Duration,
    connections: &Connections,
) -> Result<AmazonS3, ConfigError> {
    let options = Options::of(region, at)?;
    let builder = AmazonS3Builder::new()
        .with_url(region.url.as_str())
        .with_http_connector(RecordingConnector::new(connections))
        .with_client_options(client_options(region, at, connect)?)
        .with_retry(no_retries());
    options.check(build_unrecorded(
        options.apply(builder, AmazonS3Builder::with_config),
    ))
}

/// Builds a store whose requests for credentials are not recorded as requests of an attempt.
///
/// The provider of credentials is only available from a built store: a first store is built for it,
/// and the second one wraps it.
fn build_unrecorded(builder: AmazonS3Builder) -> object_store::Result<AmazonS3> {
    let store = builder.clone().build()?;
    if builder.get_config_value(&AccessKeyId).is_some() {
        return Ok(store);
    }
    builder
        .with_credentials(Arc::new(UnrecordedCredentials(Arc::clone(
            store.credentials(),
        ))))
        .build()
}

impl OptionKey for AmazonS3ConfigKey {
    const STORE: &'static str = "an S3 store";
    /// Without region, bucket and endpoint, which are locations.
    const CREDENTIALS: &'static [(&'static str, Self)] = &[
        ("AWS_ACCESS_KEY_ID", AccessKeyId),
        ("AWS_SECRET_ACCESS_KEY", SecretAccessKey),
        ("AWS_SESSION_TOKEN", Token),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", WebIdentityTokenFile),
        ("AWS_ROLE_ARN", RoleArn),
        ("AWS_ROLE_SESSION_NAME", RoleSessionName),
        (
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            ContainerCredentialsRelativeUri,
        ),
        (
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            ContainerCredentialsFullUri,
        ),
        (
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
            ContainerAuthorizationTokenFile,
        ),
    ];
    const INSTEAD_OF_CREDENTIALS: &'static [Self] = &[SkipSignature];
}
