//! Limits of the store and of the call: a region that they cut off was not out of reach.

use failover_testkit::*;
use object_store::{Error, ObjectStore};
use object_store_failover::CircuitState::Closed;
use object_store_failover::{FailoverError, NotFoundPolicy};
use serde_json::json;

use crate::{pinned, within};

fn is_undecided(error: &Error) -> bool {
    matches!(failover_error(error), FailoverError::Undecided { .. })
}

#[tokio::test(start_paused = true)]
async fn own_deadline_leaves_reachable_undecided() {
    let (regions, builder) = independent_regions(2);
    put(&regions[1], "v").await;
    regions[1].set(Mode::Slow(ms(50)));
    let store = builder
        .not_found(NotFoundPolicy::Reachable)
        .build()
        .unwrap();
    for _ in 0..2 {
        let result = store.get_opts(&key(), within(ms(20))).await;
        let error = result.unwrap_err();
        assert!(is_undecided(&error), "{error:?}");
    }
    assert_eq!(calls(&regions), [2, 2]);
    assert_eq!(circuits(&store), [Closed; 2]);
    // The same regions decide once the call waits for them.
    assert_eq!(read(&store).await.unwrap(), "v");
}

#[tokio::test(start_paused = true)]
async fn throttle_limit_leaves_reachable_undecided() {
    let (regions, builder) = independent_regions(2);
    put(&regions[1], "0123456789").await;
    let store = builder
        .not_found(NotFoundPolicy::Reachable)
        .throttle(settings(json!({"max_in_flight": 1})))
        .build()
        .unwrap();
    let held = store.get_opts(&key(), pinned(NAMES[1])).await.unwrap();
    for _ in 0..2 {
        let error = read(&store).await.unwrap_err();
        assert!(is_undecided(&error), "{error:?}");
        let line = error.to_string();
        assert!(line.contains("eu-west-1: skipped, at its limit"), "{line}");
    }
    assert_eq!(calls(&regions), [2, 1]);
    drop(held);
    assert_eq!(read(&store).await.unwrap(), "0123456789");
}
