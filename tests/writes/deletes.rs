//! Deletes: best effort, without a circuit, one result per path in the order of the input.

use failover_testkit::{Fault, Mode, calls, key, put, replicas, secs};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverStore, FailoverStoreBuilder};
use tokio::time::Instant;

use crate::{DOWN, any_store, home_store};

#[tokio::test(start_paused = true)]
async fn deletes_have_no_circuit_and_keep_order() {
    for build in [
        home_store as fn(FailoverStoreBuilder) -> FailoverStore,
        any_store,
    ] {
        let (regions, builder) = replicas(3);
        let store = build(builder);
        let paths: Vec<Path> = (0..50).map(|n| Path::from(format!("k{n:02}"))).collect();
        for path in &paths {
            regions[0].bucket().put(path, "v".into()).await.unwrap();
        }
        let input = stream::iter(paths.clone().into_iter().map(Ok)).boxed();
        let deleted: Vec<_> = store.delete_stream(input).try_collect().await.unwrap();
        assert_eq!(deleted, paths);
        assert_eq!(regions[0].bucket().list(None).count().await, 0);
        regions.iter().for_each(|region| region.set(DOWN));
        for _ in 0..10 {
            store.delete(&key()).await.unwrap_err();
        }
        for region in store.health().regions {
            assert_eq!(region.write.state, CircuitState::Closed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn delete_fails_over_only_under_any() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = any_store(builder);
    regions[0].set(DOWN);
    regions[1].set(Mode::Fail(Fault::Reset));
    store.delete(&key()).await.unwrap();
    let (regions, builder) = replicas(3);
    let store = home_store(builder);
    regions[1].set(DOWN);
    store.delete(&key()).await.unwrap_err();
    assert_eq!(calls(&regions), [0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn hanging_home_ends_the_delete_stream() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder);
    regions[1].set(Mode::Hang);
    let began = Instant::now();
    let error = store.delete(&key()).await.unwrap_err();
    assert_eq!(began.elapsed(), secs(30));
    assert!(error.to_string().contains("eu-west-1"), "{error}");
}

/// The timeout must not include the time that the caller takes to produce the next path.
#[tokio::test(start_paused = true)]
async fn slow_input_is_not_a_hanging_home() {
    let (regions, builder) = replicas(2);
    let store = home_store(builder);
    for name in ["a", "b"] {
        regions[0]
            .bucket()
            .put(&name.into(), "v".into())
            .await
            .unwrap();
    }
    let paths = stream::iter(["a", "b"]).then(|name| async move {
        tokio::time::sleep(secs(100)).await;
        Ok(Path::from(name))
    });
    let deleted: Vec<_> = store
        .delete_stream(paths.boxed())
        .try_collect()
        .await
        .unwrap();
    assert_eq!(deleted.len(), 2);
}
