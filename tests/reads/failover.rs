//! Which regions a read tries, and what its error or result reports.

use failover_testkit::*;
use futures::TryStreamExt;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::health::Event;
use object_store_failover::{CircuitState::Closed, FailoverError, ServedBy};
use serde_json::json;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn rotation_spreads_reads_evenly() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    for _ in 0..300 {
        read(&store).await.unwrap();
    }
    assert_eq!(calls(&regions), [100, 100, 100]);
}

#[tokio::test(start_paused = true)]
async fn survivors_share_the_load_of_a_failed_region() {
    let (regions, builder) = replicas(4);
    put(&regions[0], "v").await;
    regions[1].fail();
    let store = builder
        .breaker(settings(json!({"enabled": false})))
        .build()
        .unwrap();
    for _ in 0..1200 {
        read(&store).await.unwrap();
    }
    let calls = calls(&regions);
    assert_eq!(
        calls[1], 300,
        "without a circuit it receives its full share"
    );
    for survivor in [0, 2, 3] {
        assert!((380..=420).contains(&calls[survivor]), "{calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn error_reports_the_attempt_in_every_region() {
    let (regions, builder) = replicas(3);
    regions[0].set(Mode::Fail(Fault::Connect));
    regions[1].set(Mode::Hang);
    regions[2].set(Mode::Fail(Fault::Status(503, "ServiceUnavailable")));
    let store = builder.build().unwrap();
    let error = read(&store).await.unwrap_err();
    let FailoverError::AllRegionsFailed { attempts, .. } = failover_error(&error) else {
        panic!("{error}")
    };
    assert_eq!(attempts.iter().count(), 3);
    let line = error.to_string();
    for part in [
        "get \"folder/key\"",
        "us-east-1: connect failed",
        "eu-west-1: timed out",
        "5.0 s",
        "ap-south-1: 503 ServiceUnavailable",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains('\n'));
}

#[tokio::test(start_paused = true)]
async fn caller_errors_are_final_and_not_recorded() {
    for fault in [
        Fault::Status(416, "InvalidRange"),
        Fault::Status(400, "InvalidArgument"),
        Fault::Status(405, ""),
        Fault::Status(304, ""),
    ] {
        let (regions, builder) = replicas(3);
        regions
            .iter()
            .for_each(|region| region.set(Mode::Fail(fault)));
        let store = builder.build().unwrap();
        for n in 1..=10 {
            read(&store).await.unwrap_err();
            assert_eq!(calls(&regions).iter().sum::<u64>(), n, "{fault:?}");
        }
        assert_eq!(circuits(&store), [Closed; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn rejected_listing_keeps_permission_denied() {
    let (regions, builder) = replicas(2);
    regions.iter().for_each(|region| {
        region.set(Mode::Fail(Fault::Status(403, "AccessDenied")));
    });
    let error = builder
        .build()
        .unwrap()
        .list(None)
        .try_collect::<Vec<_>>()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn unreachable_regions_raise_local_network_suspect() {
    let (regions, builder) = replicas(2);
    let store = builder.build().unwrap();
    let mut events = store.subscribe();
    regions[0].set(Mode::Fail(Fault::Connect));
    regions[1].fail();
    read(&store).await.unwrap_err();
    assert!(events.try_recv().is_err(), "one region responded");
    regions[1].set(Mode::Fail(Fault::Reset));
    read(&store).await.unwrap_err();
    let suspects = std::iter::from_fn(|| events.try_recv().ok())
        .filter(|event| matches!(event, Event::LocalNetworkSuspect { .. }));
    assert_eq!(suspects.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn overrides_exclude_regions_from_reads() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    store.drain("eu-west-1").unwrap();
    for _ in 0..10 {
        read(&store).await.unwrap();
    }
    assert_eq!(calls(&regions), [10, 0]);
    // A region forced open is excluded even when no other region is left.
    store.force_open("us-east-1", Some(secs(60))).unwrap();
    let error = read(&store).await.unwrap_err().to_string();
    assert!(error.contains("us-east-1: skipped, forced open"), "{error}");
    assert!(error.contains("eu-west-1: skipped, drained"), "{error}");
    tokio::time::advance(secs(60)).await;
    read(&store).await.unwrap();
    store.undrain("eu-west-1").unwrap();
    for _ in 0..10 {
        read(&store).await.unwrap();
    }
    assert_eq!(calls(&regions), [16, 5]);
    let error = store.drain("mars").unwrap_err().to_string();
    assert!(error.contains("mars"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn listings_fail_over_before_the_first_item() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    regions[0].fail();
    regions[1].set(Mode::Hang);
    for _ in 0..3 {
        let start = Instant::now();
        let items: Vec<_> = store.list(None).try_collect().await.unwrap();
        assert_eq!(items.len(), 1);
        assert!(start.elapsed() <= secs(15));
        let items = store.list_with_offset(None, &"folder/a".into());
        assert_eq!(items.try_collect::<Vec<_>>().await.unwrap().len(), 1);
        let level = store.list_with_delimiter(None).await.unwrap();
        assert_eq!(level.common_prefixes.len(), 1);
    }
    regions.iter().for_each(|region| region.fail());
    let items = store.list(Some(&"folder".into()));
    let error = items.try_collect::<Vec<_>>().await.unwrap_err().to_string();
    assert!(
        error.contains("list below \"folder\": all regions failed"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn read_only_store_rejects_writes() {
    let (regions, builder) = replicas(2);
    let store = builder.build().unwrap();
    let (a, b) = (key(), "b".into());
    let rejections = [
        store.put(&a, "v".into()).await.unwrap_err(),
        store.put_multipart(&a).await.err().unwrap(),
        store.copy(&a, &b).await.unwrap_err(),
        store.rename(&a, &b).await.unwrap_err(),
        store.delete(&a).await.unwrap_err(),
    ];
    for error in rejections {
        assert!(matches!(error, Error::NotSupported { .. }), "{error:?}");
        assert!(error.to_string().contains("writes.policy"), "{error}");
    }
    assert_eq!(calls(&regions), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn result_names_the_serving_region() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    regions[0].fail();
    let store = builder.build().unwrap();
    let mut attempts = Vec::new();
    for _ in 0..2 {
        let result = store.get(&key()).await.unwrap();
        let served_by = result.extensions.get::<ServedBy>().unwrap();
        assert_eq!((&*served_by.region, served_by.hedged), ("eu-west-1", false));
        attempts.push(served_by.attempts);
    }
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 2]);
}
