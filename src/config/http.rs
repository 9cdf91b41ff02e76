//! Any HTTP server: reads need GET and HEAD, listings need WebDAV.

use std::time::Duration;

use object_store::ClientConfigKey;
use object_store::http::{HttpBuilder, HttpStore};
use url::Position;

use super::client::{self, OptionKey, Options};
use super::region::RegionConfig;
use crate::connections::Connections;
use crate::evidence::connector::EvidenceConnector;
use crate::settings::ConfigError;

pub(super) fn build(region: &RegionConfig, at: &str, connect: Duration, connections: &Connections) -> Result<HttpStore, ConfigError> {
    let options = Options::of(region, at)?;
    // Whoever writes `http://` has said that the line need not be secret; elsewhere `allow_http` says it.
    let client_options = client::connections(region, at, connect)?.with_allow_http(region.url.scheme() == "http");
    let builder = HttpBuilder::new()
        // The path is the region's prefix: this store takes it for a part of every key that it lists.
        .with_url(&region.url[..Position::BeforePath])
        .with_http_connector(EvidenceConnector::new(connections))
        .with_client_options(client_options)
        .with_retry(client::no_retries());
    options.check(options.apply(builder, HttpBuilder::with_config).build())
}

impl OptionKey for ClientConfigKey {
    const STORE: &'static str = "an HTTP store";
    const CREDENTIALS: &'static [(&'static str, Self)] = &[];
    const INSTEAD_OF_CREDENTIALS: &'static [Self] = &[];
}
