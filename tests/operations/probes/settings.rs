//! The settings `[probe]`.

use failover_testkit::{independent_regions, put_at, replicas, secs, settings};
use object_store::ObjectStoreExt;
use object_store_failover::FailoverConfig;
use object_store_failover::config::ProbeConfig;
use serde_json::{Value, json};

use super::call_times;

#[tokio::test(start_paused = true)]
async fn document_configures_the_canary() {
    let regions = json!([{"name": "one", "url": "memory:///"}]);
    let probe = json!({"path": "a/canary", "interval": "1m"});
    for (document, expected) in [
        (json!({"regions": regions}), "probe.path"),
        (json!({"regions": regions, "probe": probe}), "writes.policy"),
    ] {
        let store = settings::<FailoverConfig>(document).build().unwrap();
        let error = store.write_canary().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let document = json!({"regions": regions, "probe": {"path": "a/"}});
    let error = settings::<FailoverConfig>(document).build().unwrap_err();
    assert!(error.to_string().starts_with("probe.path"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn path_and_interval_take_effect() {
    const PATH: &str = "elsewhere/canary";
    let (regions, builder) = independent_regions(1);
    put_at(&regions[0], PATH).await;
    // A leading slash is no part of the key.
    let probe = settings(json!({"path": "/elsewhere/canary", "interval": "20s"}));
    let writes = settings(json!({"policy": "any"}));
    let store = builder.probe(probe).writes(writes).build().unwrap();
    store.write_canary().await.unwrap();
    let stored = regions[0].bucket().get(&PATH.into()).await.unwrap();
    assert_ne!(stored.bytes().await.unwrap(), "v");
    let _probes = store.start_probes();
    let times = call_times(&regions[0], secs(100)).await;
    for pause in times.windows(2).map(|pair| pair[1] - pair[0]) {
        assert!((17_998..=22_002).contains(&pause), "{times:?}");
    }
    assert_eq!(settings::<ProbeConfig>(json!({})), ProbeConfig::default());
}

#[test]
fn invalid_settings_name_the_key() {
    let cases: [(Value, &str); 8] = [
        (json!({"path": ""}), "probe.path: must not be empty"),
        (json!({"path": "/"}), "probe.path: \"/\" is a folder"),
        (
            json!({"path": "health/"}),
            "probe.path: \"health/\" is a folder",
        ),
        (json!({"path": "a//b"}), "probe.path: is not a valid key"),
        (json!({"path": "../b"}), "probe.path: is not a valid key"),
        (
            json!({"interval": "0s"}),
            "probe.interval: must be longer than zero",
        ),
        (
            json!({"interval": "99ms"}),
            "probe.interval: must be at least 100ms",
        ),
        (
            json!({"interval": "366days"}),
            "probe.interval: must not be longer than a year",
        ),
    ];
    for (probe, expected) in cases {
        let builder = replicas(1).1.probe(settings(probe));
        let error = builder.build().unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    assert!(serde_json::from_value::<ProbeConfig>(json!({"key": "a"})).is_err());
}
