//! Slow callers of healthy regions: no circuit opens, nothing is resumed.

use std::time::Duration;

use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store_failover::CircuitState;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::rig::Rig;
use crate::{Scale, promise};

const CALLERS: u64 = 12;
/// Bytes a second.
const PACE: u64 = 64 * 1024;

pub(crate) async fn run(scale: Scale) -> bool {
    let time = scale.secs(30);
    let size = PACE * time.as_secs();
    println!("\n== {CALLERS} callers read {} KiB each at 64 KiB/s, stall limit 1 s", size / 1024);
    let rig = Rig::new().await;
    let path = rig.put("object", vec![7; size as usize].into()).await;
    let store = rig.store(json!({"timeouts": {"stall": "1s"}}));
    let before = rig.requests();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (store, path) = (store.clone(), path.clone());
        callers.spawn(async move {
            let began = Instant::now();
            let (mut body, mut seen) = (store.get(&path).await.unwrap().into_stream(), 0);
            while let Some(piece) = body.next().await {
                seen += piece.unwrap().len() as u64;
                sleep_until(began + Duration::from_secs_f64(seen as f64 / PACE as f64)).await;
            }
            seen
        });
    }
    let whole = callers.join_all().await.iter().all(|seen| *seen == size);
    let requests = rig.requests() - before;
    let closed = store.health().regions.iter().all(|region| region.read.state == CircuitState::Closed && region.failures == 0);
    promise(whole && closed, format!("every body whole, no failure charged, no circuit open: {}", whole && closed))
        & promise(requests == CALLERS, format!("no resume: {requests} requests for {CALLERS} bodies"))
}
