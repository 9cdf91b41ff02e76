//! The gauge `region_failing`: only attempts that began after the last change count.

use failover_testkit::{Mode, Scripted, circuits, key, ms, read, secs};
use object_store::{GetResult, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverStore};
use tokio::time::advance;

use super::{gauges, read_until_called, recorded_store};
use crate::UNHEALTHY;

/// An unread response of this region.
async fn unread_response(store: &FailoverStore, region: &Scripted) -> GetResult {
    loop {
        let before = region.calls();
        let result = store.get(&key()).await.unwrap();
        if region.calls() > before {
            return result;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn success_begun_before_outage_does_not_end_it() {
    let (regions, store, recorded, _guard) = recorded_store().await;
    let old_response = unread_response(&store, &regions[0]).await;
    let labels = [("bucket_region", UNHEALTHY)];
    let last_success = || {
        recorded
            .gauge("last_success_timestamp_seconds", &labels)
            .unwrap()
    };
    regions[0].fail();
    read_until_called(&store, &regions[0], 5).await;
    assert_eq!((gauges(&recorded)[0], last_success()), (1.0, 0.0));
    // A body that is dropped while its caller is not waiting counts as delivered.
    drop(old_response);
    assert_eq!((gauges(&recorded)[0], last_success()), (1.0, 0.0));
    assert_eq!(store.health().regions[0].failing_in_a_row, 5);
    let wanted = format!("bucket_region={UNHEALTHY} operation=get result=success: 1");
    assert!(recorded.counts("attempts_total").contains(&wanted));
}

#[tokio::test(start_paused = true)]
async fn failure_begun_before_recovery_does_not_undo_it() {
    let (regions, store, recorded, _guard) = recorded_store().await;
    regions[0].next([Mode::BreakAfter(1)]);
    let old_response = unread_response(&store, &regions[0]).await;
    regions[0].fail();
    read_until_called(&store, &regions[0], 5).await;
    regions[0].serve();
    advance(secs(40)).await;
    read_until_called(&store, &regions[0], 2).await;
    assert_eq!(gauges(&recorded)[..2], [0.0, 0.0]);
    // The body breaks now, and the other region serves the rest.
    assert_eq!(old_response.bytes().await.unwrap(), "value");
    assert_eq!(gauges(&recorded)[0], 0.0);
    assert_eq!(store.health().regions[0].failing_in_a_row, 0);
}

/// Silent bodies open the circuit before they break, and nothing else is sent to the region then:
/// their failures must count although they end after the transition.
#[tokio::test(start_paused = true)]
async fn silent_bodies_mark_the_region_failing() {
    let (regions, store, recorded, _guard) = recorded_store().await;
    read_until_called(&store, &regions[0], 1).await;
    regions[0].set(Mode::StallAfter(1));
    // Responses of the other region are what makes silence evidence against this one.
    let heads = async {
        while circuits(&store)[0] == CircuitState::Closed {
            tokio::time::sleep(ms(20)).await;
            store.head(&key()).await.unwrap();
        }
    };
    let reads = futures::future::join_all((0..20).map(|_| read(&store)));
    let ((), reads) = tokio::join!(heads, reads);
    assert!(reads.iter().all(Result::is_ok));
    assert_eq!(circuits(&store)[0], CircuitState::Open);
    assert_eq!(gauges(&recorded)[0], 1.0);
}
