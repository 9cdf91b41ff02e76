//! HTTP servers: reads need GET and HEAD, listings need WebDAV.

use std::time::Duration;

use object_store::ClientConfigKey;
use object_store::http::{HttpBuilder, HttpStore};
use url::Position;

use super::{OptionKey, Options, client_options, no_retries};
use crate::config::region::RegionConfig;
use crate::settings::ConfigError;
use crate::transport::connections::Connections;
use crate::transport::connector::RecordingConnector;

pub(in crate::config) fn build(
    region: &RegionConfig,
    at: &str,
    connect: Duration,
    connections: &Connections,
) -> Result<HttpStore, ConfigError> {
    let options = Options::of(region, at)?;
    // A plain `http://` URL allows HTTP explicitly; for an endpoint the option `allow_http` does.
    let client_options =
        client_options(region, at, connect)?.with_allow_http(region.url.scheme() == "http");
    let builder = HttpBuilder::new()
        // The path is the prefix of the region: `HttpStore` would add it to every key that it
        // lists.
        .with_url(&region.url[..Position::BeforePath])
        .with_http_connector(RecordingConnector::new(connections))
        .with_client_options(client_options)
        .with_retry(no_retries());
    options.check(options.apply(builder, HttpBuilder::with_config).build())
}

impl OptionKey for ClientConfigKey {
    const STORE: &'static str = "an HTTP store";
    const CREDENTIALS: &'static [(&'static str, Self)] = &[];
    const INSTEAD_OF_CREDENTIALS: &'static [Self] = &[];
}
