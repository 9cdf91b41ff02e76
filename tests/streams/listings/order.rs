//! Regions that list in no order, declared or not.

use std::collections::BTreeSet;
use std::sync::Arc;

use failover_testkit::*;
use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store_failover::{FailoverError, Failure, FailureClass};

use super::{KEYS, fill, list, list_until_error, sorted, with_many_rounds, without_breaker};

#[tokio::test(start_paused = true)]
async fn unordered_region_restarts_and_skips_delivered_keys() {
    for unordered in [vec![0], vec![1], vec![2], vec![0, 1], vec![0, 1, 2]] {
        for first in 0..=KEYS.len() as u64 {
            for second in [0, 1, 3] {
                check_unordered(&unordered, first, second).await;
            }
        }
    }
}

/// Three listings, each interrupted after `first` items in one region and `second` in the next.
async fn check_unordered(unordered: &[usize], first: u64, second: u64) {
    let bucket = InMemory::new();
    let region = |index| {
        let region = Scripted::over(bucket.clone());
        Arc::new(if unordered.contains(&index) {
            region.shuffled()
        } else {
            region
        })
    };
    let regions: Vec<_> = (0..3).map(region).collect();
    fill(&regions[0], &KEYS).await;
    let ordered: Vec<_> = (0..3).map(|index| !unordered.contains(&index)).collect();
    let store = with_many_rounds(over(&regions, &ordered));
    for turn in 0..3 {
        regions[turn].next([Mode::BreakAfter(first)]);
        regions[(turn + 1) % 3].next([Mode::StallAfter(second)]);
        let keys = sorted(list(&store).await.unwrap());
        assert_eq!(
            keys, KEYS,
            "unordered: {unordered:?}, breaks: {first}, {second}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn local_disk_regions_list_every_key_once() {
    let folder = format!("object_store_failover-listings-{}", std::process::id());
    let folder = std::env::temp_dir().join(folder);
    std::fs::create_dir_all(folder.join("sub")).unwrap();
    let name = |n: u32| {
        let parent = if n.is_multiple_of(3) { "sub/" } else { "" };
        format!("{parent}{:03}", n * 37 % 200)
    };
    let expected: Vec<_> = (0..200).map(name).collect();
    expected
        .iter()
        .for_each(|key| std::fs::write(folder.join(key), "v").unwrap());
    let expected = sorted(expected);
    let disk: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(&folder).unwrap());
    let memory = InMemory::new();
    for key in &expected {
        let path = Path::from(key.as_str());
        memory
            .put_opts(&path, "v".into(), Default::default())
            .await
            .unwrap();
    }
    let regions = [
        Scripted::over_arc(Arc::clone(&disk)),
        Scripted::over_arc(disk),
        Scripted::over(memory),
    ]
    .map(Arc::new);
    let store = with_many_rounds(over(&regions, &[false, false, true]));
    for after in 0..=200 {
        regions[after % 3].next([Mode::BreakAfter(after as u64)]);
        regions[(after + 1) % 3].next([Mode::BreakAfter(after as u64 / 2)]);
        assert_eq!(
            sorted(list(&store).await.unwrap()),
            expected,
            "interrupted after {after}"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[tokio::test(start_paused = true)]
async fn out_of_order_region_ends_interrupted_listing() {
    let bucket = InMemory::new();
    let regions = [
        Arc::new(Scripted::over(bucket.clone()).shuffled()),
        Arc::new(Scripted::over(bucket)),
    ];
    fill(&regions[0], &KEYS).await;
    let store = without_breaker(over(&regions, &[true; 2]));
    for _ in 0..10 {
        assert_eq!(
            sorted(list(&store).await.unwrap()),
            KEYS,
            "without an interruption the order is irrelevant"
        );
    }
    regions[0].set(Mode::BreakAfter(5));
    let mut out_of_order = 0;
    for _ in 0..20 {
        let (keys, error) = list_until_error(&store).await;
        let unique: BTreeSet<_> = keys.iter().collect();
        assert_eq!(keys.len(), unique.len(), "duplicate keys: {keys:?}");
        let Some(error) = error else { continue };
        let FailoverError::ListingOutOfOrder {
            path,
            region,
            culprit,
            source,
        } = failover_error(&error)
        else {
            panic!("{error}")
        };
        assert_eq!(path, "of everything");
        assert_eq!((&**region, &**culprit), (NAMES[0], NAMES[0]));
        assert!(source.to_string().contains("reset"), "{source}");
        assert_eq!(Failure::of(&error).class(), FailureClass::Interrupted);
        out_of_order += 1;
    }
    assert!(
        out_of_order >= 8,
        "{out_of_order} of the ten listings that started there"
    );
}

#[tokio::test(start_paused = true)]
async fn remembered_keys_tolerate_out_of_order_regions() {
    let bucket = InMemory::new();
    let regions = [
        Arc::new(Scripted::over(bucket.clone()).shuffled()),
        Arc::new(Scripted::over(bucket)),
    ];
    fill(&regions[0], &KEYS).await;
    regions[0].set(Mode::BreakAfter(5));
    let store = with_many_rounds(over(&regions, &[true, false]));
    for _ in 0..20 {
        assert_eq!(sorted(list(&store).await.unwrap()), KEYS);
    }
}
