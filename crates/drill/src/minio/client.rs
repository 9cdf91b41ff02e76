//! S3 clients of one cluster.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, ObjectStore, RetryConfig};

use super::credentials::Credentials;

/// A client that observes the cluster: without retries, which would hide faults, and without
/// proxying, which would hide missing keys.
pub(super) fn probe(
    credentials: &Credentials,
    address: SocketAddr,
    bucket: &str,
) -> Result<AmazonS3, String> {
    let off = (
        HeaderName::from_static("x-minio-source-proxy-request"),
        HeaderValue::from_static("false"),
    );
    let options = options().with_default_headers(HeaderMap::from_iter([off]));
    builder(credentials, address, bucket)
        .with_client_options(options)
        .build()
        .map_err(|error| format!("no client for {address}: {error}"))
}

/// A client with retries, for the drill's own writes.
pub(super) fn writer(
    credentials: &Credentials,
    address: SocketAddr,
    bucket: &str,
) -> Result<Arc<dyn ObjectStore>, String> {
    let options = options().with_timeout(PUT_LIMIT);
    let retry = RetryConfig {
        max_retries: 3,
        retry_timeout: PUT_LIMIT,
        ..RetryConfig::default()
    };
    let built = builder(credentials, address, bucket)
        .with_client_options(options)
        .with_retry(retry)
        .build();
    built
        .map(|store| Arc::new(store) as _)
        .map_err(|error| format!("no client for {address}: {error}"))
}

fn builder(credentials: &Credentials, address: SocketAddr, bucket: &str) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(format!("http://{address}"))
        .with_bucket_name(bucket)
        .with_region("us-east-1")
        .with_access_key_id(&credentials.key)
        .with_secret_access_key(&credentials.secret)
        .with_virtual_hosted_style_request(false)
        .with_retry(RetryConfig {
            max_retries: 0,
            ..RetryConfig::default()
        })
}

fn options() -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(true)
        .with_timeout_disabled()
        .with_connect_timeout(Duration::from_secs(2))
}

/// Above the 5 s after which a cluster without write quorum returns 503.
const PUT_LIMIT: Duration = Duration::from_secs(30);
