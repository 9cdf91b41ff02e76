//! A region that ignores the offset of a request lists from the start again.

use std::sync::Arc;

use failover_testkit::*;
use object_store::memory::InMemory;

use super::{KEYS, fill, list};

#[tokio::test(start_paused = true)]
async fn ignored_offset_delivers_no_key_twice() {
    for (first, second) in [(1, 6), (3, 6), (3, 4), (5, 6), (6, 6)] {
        let bucket = InMemory::new();
        let regions = [
            Arc::new(Scripted::over(bucket.clone())),
            Arc::new(Scripted::over(bucket).ignoring_offsets()),
        ];
        fill(&regions[0], &KEYS).await;
        let store = over(&regions, &[true; 2]).build().unwrap();
        for _ in 0..2 {
            regions[0].next([Mode::BreakAfter(first)]);
            regions[1].next([Mode::BreakAfter(second)]);
            let keys = list(&store).await.unwrap();
            assert_eq!(keys, KEYS, "breaks after {first} and {second} keys");
        }
        let offsets = regions[1].log();
        assert!(offsets.contains(&"list_with_offset"), "{offsets:?}");
    }
}
