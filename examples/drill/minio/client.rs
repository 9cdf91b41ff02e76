//! Clients of one cluster.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use super::login::Login;

/// For what asks about the cluster itself: it shows every fault as it is, and does not ask the others for what it lacks.
pub(super) fn probe(login: &Login, address: SocketAddr, bucket: &str) -> Result<AmazonS3, String> {
    let off = (HeaderName::from_static("x-minio-source-proxy-request"), HeaderValue::from_static("false"));
    let options = options().with_default_headers(HeaderMap::from_iter([off]));
    builder(login, address, bucket).with_client_options(options).build().map_err(|error| format!("no client for {address}: {error}"))
}

/// Retries: what it writes is the drill's ground, not its subject.
pub(super) fn writer(login: &Login, address: SocketAddr, bucket: &str) -> Result<Arc<dyn ObjectStore>, String> {
    let options = options().with_timeout(PUT_LIMIT);
    let retry = RetryConfig { max_retries: 3, retry_timeout: PUT_LIMIT, ..RetryConfig::default() };
    let built = builder(login, address, bucket).with_client_options(options).with_retry(retry).build();
    built.map(|store| Arc::new(store) as _).map_err(|error| format!("no client for {address}: {error}"))
}

fn builder(login: &Login, address: SocketAddr, bucket: &str) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(format!("http://{address}"))
        .with_bucket_name(bucket)
        .with_region("us-east-1")
        .with_access_key_id(&login.key)
        .with_secret_access_key(&login.secret)
        .with_virtual_hosted_style_request(false)
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
}

fn options() -> ClientOptions {
    ClientOptions::new().with_allow_http(true).with_timeout_disabled().with_connect_timeout(Duration::from_secs(2))
}

/// A write to a cluster of which two nodes are dead ends in 503 after 5 s.
const PUT_LIMIT: Duration = Duration::from_secs(30);
