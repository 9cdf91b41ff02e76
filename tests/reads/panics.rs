//! A panic below the store is a failed attempt; no input of a caller makes the store panic.

use failover_testkit::*;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store_failover::{CircuitState, FailoverError, FailureClass};

const PANIC: Mode = Mode::Fail(Fault::Panic("no scheme in the endpoint"));

#[tokio::test(start_paused = true)]
async fn panic_in_a_region_is_a_failed_attempt() {
    let (regions, builder) = replicas(2);
    put(&regions[1], "v").await;
    regions[0].set(PANIC);
    let store = builder.build().unwrap();
    for _ in 0..10 {
        assert_eq!(read(&store).await.unwrap(), "v");
    }
    assert_eq!(
        circuits(&store),
        [CircuitState::Open, CircuitState::Closed],
        "another region serves the same requests"
    );
}

#[tokio::test(start_paused = true)]
async fn panic_in_a_listing_is_a_failed_attempt() {
    let (regions, builder) = replicas(2);
    put(&regions[1], "v").await;
    regions[0].set(PANIC);
    let store = builder.build().unwrap();
    for _ in 0..4 {
        let items: Vec<_> = store.list(None).try_collect().await.unwrap();
        assert_eq!(items.len(), 1);
    }
    assert!(store.health().regions[0].failures > 0);
}

#[tokio::test(start_paused = true)]
async fn panic_everywhere_is_reported_with_its_text() {
    let (regions, builder) = replicas(2);
    regions.iter().for_each(|region| region.set(PANIC));
    let store = builder.build().unwrap();
    let error = read(&store).await.unwrap_err();
    let FailoverError::AllRegionsFailed { attempts, .. } = failover_error(&error) else {
        panic!("{error}")
    };
    for region in &NAMES[..2] {
        let report = attempts.iter().find(|report| *report.region == **region);
        let failure = report.and_then(|report| report.failure()).unwrap();
        assert_eq!(failure.class(), FailureClass::Unknown, "{error}");
    }
    let line = error.to_string();
    assert!(line.contains("no scheme in the endpoint"), "{line}");
}

#[tokio::test(start_paused = true)]
async fn empty_range_past_the_end_is_an_error() {
    let (regions, builder) = replicas(1);
    put(&regions[0], "abc").await;
    let store = builder.build().unwrap();
    let past_the_end = store.get_ranges(&key(), &[0..5, 5..5]).await;
    let error = past_the_end.unwrap_err().to_string();
    assert!(error.contains("object was only 3 bytes long"), "{error}");
    let at_the_end = store.get_ranges(&key(), &[0..5, 3..3]).await;
    assert_eq!(at_the_end.unwrap(), ["abc", ""]);
}
