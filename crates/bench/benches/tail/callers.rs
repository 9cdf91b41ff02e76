//! Slow callers of healthy regions: no circuit opens and no body is resumed.

use std::time::Duration;

use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store_failover::CircuitState;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::fixture::Fixture;
use crate::{Scale, target};

const CALLERS: u64 = 12;
/// Bytes per second.
const RATE: u64 = 64 * 1024;

pub(crate) async fn run(scale: Scale) -> bool {
    let time = scale.secs(30);
    let size = RATE * time.as_secs();
    println!(
        "\n== {CALLERS} callers read {} KiB each at 64 KiB/s, stall limit 1 s",
        size / 1024
    );
    let fixture = Fixture::new().await;
    let path = fixture.put("object", vec![7; size as usize].into()).await;
    let store = fixture.store(json!({"timeouts": {"stall": "1s"}}));
    let before = fixture.requests();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (store, path) = (store.clone(), path.clone());
        callers.spawn(async move {
            let started_at = Instant::now();
            let (mut body, mut seen) = (store.get(&path).await.unwrap().into_stream(), 0);
            while let Some(piece) = body.next().await {
                seen += piece.unwrap().len() as u64;
                sleep_until(started_at + Duration::from_secs_f64(seen as f64 / RATE as f64)).await;
            }
            seen
        });
    }
    let complete = callers.join_all().await.iter().all(|seen| *seen == size);
    let requests = fixture.requests() - before;
    let closed = store
        .health()
        .regions
        .iter()
        .all(|region| region.read.state == CircuitState::Closed && region.failures == 0);
    target(
        complete && closed,
        format!(
            "complete bodies, no failure counted, no circuit open: {}",
            complete && closed
        ),
    ) & target(
        requests == CALLERS,
        format!("no resume: {requests} requests for {CALLERS} bodies"),
    )
}
