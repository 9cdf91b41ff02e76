//! Hedged reads: a second attempt in another region beside one that is slow.
//!
//! `cargo run --example hedging` needs no network and no account.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store_failover::config::{HedgeAfter, HedgeConfig, Ratio};
use object_store_failover::{FailoverStore, Region, ServedBy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bucket = InMemory::new();
    bucket.put(&"greeting".into(), "hello".into()).await?;
    let slow = ThrottleConfig {
        wait_get_per_call: Duration::from_millis(300),
        ..Default::default()
    };
    let virginia = Arc::new(ThrottledStore::new(bucket.clone(), slow));
    let ireland = Arc::new(bucket);

    // Without `after` a hedge starts at the 95th percentile of the next region's response times,
    // which follows the load. A fixed time suits a known target for the latency.
    let hedge = HedgeConfig {
        after: HedgeAfter::Fixed(Duration::from_millis(20)),
        // At most one hedge for five requests. The default is 0.05.
        max_extra: Ratio::new(0.2)?,
    };
    let store = FailoverStore::builder()
        .region(Region::new("us-east-1", virginia))
        .region(Region::new("eu-west-1", ireland))
        .hedge(hedge)
        .build()?;

    for _ in 0..20 {
        let result = store.get(&"greeting".into()).await?;
        if let Some(served_by) = result.extensions.get::<ServedBy>() {
            let how = if served_by.hedged {
                "hedge"
            } else {
                "first attempt"
            };
            println!("served by {}: {how}", served_by.region);
        }
        assert_eq!(result.bytes().await?, "hello");
    }

    // Refused hedges exceeded `max_extra`: their reads waited for the slow region.
    let hedges = store.hedges();
    println!(
        "hedges: {} sent, {} won, {} lost, {} refused",
        hedges.sent, hedges.won, hedges.lost, hedges.refused
    );
    Ok(())
}
