//! Google Cloud Storage.

use std::sync::Arc;
use std::time::Duration;

use object_store::gcp::GoogleConfigKey::{self, *};
use object_store::gcp::{GoogleCloudStorage, GoogleCloudStorageBuilder};

use super::client::{self, OptionKey, Options};
use super::region::RegionConfig;
use crate::connections::Connections;
use crate::evidence::connector::EvidenceConnector;
use crate::evidence::credentials::Uncounted;
use crate::settings::ConfigError;

pub(super) fn build(
    region: &RegionConfig,
    at: &str,
    connect: Duration,
    connections: &Connections,
) -> Result<GoogleCloudStorage, ConfigError> {
    let options = Options::of(region, at)?;
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_url(region.url.as_str())
        .with_http_connector(EvidenceConnector::new(connections))
        .with_client_options(client::connections(region, at, connect)?)
        .with_retry(client::no_retries());
    if options.any_from_environment() {
        // A service account may name an endpoint (`gcs_base_url`); one from the environment must not move every region there.
        builder = builder.with_base_url(GOOGLE);
    }
    options.check(with_evidence(options.apply(builder, GoogleCloudStorageBuilder::with_config)))
}

/// As in `s3.rs`: requests for credentials are no part of what an attempt does on the wire.
fn with_evidence(builder: GoogleCloudStorageBuilder) -> object_store::Result<GoogleCloudStorage> {
    let store = builder.clone().build()?;
    builder.with_credentials(Arc::new(Uncounted(Arc::clone(store.credentials())))).build()
}

impl OptionKey for GoogleConfigKey {
    const STORE: &'static str = "a Google Cloud Storage store";
    /// Neither bucket nor base URL.
    const CREDENTIALS: &'static [(&'static str, Self)] = &[
        ("GOOGLE_SERVICE_ACCOUNT", ServiceAccount),
        ("GOOGLE_SERVICE_ACCOUNT_PATH", ServiceAccount),
        ("GOOGLE_SERVICE_ACCOUNT_KEY", ServiceAccountKey),
        ("GOOGLE_APPLICATION_CREDENTIALS", ApplicationCredentials),
        ("GOOGLE_BEARER_TOKEN", BearerToken),
    ];
    const INSTEAD_OF_CREDENTIALS: &'static [Self] = &[SkipSignature];
}

/// Where object_store, too, finds Google Cloud Storage.
const GOOGLE: &str = "https://storage.googleapis.com";
