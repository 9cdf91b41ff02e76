//! Two regions behind one `ObjectStore`. One stops responding, and every read is still served.
//!
//! `cargo run --example quickstart` needs no network and no account.

use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::config::TimeoutConfig;
use object_store_failover::{FailoverStore, Region, ServedBy};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Clones of one `InMemory` share their objects: two replicas without lag. `ThrottledStore`
    // delays responses, so that the first region can be made to hang.
    let bucket = InMemory::new();
    bucket.put(&"greeting".into(), "hello".into()).await?;
    let virginia = Arc::new(ThrottledStore::new(
        bucket.clone(),
        ThrottleConfig::default(),
    ));
    let ireland = Arc::new(bucket);

    // This is what a program needs. The default limit of an attempt is 5 s.
    let timeouts = TimeoutConfig {
        attempt: Some(Duration::from_millis(100)),
        ..Default::default()
    };
    let store = FailoverStore::builder()
        .region(Region::new(
            "us-east-1",
            Arc::clone(&virginia) as Arc<dyn ObjectStore>,
        ))
        .region(Region::new("eu-west-1", ireland))
        .timeouts(timeouts)
        .build()?;

    for read in 0..16 {
        if read == 4 {
            println!("us-east-1 hangs from now on");
            virginia.config_mut(|config| config.wait_get_per_call = Duration::from_secs(3600));
        }
        let result = store.get(&"greeting".into()).await?;
        if let Some(served_by) = result.extensions.get::<ServedBy>() {
            let ServedBy {
                region, attempts, ..
            } = served_by;
            println!("served by {region}, attempt {attempts}");
        }
        assert_eq!(result.bytes().await?, "hello");
    }

    let health = store.health();
    println!("the store is {:?}", health.status);
    for region in &health.regions {
        println!(
            "{}: circuit {}, {} of {} attempts failed",
            region.name, region.read.state, region.failures, region.attempts
        );
    }
    Ok(())
}
