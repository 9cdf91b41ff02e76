//! Copies, renames and deletes whose object is missing in some regions.

use failover_testkit::{Fault, Mode, NAMES, calls, independent_regions, key, put, secs, settings};
use object_store::{Error, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverError};
use serde_json::json;

use crate::any_store;

/// Two of four regions have the source, one lacks it, and one is drained.
#[tokio::test(start_paused = true)]
async fn copy_and_rename_ask_one_region_at_a_time() {
    for renames in [false, true] {
        let (regions, builder) = independent_regions(4);
        let store = any_store(builder);
        store.drain(NAMES[3]).unwrap();
        for region in &regions[1..3] {
            region.set(Mode::Slow(secs(1)));
        }
        let (to, mut searches) = ("to".into(), 0);
        for turn in 0..6 {
            for region in &regions[1..] {
                put(region, "v").await;
            }
            let before = calls(&regions);
            match renames {
                true => store.rename(&key(), &to).await.unwrap(),
                false => store.copy(&key(), &to).await.unwrap(),
            }
            let asked: Vec<_> = calls(&regions)
                .iter()
                .zip(before)
                .map(|(after, before)| after - before)
                .collect();
            assert_eq!(asked[1] + asked[2], 1, "renames {renames}, turn {turn}");
            searches += asked[0];
        }
        assert!(searches > 0, "no call began where the source is missing");
        assert_eq!(regions[3].calls(), 0, "it is drained");
    }
}

#[tokio::test(start_paused = true)]
async fn retried_copy_asks_one_region_at_a_time() {
    let (regions, builder) = independent_regions(4);
    let rounds = settings(json!({"rounds": 2, "base_delay": "10ms"}));
    let store = any_store(builder.retry(rounds));
    store.drain(NAMES[3]).unwrap();
    for region in &regions[1..] {
        put(region, "v").await;
        region.next([Mode::Fail(Fault::Connect)]);
        region.set(Mode::Slow(secs(1)));
    }
    store.copy(&key(), &"to".into()).await.unwrap();
    let asked = calls(&regions);
    assert_eq!(asked[1] + asked[2], 3, "both, and one of them again");
    assert_eq!((asked[0], asked[3]), (1, 0));
}

/// The drained region may have the source: its absence is not certain.
#[tokio::test(start_paused = true)]
async fn missing_source_is_not_sought_in_drained_regions() {
    let (regions, builder) = independent_regions(3);
    let store = any_store(builder);
    store.drain(NAMES[2]).unwrap();
    put(&regions[2], "v").await;
    let to = "to".into();
    for error in [
        store.copy(&key(), &to).await.unwrap_err(),
        store.rename(&key(), &to).await.unwrap_err(),
    ] {
        let cause = FailoverError::find(&error);
        let undecided = matches!(cause, Some(FailoverError::Undecided { .. }));
        assert!(undecided, "{error:?}");
    }
    assert_eq!(calls(&regions), [2, 2, 0]);
}

#[tokio::test(start_paused = true)]
async fn delete_continues_where_its_object_may_be() {
    let (regions, builder) = independent_regions(3);
    let store = any_store(builder);
    // As stores do that report a missing object.
    let missing = Mode::Fail(Fault::Status(404, "NoSuchKey"));
    regions[0].set(missing);
    regions[1].set(missing);
    for _ in 0..6 {
        put(&regions[2], "v").await;
        store.delete(&key()).await.unwrap();
        regions[2].bucket().head(&key()).await.unwrap_err();
    }
    assert_eq!(regions[2].calls(), 6);
    assert!(
        calls(&regions)[..2]
            .iter()
            .all(|asked| (2..6).contains(asked))
    );
    regions[2].set(missing);
    let before = calls(&regions);
    let error = store.delete(&key()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    let after = calls(&regions);
    assert!(
        before
            .iter()
            .zip(after)
            .all(|(before, after)| before + 1 == after)
    );
    for region in store.health().regions {
        assert_eq!(
            (region.failures, region.write.state),
            (0, CircuitState::Closed)
        );
    }
}
