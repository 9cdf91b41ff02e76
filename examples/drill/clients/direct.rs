//! The clients in this process: object_store by itself, and towards a proxy.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};

use super::{Access, Limits};

type Store = Arc<dyn ObjectStore>;

/// A retry meets another region, so it need not wait for one to recover; it waits at all because all may be overloaded.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);

/// Whoever has one region only waits for that one.
const FIRST_PAUSE_ALONE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE_ALONE: Duration = Duration::from_secs(1);

/// What most people have: the defaults, which are 10 retries within 180 s and 30 s a request, body included.
pub(super) fn plain(address: SocketAddr, access: &Access) -> Result<Store, String> {
    build(client(address, access).with_client_options(ClientOptions::new().with_allow_http(true)))
}

/// The same with the limits of the others. More retries than the default, for they end by time: a region that is away for a moment is
/// to be met again within `total`.
pub(super) fn tight(address: SocketAddr, access: &Access, limits: &Limits) -> Result<Store, String> {
    let patience = limits.attempt.min(limits.stall);
    let retry = retries(FIRST_PAUSE_ALONE, LONGEST_PAUSE_ALONE, limits);
    build(client(address, access).with_retry(retry).with_client_options(options(patience, limits)))
}

/// Towards a proxy. It is the proxy that notices what is wrong with a region; the client's patience covers all attempts that the
/// proxy may make, or it would leave before the answer. The client retries nevertheless: a body that breaks is finished by nobody else,
/// and a proxy that has shut down a session of a dead region answers 503 rather than trying again.
pub(super) fn through_proxy(address: SocketAddr, access: &Access, limits: &Limits, regions: usize) -> Result<Store, String> {
    let attempts = u32::try_from(regions).unwrap_or(u32::MAX);
    let patience = limits.attempt.saturating_mul(attempts).saturating_add(limits.connect).min(limits.total).max(limits.stall);
    let retry = retries(FIRST_PAUSE, LONGEST_PAUSE, limits);
    build(client(address, access).with_retry(retry).with_client_options(options(patience, limits)))
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
    let store: AmazonS3 = builder.build().map_err(|error| format!("the client could not be made: {error}"))?;
    Ok(Arc::new(store))
}

/// `patience` is for the head of an answer and for each piece of its body: object_store has no separate limits. The one for the whole
/// body is off, as it is for a `FailoverStore`: a large object on a busy day is no fault.
fn options(patience: Duration, limits: &Limits) -> ClientOptions {
    ClientOptions::new()
        .with_allow_http(true)
        .with_connect_timeout(limits.connect.min(limits.attempt))
        .with_read_timeout(patience)
        .with_timeout_disabled()
}

fn retries(first: Duration, longest: Duration, limits: &Limits) -> RetryConfig {
    let backoff = BackoffConfig { init_backoff: first, max_backoff: longest, base: 2.0 };
    RetryConfig { backoff, max_retries: 100, retry_timeout: limits.total }
}
