//! All regions throttle: requests per read, with and without the retry budget.

use std::time::Duration;

use failover_testkit::proxy::{Fault, Response};
use object_store::ObjectStoreExt;
use object_store::path::Path;
use object_store_failover::FailoverStore;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::fixture::Fixture;
use crate::{Scale, target};

const PER_SECOND: usize = 400;

pub(crate) async fn run(scale: Scale) -> bool {
    let fixture = Fixture::new().await;
    let path = fixture.put("object", vec![7; 1024].into()).await;
    fixture.set(&Fault::Respond(Response::error(503, "SlowDown")));
    let count = scale.count(10_000);
    println!(
        "\n== all regions throttle, {count} reads at {PER_SECOND}/s: network requests per read"
    );
    let measure = async |name: &str, settings: Value| {
        let (store, before) = (fixture.store(settings), fixture.requests());
        read_at_a_rate(&store, &path, count).await;
        let load = (fixture.requests() - before) as f64 / count as f64;
        println!("{name:<50}{load:>8.3}");
        load
    };
    let defaults = measure("default settings (circuits open)", json!({})).await;
    let budgeted = measure(
        "no circuits: only the retry budget",
        json!({"breaker": {"enabled": false}}),
    )
    .await;
    let unlimited = json!({"breaker": {"enabled": false}, "retry": {"budget": {"ratio": 1e6}}});
    measure("no circuits, no retry budget", unlimited).await;
    let worst = defaults.max(budgeted);
    target(
        worst <= 1.25,
        format!("at most 1.25 network requests per read: {worst:.3}"),
    )
}

async fn read_at_a_rate(store: &FailoverStore, path: &Path, count: usize) {
    let mut ticks = interval(Duration::from_secs(1) / PER_SECOND as u32);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut reads = JoinSet::new();
    for _ in 0..count {
        ticks.tick().await;
        let (store, path) = (store.clone(), path.clone());
        reads.spawn(async move { store.get(&path).await.map(drop) });
        while reads.try_join_next().is_some() {}
    }
    reads.join_all().await;
}
