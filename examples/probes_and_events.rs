//! Probes find an outage and its end without requests; events report both, and an override.
//!
//! `cargo run --example probes_and_events` needs no network and no account.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store::throttle::{ThrottleConfig, ThrottledStore};
use object_store_failover::config::{BreakerConfig, ProbeConfig, TimeoutConfig};
use object_store_failover::health::Event;
use object_store_failover::{CircuitState, FailoverStore, Region, WritePolicy};
use tokio::sync::broadcast::error::RecvError;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bucket = InMemory::new();
    let virginia = Arc::new(ThrottledStore::new(
        bucket.clone(),
        ThrottleConfig::default(),
    ));
    let ireland = Arc::new(bucket);
    let store = short_times(Arc::clone(&virginia) as Arc<dyn ObjectStore>, ireland)?;

    // The object that probes read. One process rewrites it about once per interval, for example a
    // scheduled job: its age in each region is the replication lag.
    store.write_canary().await?;

    let mut events = store.subscribe();
    let _probes = store.start_probes(); // until the guard is dropped
    virginia.config_mut(|config| config.wait_get_per_call = Duration::from_secs(3600));
    println!("us-east-1 hangs from now on");

    loop {
        let event = match events.recv().await {
            Ok(event) => event,
            // A receiver that is 256 events behind loses the oldest.
            Err(RecvError::Lagged(lost)) => {
                println!("{lost} events lost");
                continue;
            }
            Err(RecvError::Closed) => break,
        };
        match event {
            Event::CircuitChanged { region, change, .. } => {
                println!(
                    "{region}: {} to {}: {}",
                    change.from, change.to, change.reason
                );
                if change.to == CircuitState::Open {
                    virginia.config_mut(|config| config.wait_get_per_call = Duration::ZERO);
                    println!("{region} responds again");
                }
                if change.to == CircuitState::Closed {
                    store.drain(&region)?;
                }
            }
            Event::OperatorOverride { region, kind, .. } => {
                println!("{region}: override {}", kind.label());
                break;
            }
            Event::RegionAlert {
                region, failures, ..
            } => println!("{region}: {failures} failures in a row"),
            // More kinds of events may be added.
            other => println!("{other:?}"),
        }
    }
    println!("the store is {:?}", store.health().status);
    Ok(())
}

/// Times for an example that ends within seconds; the defaults suit services.
fn short_times(
    virginia: Arc<dyn ObjectStore>,
    ireland: Arc<dyn ObjectStore>,
) -> Result<FailoverStore, object_store_failover::ConfigError> {
    FailoverStore::builder()
        .region(Region::new("us-east-1", virginia))
        .region(Region::new("eu-west-1", ireland))
        .timeouts(TimeoutConfig {
            attempt: Some(Duration::from_millis(100)),
            ..Default::default()
        })
        .breaker(BreakerConfig {
            open_for: Duration::from_millis(500),
            ..Default::default()
        })
        .probe(ProbeConfig {
            interval: Duration::from_millis(100),
            ..Default::default()
        })
        .writes(WritePolicy::Any { home: None })
        .build()
}
