//! The listing as a property of random keys and interruptions.

use std::collections::BTreeSet;
use std::sync::Arc;

use failover_testkit::*;
use futures::TryStreamExt;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::path::Path;
use proptest::prelude::*;

use super::with_many_rounds;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    /// For any keys and interruptions the listing is the set of keys, sorted where all regions
    /// are ordered.
    #[test]
    fn listing_equals_the_set_of_keys(
        keys in proptest::collection::btree_set("[a-c!/0é-]{1,4}", 0..40),
        breaks in proptest::collection::vec((0..3_usize, 0..12_u64, any::<bool>()), 0..12),
        unordered in proptest::option::of(proptest::collection::vec(any::<bool>(), 3)),
    ) {
        let keys = keys.iter().map(|key| Path::from(key.as_str()));
        let keys: BTreeSet<_> = keys.filter(|key| !key.is_root()).collect();
        let ordered: Vec<_> = match unordered {
            Some(unordered) => unordered.iter().map(|unordered| !unordered).collect(),
            None => vec![true; 3],
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        runtime.block_on(check(keys, &breaks, &ordered));
    }
}

/// Lists `keys` while each of `breaks` (region, items, whether it stalls) interrupts one request.
async fn check(keys: BTreeSet<Path>, breaks: &[(usize, u64, bool)], ordered: &[bool]) {
    let bucket = InMemory::new();
    let region = |ordered: &bool| {
        let region = Scripted::over(bucket.clone());
        Arc::new(if *ordered { region } else { region.shuffled() })
    };
    let regions: Vec<_> = ordered.iter().map(region).collect();
    for key in &keys {
        bucket
            .put_opts(key, "v".into(), Default::default())
            .await
            .unwrap();
    }
    for (region, after, stalls) in breaks {
        let interrupt = if *stalls {
            Mode::StallAfter
        } else {
            Mode::BreakAfter
        };
        regions[*region].next([interrupt(*after)]);
    }
    let store = with_many_rounds(over(&regions, ordered));
    let items = store.list(None).map_ok(|item| item.location);
    let mut listed: Vec<_> = items.try_collect().await.unwrap();
    let keys: Vec<_> = keys.into_iter().collect();
    if ordered.iter().all(|ordered| *ordered) {
        assert_eq!(listed, keys);
    }
    listed.sort();
    assert_eq!(listed, keys);
}
