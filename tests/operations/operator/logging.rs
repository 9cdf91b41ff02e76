//! The settings `events.alert_after`, `events.log_retries` and `events.log_transitions`.

use std::sync::Arc;

use failover_testkit::{Log, circuits, read, secs};
use object_store_failover::CircuitState;
use object_store_failover::health::Event;
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::time::advance;
use tracing_subscriber::filter::LevelFilter;

use super::{read_times, store_with_events};
use crate::UNHEALTHY;

/// The alerts since the last call: region, failures, status of the last error.
fn drain_alerts(events: &mut Receiver<Event>) -> Vec<(Arc<str>, u32, Option<u16>)> {
    let alert = |event| match event {
        Event::RegionAlert {
            region,
            failures,
            last,
        } => Some((region, failures, last.unwrap().status)),
        _ => None,
    };
    let events = std::iter::from_fn(|| events.try_recv().ok());
    events.filter_map(alert).collect()
}

#[tokio::test(start_paused = true)]
async fn alert_fires_once_until_a_success() {
    let (regions, store) = store_with_events(json!({"alert_after": 7})).await;
    let mut events = store.subscribe();
    regions[0].fail();
    read_times(&store, 20).await;
    // Five failures opened the circuit, and no more requests were sent.
    assert_eq!(drain_alerts(&mut events), []);
    // Each failed trial is one more.
    for _ in 0..4 {
        advance(secs(70)).await;
        read(&store).await.unwrap();
    }
    assert_eq!(
        drain_alerts(&mut events),
        [(UNHEALTHY.into(), 7, Some(500))]
    );
    regions[0].serve();
    while circuits(&store)[0] != CircuitState::Closed {
        advance(secs(70)).await;
        read(&store).await.unwrap();
    }
    regions[0].fail();
    while drain_alerts(&mut events).is_empty() {
        advance(secs(70)).await;
        read(&store).await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn settings_choose_the_log_levels() {
    for (settings, retries, transitions) in [
        (json!({}), "DEBUG", "WARN"),
        (json!({"log_retries": true}), "INFO", "WARN"),
        (json!({"log_transitions": false}), "DEBUG", "DEBUG"),
    ] {
        let (regions, store) = store_with_events(settings).await;
        let log = Log::at(LevelFilter::DEBUG);
        regions[0].fail();
        read_times(&store, 12).await;
        regions[1].fail();
        read(&store).await.unwrap_err();
        let lines = log.take();
        let level_of = |message: &str| {
            let line = lines.iter().find(|line| line.contains(message));
            line.and_then(|line| line.split(' ').next()).unwrap()
        };
        assert_eq!(level_of("failing over"), retries);
        assert_eq!(level_of("retrying"), retries);
        assert_eq!(level_of("circuit opened"), transitions);
        assert_eq!(level_of("circuit near threshold"), "WARN");
    }
}
