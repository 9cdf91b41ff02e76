//! Keys and secrets never leave the process in logs, events, metrics or snapshots.

use std::sync::Arc;

use failover_testkit::{Fault, Log, Mode, Scripted, replicas, secs, settings};
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverStore};
use serde_json::json;
use tokio::time::advance;
use tracing_subscriber::filter::LevelFilter;

use super::drain;
use crate::{UNHEALTHY, record_metrics};

/// A key that looks like an error code, which must not be taken for one either.
const MARKER: &str = "SlowDown-marker";

async fn store_with_marked_key(key: &Path) -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = replicas(2);
    regions[0].bucket().put(key, "value".into()).await.unwrap();
    let builder = builder
        .writes(settings(json!({"policy": "any", "home": UNHEALTHY})))
        .events(settings(json!({"log_retries": true, "alert_after": 3})));
    (regions, builder.build().unwrap())
}

/// One call of each kind, whatever comes of it.
async fn call_everything(store: &FailoverStore, key: &Path) {
    if let Ok(result) = store.get(key).await {
        let _ = result.bytes().await;
    }
    let _ = store.head(key).await;
    let _ = store.put(key, "value".into()).await;
    let _ = store.copy(key, &key.clone().join("2")).await;
    let prefix = Path::from(MARKER);
    let _ = store.list(Some(&prefix)).try_collect::<Vec<_>>().await;
    let _ = store.delete(key).await;
}

#[tokio::test(start_paused = true)]
async fn keys_are_reported_to_the_caller_only() {
    let log = Log::at(LevelFilter::INFO);
    let key = Path::from(format!("{MARKER}/{MARKER}.txt"));
    let (regions, store) = store_with_marked_key(&key).await;
    let (recorded, _guard) = record_metrics();
    let (mut receiver, mut events) = (store.subscribe(), Vec::new());
    for mode in [
        Mode::Fail(Fault::Status(500, "InternalError")),
        Mode::Fail(Fault::Status(403, "AccessDenied")),
        Mode::Fail(Fault::Status(404, "NoSuchKey")),
        Mode::Fail(Fault::Reset),
        Mode::BreakAfter(1),
        Mode::Fail(Fault::Unclassified),
        Mode::Hang,
        Mode::Serve,
    ] {
        regions.iter().for_each(|region| region.set(mode));
        for _ in 0..3 {
            call_everything(&store, &key).await;
            events.extend(drain(&mut receiver));
            advance(secs(40)).await;
        }
    }
    let outputs = [
        format!("{events:?}"),
        log.take().join("\n"),
        recorded.everything(),
        serde_json::to_string(&store.health()).unwrap(),
        format!("{:?}", store.health()),
    ];
    for text in outputs {
        assert!(text.len() > 100 && !text.contains("marker"), "{text}");
    }
}

#[test]
fn document_region_is_logged_without_secrets() {
    let log = Log::at(LevelFilter::INFO);
    let config: FailoverConfig = settings(json!({
        "name": "assets",
        "regions": [{
            "name": "eu", "url": "s3://bucket-eu/prefix", "flavor": "minio",
            "options": {
                "region": "us-east-1",
                "allow_http": true,
                "endpoint": "http://user:hush@storage.test:9000/path?hush",
                "access_key_id": "hush",
                "secret_access_key": "hush",
            },
        }],
    }));
    config.build().unwrap();
    let lines = log.take();
    let is_region = |line: &&String| line.contains("region configured");
    let line = lines.iter().find(is_region).unwrap();
    for part in [
        "assets",
        "eu",
        "s3://bucket-eu/prefix at http://storage.test:9000\"",
        "Minio",
        "attempt=5s",
    ] {
        assert!(line.contains(part), "{line}");
    }
    assert!(!lines.join(" ").contains("hush"), "{lines:?}");
}
