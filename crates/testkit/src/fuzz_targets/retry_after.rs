//! `Retry-After`: its parsed value, and that a call never outlasts its deadline because of it.
//!
//! Input: a response.

use object_store::ObjectStoreExt;
use tokio::time::Instant;

use super::client::{Region, regions};
use super::response::Response;
use super::{checks, run};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<Region> = regions();
    }
    let response = Response::parse(data);
    REGIONS.with(|regions| {
        regions
            .iter()
            .for_each(|region| run(check(region, &response)))
    });
}

async fn check(region: &Region, response: &Response) {
    region.respond_with(response);
    let started_at = Instant::now();
    let Err(error) = region.store.get(&"k".into()).await else {
        return;
    };
    assert!(
        started_at.elapsed().as_secs() <= TOTAL_SECONDS,
        "a call must end"
    );
    let retry_after = checks::failure(&error)
        .retry_after()
        .map(|time| time.as_secs());
    match response.header("retry-after").map(str::trim) {
        None => assert_eq!(retry_after, None, "no header was sent"),
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let seconds = text.parse::<u64>().ok().filter(|seconds| *seconds <= YEAR);
            // A final result (304, 404 ...) carries no `Retry-After`.
            assert!(
                retry_after == seconds
                    || object_store_failover::FailoverError::find(&error).is_none(),
                "{retry_after:?} of {text}"
            );
        }
        Some(text) if retry_after.is_some() => assert!(
            text.contains(' ') && text.contains(':'),
            "{retry_after:?} of {text}, which is not a date"
        ),
        Some(_) => {}
    }
}

/// The default `timeouts.total`.
const TOTAL_SECONDS: u64 = 30;
const YEAR: u64 = 86_400 * 365;
