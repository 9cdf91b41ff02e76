//! Multipart uploads and the timeouts of large writes.

use failover_testkit::{Fault, Mode, NAMES, independent_regions, key, replicas, secs, settings};
use object_store::{MultipartUpload, ObjectStoreExt};
use serde_json::json;
use tokio::time::Instant;

use crate::{DOWN, any_store, home_store, indeterminate_region};

#[tokio::test(start_paused = true)]
async fn upload_stays_in_the_region_that_began_it() {
    let (regions, builder) = independent_regions(3);
    let store = any_store(builder);
    regions[0].set(DOWN);
    for _ in 0..2 {
        let mut upload = store.put_multipart(&key()).await.unwrap();
        let is_second = format!("{upload:?}").contains("eu-west-1");
        let region = if is_second { 1 } else { 2 };
        upload.put_part("part".into()).await.unwrap();
        regions[region].set(Mode::Fail(Fault::Reset));
        let error = upload.put_part("part".into()).await.unwrap_err();
        assert!(error.to_string().contains(NAMES[region]), "{error}");
        // The request to complete may have taken effect before the connection was reset.
        let error = upload.complete().await.unwrap_err();
        assert_eq!(indeterminate_region(&error), Some(NAMES[region]));
        assert_eq!(
            store.health().regions[region].failures,
            2,
            "part and completion"
        );
        regions[region].serve();
        upload.abort().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn parts_upload_concurrently_and_time_out() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder);
    let mut upload = store.put_multipart(&key()).await.unwrap();
    let parts = ["a", "b", "c"].map(|part| upload.put_part(part.into()));
    futures::future::try_join_all(parts).await.unwrap();
    upload.complete().await.unwrap();
    let stored = regions[1].bucket().get(&key()).await.unwrap();
    assert_eq!(stored.bytes().await.unwrap(), "abc");
    let mut upload = store.put_multipart(&key()).await.unwrap();
    regions[1].set(Mode::Hang);
    let began = Instant::now();
    upload.put_part(vec![0; 3 << 20].into()).await.unwrap_err();
    assert_eq!(
        began.elapsed(),
        secs(33),
        "30 s and one second for each MiB"
    );
}

#[tokio::test(start_paused = true)]
async fn put_timeout_grows_by_a_second_per_mib() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder.retry(settings(json!({"enabled": false}))));
    regions[1].set(Mode::Hang);
    let began = Instant::now();
    store
        .put(&key(), vec![0; 10 << 20].into())
        .await
        .unwrap_err();
    assert_eq!(began.elapsed(), secs(40));
    let region = &store.health().regions[1];
    assert_eq!(region.failures, 1);
    assert_eq!(
        region.read.consecutive_failures, 0,
        "the read circuit counts no writes"
    );
}

#[tokio::test(start_paused = true)]
async fn abort_times_out_without_counting_a_failure() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder);
    let mut upload = store.put_multipart(&key()).await.unwrap();
    regions[1].set(Mode::Hang);
    let began = Instant::now();
    upload.abort().await.unwrap_err();
    assert_eq!(began.elapsed(), secs(30));
    assert_eq!(store.health().regions[1].write.consecutive_failures, 0);
}
