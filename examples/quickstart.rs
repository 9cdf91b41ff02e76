//! Two regions behind one `ObjectStore`; one of them stops answering, and the reads go on.
//!
//! `cargo run --example quickstart`: needs no network and no account.

use std::sync::Arc;
use std::time::Duration;

use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt, memory::InMemory};
use object_store_failover::{FailoverStore, Region, ServedBy, TimeoutConfig};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Clones of one `InMemory` share their objects: two perfect replicas. The first can be made to hang.
    let bucket = InMemory::new();
    bucket.put(&"greeting".into(), "hello".into()).await?;
    let virginia = Arc::new(ThrottledStore::new(bucket.clone(), ThrottleConfig::default()));
    let ireland = Arc::new(bucket);
    let impatient = TimeoutConfig { attempt: Some(Duration::from_millis(100)), ..Default::default() };

    // What a user writes.
    let store = FailoverStore::builder()
        .region(Region::new("us-east-1", Arc::clone(&virginia) as Arc<dyn ObjectStore>))
        .region(Region::new("eu-west-1", ireland))
        .timeouts(impatient)
        .build()?;

    for turn in 0..16 {
        if turn == 4 {
            println!("us-east-1 hangs from now on");
            virginia.config_mut(|config| config.wait_get_per_call = Duration::from_secs(3600));
        }
        let result = store.get(&"greeting".into()).await?;
        if let Some(by) = result.extensions.get::<ServedBy>() {
            println!("served by {}, attempt {}", by.region, by.attempts);
        }
        assert_eq!(result.bytes().await?, "hello");
    }

    let health = store.health();
    println!("the store is {:?}", health.status);
    for region in &health.regions {
        println!("{}: circuit {}, {} of {} attempts failed", region.name, region.read.state, region.failures, region.attempts);
    }
    Ok(())
}
