//! Bulk deletes: their limits, their attempts, and stores that do not respond.

use std::time::Duration;

use failover_testkit::*;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, Result};
use object_store_failover::CallOptions;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use crate::{any_store, home_store};

/// Paths from a channel: their stream stays open while the sender waits for results.
fn fed() -> (
    mpsc::UnboundedSender<Path>,
    BoxStream<'static, Result<Path>>,
) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let paths = stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|path| (Ok(path), receiver))
    });
    (sender, paths.boxed())
}

#[tokio::test(start_paused = true)]
async fn hanging_deletes_end_while_their_feeder_waits() {
    for (at_home, in_flight) in [(true, 8), (false, 16)] {
        let (regions, builder) = independent_regions(2);
        regions.iter().for_each(|region| region.set(Mode::Hang));
        let store = if at_home {
            home_store(builder)
        } else {
            any_store(builder)
        };
        let (feeder, paths) = fed();
        let mut deleted = store.delete_stream(paths);
        for n in 0..40 {
            feeder.send(Path::from(format!("k{n}"))).unwrap();
            // One by one, so that each is a batch of its own.
            assert!(deleted.next().now_or_never().is_none());
        }
        let sent: u64 = calls(&regions).iter().sum();
        assert_eq!(sent, in_flight, "at home: {at_home}");
        for n in 0..40 {
            let result = timeout(secs(3600), deleted.next()).await;
            let result = result.unwrap_or_else(|_| panic!("nothing for an hour after {n}"));
            result.unwrap().unwrap_err();
        }
        assert!(
            deleted.next().now_or_never().is_none(),
            "the feeder is there"
        );
        drop(feeder);
        assert!(deleted.next().await.is_none());
        let health = store.health().regions;
        assert!(health.iter().all(|region| region.in_flight == 0));
    }
}

#[tokio::test(start_paused = true)]
async fn deletes_at_home_respect_max_in_flight() {
    let (regions, builder) = replicas(2);
    put(&regions[1], "value").await;
    let store = home_store(builder.throttle(settings(json!({"max_in_flight": 1}))));
    // The body of this read holds the only place.
    let mut options = GetOptions::default();
    options.extensions.insert(CallOptions {
        pin: Some("eu-west-1".into()),
        ..Default::default()
    });
    let body = store.get_opts(&key(), options).await.unwrap();
    assert_eq!(regions[1].log(), ["get_opts"]);
    let path = key();
    let mut deleted = Box::pin(store.delete(&path));
    assert!(timeout(secs(1), &mut deleted).await.is_err());
    assert_eq!(regions[1].calls(), 1, "the delete waits");
    drop(body);
    deleted.await.unwrap();
    assert_eq!(regions[1].log(), ["delete_stream"]);
    regions[1].bucket().head(&key()).await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn deletes_at_home_count_their_attempts() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder);
    put(&regions[1], "v").await;
    store.delete(&key()).await.unwrap();
    regions[1].fail();
    store.delete(&key()).await.unwrap_err();
    let home = &store.health().regions[1];
    let counts = (home.attempts, home.successes, home.failures, home.in_flight);
    assert_eq!(counts, (2, 1, 1, 0));
    assert_eq!(store.health().regions[0].attempts, 0);
}

#[tokio::test(start_paused = true)]
async fn throttled_delete_at_home_slows_the_throttle() {
    let failed = time_of_deletes_after(Fault::Status(500, "InternalError")).await;
    let throttled = time_of_deletes_after(Fault::Status(503, "SlowDown")).await;
    assert!(
        throttled > failed * 3 / 2,
        "{throttled:?} after throttling, {failed:?} after another failure"
    );
}

/// How long six deletes take at ten a second, after one that ends with `fault`.
async fn time_of_deletes_after(fault: Fault) -> Duration {
    let (regions, builder) = replicas(2);
    let store = home_store(builder.throttle(settings(json!({"writes_per_second": 10}))));
    regions[1].next([Mode::Fail(fault)]);
    store.delete(&key()).await.unwrap_err();
    let began = Instant::now();
    for _ in 0..6 {
        store.delete(&key()).await.unwrap();
    }
    began.elapsed()
}
