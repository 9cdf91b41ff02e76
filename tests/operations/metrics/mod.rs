//! What a store reports in metrics, events and log lines.

mod circuit;
mod failing;
mod privacy;
mod requests;
mod series;

use std::sync::Arc;

use failover_testkit::{Recorded, Scripted, put, read, replicas};
use object_store_failover::FailoverStore;
use object_store_failover::health::Event;
use tokio::sync::broadcast::Receiver;

use crate::{UNHEALTHY, record_metrics};

/// A store over two replicas that hold the key, with a recorder on this thread.
async fn recorded_store() -> (Vec<Arc<Scripted>>, FailoverStore, Recorded, impl Drop) {
    let (regions, builder) = replicas(2);
    put(&regions[0], "value").await;
    let store = builder.name("assets").build().unwrap();
    let (recorded, guard) = record_metrics();
    (regions, store, recorded, guard)
}

/// Reads until the region has received `times` more requests.
async fn read_until_called(store: &FailoverStore, region: &Scripted, times: u64) {
    let wanted = region.calls() + times;
    while region.calls() < wanted {
        read(store).await.unwrap();
    }
}

fn drain(events: &mut Receiver<Event>) -> Vec<Event> {
    std::iter::from_fn(|| events.try_recv().ok()).collect()
}

/// The gauges `region_failing`, `circuit_state` (reads), `region_admitted` and `regions_available`.
fn gauges(recorded: &Recorded) -> [f64; 4] {
    let region = ("bucket_region", UNHEALTHY);
    [
        recorded.gauge("region_failing", &[region]),
        recorded.gauge("circuit_state", &[region, ("class", "read")]),
        recorded.gauge("region_admitted", &[region]),
        recorded.gauge("regions_available", &[]),
    ]
    .map(Option::unwrap)
}
