//! S3, and whatever speaks its protocol.

use std::sync::Arc;
use std::time::Duration;

use object_store::aws::AmazonS3ConfigKey::{self, *};
use object_store::aws::{AmazonS3, AmazonS3Builder};

use super::client::{self, OptionKey, Options};
use super::region::RegionConfig;
use crate::connections::Connections;
use crate::evidence::connector::EvidenceConnector;
use crate::evidence::credentials::Uncounted;
use crate::settings::ConfigError;

pub(super) fn build(region: &RegionConfig, at: &str, connect: Duration, connections: &Connections) -> Result<AmazonS3, ConfigError> {
    let options = Options::of(region, at)?;
    let builder = AmazonS3Builder::new()
        .with_url(region.url.as_str())
        .with_http_connector(EvidenceConnector::new(connections))
        .with_client_options(client::connections(region, at, connect)?)
        .with_retry(client::no_retries());
    options.check(with_evidence(options.apply(builder, AmazonS3Builder::with_config)))
}

/// The store, whose requests for credentials are no part of what its attempts do on the wire.
///
/// Only a store that is built has its provider of credentials; it is given to a second one, and that one is used.
fn with_evidence(builder: AmazonS3Builder) -> object_store::Result<AmazonS3> {
    let store = builder.clone().build()?;
    if builder.get_config_value(&AccessKeyId).is_some() {
        return Ok(store);
    }
    builder.with_credentials(Arc::new(Uncounted(Arc::clone(store.credentials())))).build()
}

impl OptionKey for AmazonS3ConfigKey {
    const STORE: &'static str = "an S3 store";
    /// Neither region, bucket nor endpoint.
    const CREDENTIALS: &'static [(&'static str, Self)] = &[
        ("AWS_ACCESS_KEY_ID", AccessKeyId),
        ("AWS_SECRET_ACCESS_KEY", SecretAccessKey),
        ("AWS_SESSION_TOKEN", Token),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", WebIdentityTokenFile),
        ("AWS_ROLE_ARN", RoleArn),
        ("AWS_ROLE_SESSION_NAME", RoleSessionName),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ContainerCredentialsRelativeUri),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", ContainerCredentialsFullUri),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", ContainerAuthorizationTokenFile),
    ];
    const INSTEAD_OF_CREDENTIALS: &'static [Self] = &[SkipSignature];
}
