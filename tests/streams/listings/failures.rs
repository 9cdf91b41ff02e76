//! Listings that end with an error, and what is recorded for their regions.

use std::collections::BTreeSet;

use failover_testkit::*;
use futures::StreamExt;
use object_store::ObjectStore;
use object_store_failover::{CircuitState, FailoverError, Failure, FailureClass};
use serde_json::json;

use super::{KEYS, fill, list, list_until_error, without_breaker};

#[tokio::test(start_paused = true)]
async fn resumed_listing_returns_the_next_regions_keys() {
    let (regions, builder) = independent_regions(2);
    fill(&regions[0], &["a", "b", "c", "d"]).await;
    fill(&regions[1], &["a", "aa", "d", "e"]).await;
    regions[0].set(Mode::BreakAfter(2));
    let store = builder.build().unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        seen.insert(list(&store).await.unwrap().concat());
    }
    assert_eq!(seen, BTreeSet::from(["abde".into(), "aaade".into()]));
}

#[tokio::test(start_paused = true)]
async fn unresumable_listing_error_names_every_region() {
    let (regions, builder) = replicas(3);
    fill(&regions[0], &KEYS).await;
    let store = builder.build().unwrap();
    for region in &regions {
        region.fail();
        region.next([Mode::BreakAfter(1)]);
    }
    let (keys, error) = list_until_error(&store).await;
    assert_eq!(keys, KEYS[..3]);
    let error = error.unwrap().to_string();
    assert!(
        NAMES[..3].iter().all(|name| error.contains(name)),
        "{error}"
    );
    assert!(
        error.contains("list of everything: all regions failed"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn listing_broken_everywhere_opens_no_circuit() {
    for breaker in [json!({}), json!({"enabled": false})] {
        let (regions, _) = replicas(3);
        fill(&regions[0], &KEYS).await;
        regions
            .iter()
            .for_each(|region| region.set(Mode::BreakAfter(3)));
        let store = over(&regions, &[false; 3])
            .breaker(settings(breaker))
            .build()
            .unwrap();
        let (keys, error) = list_until_error(&store).await;
        let error = error.unwrap();
        let FailoverError::ListingLost {
            path,
            after,
            source,
            ..
        } = failover_error(&error)
        else {
            panic!("{error}")
        };
        assert_eq!(keys.len(), 3);
        assert_eq!((path.as_str(), after.as_str()), ("of everything", "a/x"));
        assert!(source.to_string().contains("reset"), "{source}");
        assert_eq!(Failure::of(&error).class(), FailureClass::Interrupted);
        assert_eq!(calls(&regions), [1; 3]);
        assert_eq!(circuits(&store), [CircuitState::Closed; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn listing_without_breaker_ends_with_the_budget() {
    // Each break after one key costs retry budget, which starts with ten tokens.
    for (step, delivered) in [(1, 13), (2, 100)] {
        let (regions, builder) = replicas(2);
        for n in 0..100 {
            put_at(&regions[0], &format!("{n:03}")).await;
        }
        regions
            .iter()
            .for_each(|region| region.set(Mode::BreakAfter(step)));
        let (keys, error) = list_until_error(&without_breaker(builder)).await;
        assert_eq!(keys.len(), delivered);
        let lost = matches!(
            failover_error(&error.unwrap()),
            FailoverError::ListingLost { .. }
        );
        assert_eq!(
            lost,
            step == 1,
            "no ListingLost once every key is delivered"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn throttled_page_resumes_and_invalid_key_ends_listing() {
    let (regions, builder) = replicas(2);
    fill(&regions[0], &KEYS).await;
    let store = builder.build().unwrap();
    let throttled = Mode::FailAfter(2, Fault::Status(503, "SlowDown"));
    regions.iter().for_each(|region| region.next([throttled]));
    assert_eq!(list(&store).await.unwrap(), KEYS);
    let bad_key = Mode::FailAfter(2, Fault::BadKey);
    regions.iter().for_each(|region| region.next([bad_key]));
    let (keys, error) = list_until_error(&store).await;
    assert_eq!(keys, KEYS[..2]);
    assert!(
        matches!(error, Some(object_store::Error::InvalidPath { .. })),
        "{error:?}"
    );
    let regions = store.health().regions;
    assert!(regions.iter().all(|region| region.failures == 0));
}

#[tokio::test(start_paused = true)]
async fn dropped_listing_succeeds_unless_caller_was_waiting() {
    let (regions, builder) = replicas(1);
    fill(&regions[0], &KEYS).await;
    let store = builder.build().unwrap();
    let mut items = store.list(None);
    items.next().await.unwrap().unwrap();
    drop(items);
    regions[0].set(Mode::StallAfter(1));
    let waited = tokio::time::timeout(secs(5), store.list(None).collect::<Vec<_>>()).await;
    assert!(waited.is_err());
    let region = &store.health().regions[0];
    assert_eq!(
        (region.successes, region.failures, region.in_flight),
        (1, 0, 0)
    );
}
