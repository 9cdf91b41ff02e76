//! `object_store` as a client: of one region, and of a proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::{Access, Limits};

type Store = Arc<dyn ObjectStore>;

/// Backoff through a proxy: short, because a retry reaches another region; not zero, because all
/// regions may be overloaded.
const PROXY_BACKOFF: Duration = Duration::from_millis(5);
const PROXY_BACKOFF_MAX: Duration = Duration::from_millis(200);

/// Backoff with one region: a retry waits for this region to recover.
const DIRECT_BACKOFF: Duration = Duration::from_millis(50);
const DIRECT_BACKOFF_MAX: Duration = Duration::from_secs(1);

/// The defaults of `object_store`: 10 retries within 180 s, and 30 s a request, body included.
pub(super) fn plain(address: SocketAddr, access: &Access) -> Result<Store, String> {
    build(client(address, access).with_client_options(ClientOptions::new().with_allow_http(true)))
}

/// One region with the limits of the other clients. Retries end by time instead of by count, so
/// that a region that is down briefly is reached again within `total`.
pub(super) fn tight(
    address: SocketAddr,
    access: &Access,
    limits: &Limits,
) -> Result<Store, String> {
    let patience = limits.attempt.min(limits.stall);
    let retry = retries(DIRECT_BACKOFF, DIRECT_BACKOFF_MAX, limits);
    build(
        client(address, access)
            .with_retry(retry)
            .with_client_options(options(patience, limits)),
    )
}

/// A client of a proxy. The proxy detects failing regions, so the read timeout covers all attempts
/// that the proxy may make. The client retries as well: no proxy resumes an interrupted body, and a
/// proxy that shut down the sessions of a dead region returns 503 instead of retrying.
pub(super) fn through_proxy(
    address: SocketAddr,
    access: &Access,
    limits: &Limits,
    regions: usize,
) -> Result<Store, String> {
    let attempts = u32::try_from(regions).unwrap_or(u32::MAX);
    let patience = limits
        .attempt
        .saturating_mul(attempts)
        .saturating_add(limits.connect)
        .min(limits.total)
        .max(limits.stall);
    let retry = retries(PROXY_BACKOFF, PROXY_BACKOFF_MAX, limits);
    build(
        client(address, access)
            .with_retry(retry)
            .with_client_options(options(patience, limits)),
    )
}

fn client(address: SocketAddr, access: &Access) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(format!("http://{address}"))
        .with_bucket_name(&access.bucket)
        .with_region(&access.region)
        .with_access_key_id(&access.key)
        .with_secret_access_key(&access.secret)
        .with_virtual_hosted_style_request(false)
}

fn build(builder: AmazonS3Builder) -> Result<Store, String> {
    let store: AmazonS3 = builder
        .build()
        .map_err(|error| format!("cannot build the client: {error}"))?;
    Ok(Arc::new(store))
}

/// `patience` limits the wait for the response headers and for each part of the body, for which
/// `object_store` has one setting. The limit for the whole body is off, as in a `FailoverStore`: a
/// large object over a slow link is not a failure.
fn options(patience: Duration, limits: &Limits) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(true)
        .with_connect_timeout(limits.connect.min(limits.attempt))
        .with_read_timeout(patience)
        .with_timeout_disabled()
}

fn retries(first: Duration, longest: Duration, limits: &Limits) -> RetryConfig {
    let backoff = BackoffConfig {
        init_backoff: first,
        max_backoff: longest,
        base: 2.0,
    };
    RetryConfig {
        backoff,
        max_retries: 100,
        retry_timeout: limits.total,
    }
}
