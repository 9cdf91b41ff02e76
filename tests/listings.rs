//! Listings that survive their region: whoever lists a quiet bucket sees every key once.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, Result};
use object_store_failover::{CircuitState, FailoverError, FailoverStore, FailoverStoreBuilder, Failure, FailureClass};
use proptest::prelude::*;
use serde_json::json;
use support::*;
use tokio::time::Instant;

fn names(items: Vec<ObjectMeta>) -> Vec<String> {
    items.into_iter().map(|item| item.location.to_string()).collect()
}

async fn list(store: &FailoverStore) -> Result<Vec<String>> {
    store.list(None).try_collect().await.map(names)
}

/// The keys that came, and the error that ended them, if one did.
async fn list_until_error(store: &FailoverStore) -> (Vec<String>, Option<object_store::Error>) {
    let (mut keys, mut error) = (Vec::new(), None);
    let mut items = store.list(None);
    while let Some(item) = items.next().await {
        assert!(error.is_none(), "nothing comes after an error");
        match item {
            Ok(item) => keys.push(item.location.to_string()),
            Err(cause) => error = Some(cause),
        }
    }
    (keys, error)
}

/// Without circuits, which many breaks in a row would open.
fn unbroken(builder: FailoverStoreBuilder) -> FailoverStore {
    builder.breaker(settings(json!({"enabled": false}))).build().unwrap()
}

/// The same, with rounds and time for whatever comes.
fn patient(builder: FailoverStoreBuilder) -> FailoverStore {
    unbroken(builder.retry(settings(json!({"rounds": 12}))).timeouts(settings(json!({"total": "1h"}))))
}

fn sorted(mut keys: Vec<String>) -> Vec<String> {
    keys.sort();
    keys
}

const KEYS: [&str; 6] = ["a", "a-b", "a/x", "b", "ba/c", "c"];

async fn fill(region: &Scripted, keys: &[&str]) {
    for key in keys {
        put_at(region, key).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_break_or_stall_after_any_item_loses_nothing_and_doubles_nothing() {
    for count in 0..=KEYS.len() {
        for after in 0..=count as u64 {
            for mode in [Mode::BreakAfter(after), Mode::StallAfter(after)] {
                for broken in 0..3 {
                    let (regions, builder) = replicas(3);
                    fill(&regions[0], &KEYS[..count]).await;
                    regions[broken].set(mode);
                    let store = builder.timeouts(settings(json!({"total": "1m"}))).build().unwrap();
                    for _ in 0..3 {
                        assert_eq!(list(&store).await.unwrap(), KEYS[..count], "{mode:?} in {broken}");
                    }
                    let health = store.health();
                    assert_eq!(health.regions[broken].failures, 1, "{mode:?} is the region's failure");
                    assert_eq!(health.regions.iter().map(|region| region.failures).sum::<u64>(), 1);
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn one_listing_survives_several_breaks_in_different_regions() {
    let (regions, builder) = replicas(3);
    fill(&regions[0], &KEYS).await;
    let store = builder.build().unwrap();
    for _ in 0..3 {
        let before: u64 = calls(&regions).iter().sum();
        regions[0].next([Mode::BreakAfter(1)]);
        regions[1].next([Mode::StallAfter(2)]);
        regions[2].next([Mode::BreakAfter(1)]);
        assert_eq!(list(&store).await.unwrap(), KEYS);
        assert_eq!(calls(&regions).iter().sum::<u64>() - before, 4, "each once, and then the first again");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_costs_one_list_attempt_limit_and_a_slow_caller_costs_nothing() {
    let (regions, builder) = replicas(2);
    fill(&regions[0], &KEYS).await;
    let store = builder.timeouts(settings(json!({"operations": {"list": {"attempt": "7s"}}}))).build().unwrap();
    for _ in 0..2 {
        let mut items = store.list(None);
        while let Some(item) = items.next().await {
            item.unwrap();
            tokio::time::sleep(secs(60)).await;
        }
    }
    assert_eq!(calls(&regions), [1, 1]);
    regions[0].set(Mode::StallAfter(4));
    let began = Instant::now();
    for _ in 0..2 {
        assert_eq!(list(&store).await.unwrap(), KEYS);
    }
    assert_eq!(began.elapsed(), secs(7));
}

#[tokio::test(start_paused = true)]
async fn prefix_and_offset_of_the_caller_hold_for_every_region_that_goes_on() {
    for ordered in [true, false] {
        for after in 1..3 {
            let (regions, _) = replicas(3);
            fill(&regions[0], &["p/a", "p/b", "p/c", "p/d", "pq/e", "q"]).await;
            regions[0].set(Mode::BreakAfter(after));
            let store = over(&regions, &[true, ordered, true]).build().unwrap();
            let below = Path::from("p");
            let offset = Path::from("p/b");
            for _ in 0..3 {
                let keys = store.list(Some(&below)).try_collect().await.map(names);
                assert_eq!(keys.unwrap(), ["p/a", "p/b", "p/c", "p/d"], "{ordered} {after}");
            }
            for _ in 0..3 {
                let keys = store.list_with_offset(Some(&below), &offset).try_collect().await.map(names);
                assert_eq!(keys.unwrap(), ["p/c", "p/d"], "{ordered} {after}");
            }
            for _ in 0..3 {
                let keys = store.list_with_offset(None, &offset).try_collect().await.map(names);
                assert_eq!(keys.unwrap(), ["p/c", "p/d", "pq/e", "q"], "{ordered} {after}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_unordered_region_starts_again_and_leaves_out_what_was_given() {
    for unordered in [vec![0], vec![1], vec![2], vec![0, 1], vec![0, 1, 2]] {
        for first in 0..=KEYS.len() as u64 {
            for second in [0, 1, 3] {
                let bucket = InMemory::new();
                let region = |index| {
                    let region = Scripted::over(bucket.clone());
                    Arc::new(if unordered.contains(&index) { region.shuffled() } else { region })
                };
                let regions: Vec<_> = (0..3).map(region).collect();
                fill(&regions[0], &KEYS).await;
                let ordered: Vec<_> = (0..3).map(|index| !unordered.contains(&index)).collect();
                let store = patient(over(&regions, &ordered));
                for turn in 0..3 {
                    regions[turn].next([Mode::BreakAfter(first)]);
                    regions[(turn + 1) % 3].next([Mode::StallAfter(second)]);
                    assert_eq!(sorted(list(&store).await.unwrap()), KEYS, "unordered: {unordered:?}, breaks: {first}, {second}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn folders_of_a_disk_list_every_key_once_whatever_breaks_after_whichever() {
    let folder = std::env::temp_dir().join(format!("object_store_failover-listings-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("sub")).unwrap();
    let expected: Vec<_> =
        (0..200).map(|n| if n % 3 == 0 { format!("sub/{:03}", n * 37 % 200) } else { format!("{:03}", n * 37 % 200) }).collect();
    expected.iter().for_each(|key| std::fs::write(folder.join(key), "v").unwrap());
    let expected = sorted(expected);
    let disk: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(&folder).unwrap());
    let memory = InMemory::new();
    for key in &expected {
        memory.put_opts(&Path::from(key.as_str()), "v".into(), Default::default()).await.unwrap();
    }
    let regions = [Scripted::listing(Arc::clone(&disk)), Scripted::listing(disk), Scripted::over(memory)].map(Arc::new);
    let store = patient(over(&regions, &[false, false, true]));
    for after in 0..=200 {
        regions[after % 3].next([Mode::BreakAfter(after as u64)]);
        regions[(after + 1) % 3].next([Mode::BreakAfter(after as u64 / 2)]);
        assert_eq!(sorted(list(&store).await.unwrap()), expected, "a break after {after}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_region_that_lies_about_its_order_is_listed_until_it_breaks() {
    let bucket = InMemory::new();
    let regions = [Arc::new(Scripted::over(bucket.clone()).shuffled()), Arc::new(Scripted::over(bucket))];
    fill(&regions[0], &KEYS).await;
    let store = unbroken(over(&regions, &[true; 2]));
    for _ in 0..10 {
        assert_eq!(sorted(list(&store).await.unwrap()), KEYS, "what does not break is given as it comes");
    }
    regions[0].set(Mode::BreakAfter(5));
    let mut told = 0;
    for _ in 0..20 {
        let (keys, error) = list_until_error(&store).await;
        assert_eq!(keys.len(), keys.iter().collect::<BTreeSet<_>>().len(), "no key twice: {keys:?}");
        let Some(error) = error else { continue };
        let FailoverError::ListingOutOfOrder { path, region, culprit, source } = story(&error) else { panic!("{error}") };
        assert_eq!((path.as_str(), &**region, &**culprit), ("of everything", NAMES[0], NAMES[0]));
        assert!(source.to_string().contains("reset"), "{source}");
        assert_eq!(Failure::of(&error).class(), FailureClass::Interrupted);
        told += 1;
    }
    assert!(told >= 8, "{told} of ten listings that began there");
}

#[tokio::test(start_paused = true)]
async fn where_all_keys_are_remembered_a_lie_about_order_ends_nothing() {
    let bucket = InMemory::new();
    let regions = [Arc::new(Scripted::over(bucket.clone()).shuffled()), Arc::new(Scripted::over(bucket))];
    fill(&regions[0], &KEYS).await;
    regions[0].set(Mode::BreakAfter(5));
    let store = patient(over(&regions, &[true, false]));
    for _ in 0..20 {
        assert_eq!(sorted(list(&store).await.unwrap()), KEYS);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_the_next_region_lacks_is_simply_not_there() {
    let (regions, builder) = strangers(2);
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
async fn a_listing_that_no_region_goes_on_with_ends_in_an_error_that_names_them() {
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
    assert!(NAMES[..3].iter().all(|name| error.contains(name)) && error.contains("list of everything: all regions failed"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_breaks_after_the_same_key_in_every_region_is_given_up_and_opens_nothing() {
    for breaker in [json!({}), json!({"enabled": false})] {
        let (regions, _) = replicas(3);
        fill(&regions[0], &KEYS).await;
        regions.iter().for_each(|region| region.set(Mode::BreakAfter(3)));
        let store = over(&regions, &[false; 3]).breaker(settings(breaker)).build().unwrap();
        let (keys, error) = list_until_error(&store).await;
        let error = error.unwrap();
        let FailoverError::ListingLost { path, after, source, .. } = story(&error) else { panic!("{error}") };
        assert_eq!((keys.len(), path.as_str(), after.as_str()), (3, "of everything", "a/x"));
        assert!(source.to_string().contains("reset"), "{source}");
        assert_eq!(Failure::of(&error).class(), FailureClass::Interrupted);
        assert_eq!((calls(&regions), circuits(&store)), (vec![1; 3], vec![CircuitState::Closed; 3]));
    }
}

#[tokio::test(start_paused = true)]
async fn where_no_circuit_can_open_a_listing_of_one_key_at_a_time_ends() {
    // Each break after one key is paid from the retry budget, which starts with ten.
    for (step, given) in [(1, 13), (2, 100)] {
        let (regions, builder) = replicas(2);
        for n in 0..100 {
            put_at(&regions[0], &format!("{n:03}")).await;
        }
        regions.iter().for_each(|region| region.set(Mode::BreakAfter(step)));
        let (keys, error) = list_until_error(&unbroken(builder)).await;
        assert_eq!(keys.len(), given);
        let lost = matches!(story(&error.unwrap()), FailoverError::ListingLost { .. });
        assert_eq!(lost, step == 1, "where every key has been given nobody can say that it was the last");
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttled_page_moves_the_listing_on_and_a_key_that_is_no_path_ends_it_and_neither_is_charged() {
    let (regions, builder) = replicas(2);
    fill(&regions[0], &KEYS).await;
    let store = builder.build().unwrap();
    regions.iter().for_each(|region| region.next([Mode::FailAfter(2, Fault::Status(503, "SlowDown"))]));
    assert_eq!(list(&store).await.unwrap(), KEYS);
    regions.iter().for_each(|region| region.next([Mode::FailAfter(2, Fault::BadKey)]));
    let (keys, error) = list_until_error(&store).await;
    assert_eq!(keys, KEYS[..2]);
    assert!(matches!(error, Some(object_store::Error::InvalidPath { .. })), "{error:?}");
    assert!(store.health().regions.iter().all(|region| region.failures == 0));
}

#[tokio::test(start_paused = true)]
async fn one_region_goes_on_by_itself() {
    let (regions, builder) = replicas(1);
    fill(&regions[0], &KEYS).await;
    regions[0].next([Mode::BreakAfter(2), Mode::StallAfter(3)]);
    assert_eq!(list(&builder.build().unwrap()).await.unwrap(), KEYS);
}

#[tokio::test(start_paused = true)]
async fn a_listing_dropped_by_its_caller_is_a_success_unless_the_caller_was_waiting() {
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
    assert_eq!((region.successes, region.failures, region.in_flight), (1, 0, 0));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the keys are, and whichever region breaks wherever: the listing is the sorted set, where all regions are ordered in order.
    #[test]
    fn any_listing_is_the_set_of_keys(
        keys in proptest::collection::btree_set("[a-c!/0é-]{1,4}", 0..40),
        breaks in proptest::collection::vec((0..3_usize, 0..12_u64, any::<bool>()), 0..12),
        unordered in proptest::option::of(proptest::collection::vec(any::<bool>(), 3)),
    ) {
        let keys: BTreeSet<_> = keys.iter().map(|key| Path::from(key.as_str())).filter(|key| !key.is_root()).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let bucket = InMemory::new();
            let lies = |index: usize| unordered.as_ref().is_some_and(|unordered| unordered[index]);
            let region = |index| {
                let region = Scripted::over(bucket.clone());
                Arc::new(if lies(index) { region.shuffled() } else { region })
            };
            let regions: Vec<_> = (0..3).map(region).collect();
            for key in &keys {
                bucket.put_opts(key, "v".into(), Default::default()).await.unwrap();
            }
            for (region, after, stalls) in &breaks {
                regions[*region].next([if *stalls { Mode::StallAfter(*after) } else { Mode::BreakAfter(*after) }]);
            }
            let ordered: Vec<_> = (0..3).map(|index| !lies(index)).collect();
            let store = patient(over(&regions, &ordered));
            let listed: Vec<_> = store.list(None).map_ok(|item| item.location).try_collect().await.unwrap();
            let all: Vec<_> = keys.into_iter().collect();
            if ordered.iter().all(|ordered| *ordered) {
                assert_eq!(listed, all);
            }
            let mut listed = listed;
            listed.sort();
            assert_eq!(listed, all);
        });
    }
}
