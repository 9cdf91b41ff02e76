//! Overrides and calls that wait for a trial in flight.

use failover_testkit::{Mode, circuits, ms, put, read, replicas, secs};
use object_store_failover::CircuitState;

use crate::UNHEALTHY;

/// Two reads wait for a trial. The region is excluded before the trial succeeds, so that its
/// success must not admit them.
#[tokio::test(start_paused = true)]
async fn waiters_are_not_admitted_to_an_excluded_region() {
    for force_open in [false, true] {
        let (regions, builder) = replicas(1);
        put(&regions[0], "value").await;
        let store = builder.build().unwrap();
        regions[0].fail();
        while circuits(&store)[0] != CircuitState::Open {
            read(&store).await.unwrap_err();
        }
        tokio::time::advance(secs(2)).await;
        regions[0].set(Mode::Slow(ms(500)));
        let before = regions[0].calls();
        let exclude = async {
            tokio::time::sleep(ms(100)).await;
            if force_open {
                store.force_open(UNHEALTHY, None).unwrap();
            } else {
                store.drain(UNHEALTHY).unwrap();
            }
        };
        let waiters = futures::future::join(read(&store), read(&store));
        let waiters = tokio::time::timeout(secs(60), waiters);
        let (trial, waiters, ()) = tokio::join!(read(&store), waiters, exclude);
        assert_eq!(
            trial.unwrap(),
            "value",
            "a request in flight is not cancelled"
        );
        let (first, second) = waiters.expect("waiters must end");
        assert!(first.is_err() && second.is_err());
        assert_eq!(regions[0].calls() - before, 1, "only the trial");
    }
}
