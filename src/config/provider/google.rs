//! Google Cloud Storage.

use std::sync::Arc;
use std::time::Duration;

use object_store::gcp::GoogleConfigKey::{self, *};
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};

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
) -> Result<GoogleCloudStorage, ConfigError> {
    let options = Options::of(region, at)?;
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_url(region.url.as_str())
        .with_http_connector(RecordingConnector::new(connections))
        .with_client_options(client_options(region, at, connect)?)
        .with_retry(no_retries());
    if options.any_from_environment() {
        // A service account may name an endpoint (`gcs_base_url`). One from the environment must
        // not send every region there.
        builder = builder.with_base_url(DEFAULT_BASE_URL);
    }
    options.check(build_unrecorded(
        options.apply(builder, GoogleCloudStorageBuilder::with_config),
    ))
}

/// As in `s3.rs`: requests for credentials are not recorded as requests of an attempt.
fn build_unrecorded(
    builder: GoogleCloudStorageBuilder,
) -> object_store::Result<GoogleCloudStorage> {
    let store = builder.clone().build()?;
    builder
        .with_credentials(Arc::new(UnrecordedCredentials(Arc::clone(
            store.credentials(),
        ))))
        .build()
}

impl OptionKey for GoogleConfigKey {
    const STORE: &'static str = "a Google Cloud Storage store";
    /// Without bucket and base URL, which are locations.
    const CREDENTIALS: &'static [(&'static str, Self)] = &[
        ("GOOGLE_SERVICE_ACCOUNT", ServiceAccount),
        ("GOOGLE_SERVICE_ACCOUNT_PATH", ServiceAccount),
        ("GOOGLE_SERVICE_ACCOUNT_KEY", ServiceAccountKey),
        ("GOOGLE_APPLICATION_CREDENTIALS", ApplicationCredentials),
        ("GOOGLE_BEARER_TOKEN", BearerToken),
    ];
    const INSTEAD_OF_CREDENTIALS: &'static [Self] = &[SkipSignature];
}

/// object_store's default.
const DEFAULT_BASE_URL: &str = "https://storage.googleapis.com";
