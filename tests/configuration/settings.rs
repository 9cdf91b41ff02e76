//! Retries, timeouts, per-region overrides, the throttle, names and local stores.

use std::sync::Arc;

use failover_testkit::*;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::config::ThrottleConfig;
use object_store_failover::{CircuitState, FailoverConfig, FailoverStore, Region};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::rejected::document_with;

#[tokio::test(start_paused = true)]
async fn rounds_apply_globally_and_per_operation() {
    let calls_of = async |retry: Value| {
        let (regions, builder) = replicas(1);
        regions[0].set(Mode::Fail(Fault::Reset));
        let store = builder
            .breaker(settings(json!({"enabled": false})))
            .retry(settings(retry))
            .build()
            .unwrap();
        read(&store).await.unwrap_err();
        let gets = regions[0].calls();
        store.list(None).try_collect::<Vec<_>>().await.unwrap_err();
        (gets, regions[0].calls() - gets)
    };
    assert_eq!(calls_of(json!({})).await, (3, 3));
    assert_eq!(calls_of(json!({"rounds": 4})).await, (4, 4));
    assert_eq!(
        calls_of(json!({"operations": {"list": {"rounds": 2}}})).await,
        (3, 2)
    );
    assert_eq!(
        calls_of(json!({"enabled": false, "rounds": 4})).await,
        (1, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn retry_delays_are_bounded() {
    let elapsed = async |retry: Value| {
        let (regions, builder) = replicas(1);
        regions[0].set(Mode::Fail(Fault::Reset));
        let store = builder
            .breaker(settings(json!({"enabled": false})))
            .retry(settings(retry))
            .build()
            .unwrap();
        let started_at = Instant::now();
        for _ in 0..20 {
            read(&store).await.unwrap_err();
        }
        started_at.elapsed()
    };
    let short = elapsed(json!({"rounds": 2, "base_delay": "1s"})).await;
    assert!(short > secs(4) && short < secs(16), "{short:?}");
    let capped =
        elapsed(json!({"rounds": 8, "base_delay": "1s", "multiplier": 10.0, "max_delay": "1s"}))
            .await;
    assert!(capped < secs(20 * 7), "{capped:?}");
}

#[tokio::test(start_paused = true)]
async fn each_timeout_applies() {
    let elapsed = async |timeouts: Value, mode, list: bool| {
        let (regions, builder) = replicas(1);
        put(&regions[0], "0123456789").await;
        regions[0].set(mode);
        let store = builder
            .timeouts(settings(timeouts))
            .retry(settings(json!({"enabled": false})))
            .reads(settings(json!({"resume": false})))
            .build()
            .unwrap();
        let started_at = Instant::now();
        if list {
            store.list(None).try_collect::<Vec<_>>().await.unwrap_err();
        } else {
            read(&store).await.unwrap_err();
        }
        started_at.elapsed()
    };
    assert_eq!(elapsed(json!({}), Mode::Hang, false).await, secs(5));
    assert_eq!(
        elapsed(json!({"attempt": "2s"}), Mode::Hang, false).await,
        secs(2)
    );
    assert_eq!(
        elapsed(json!({"total": "3s"}), Mode::Hang, false).await,
        secs(3),
        "the total caps the attempt"
    );
    assert_eq!(
        elapsed(json!({"stall": "7s"}), Mode::StallAfter(2), false).await,
        secs(7)
    );
    assert_eq!(elapsed(json!({}), Mode::Hang, true).await, secs(15));
    assert_eq!(
        elapsed(
            json!({"operations": {"list": {"attempt": "4s"}}}),
            Mode::Hang,
            true
        )
        .await,
        secs(4)
    );
    assert_eq!(
        elapsed(
            json!({"operations": {"list": {"total": "6s"}}}),
            Mode::Hang,
            true
        )
        .await,
        secs(6)
    );
}

#[tokio::test(start_paused = true)]
async fn region_overrides_single_keys() {
    let document = json!({
        "regions": [
            {
                "name": "a",
                "url": "memory:///",
                "breaker": {"failure_threshold": 1},
                "timeouts": {"attempt": "1s"},
                "weight": 3,
            },
            {"name": "b", "url": "memory:///"},
        ],
        "breaker": {"open_for": "7s", "jitter": 0.0},
        "timeouts": {"attempt": "2s", "stall": "3s"}
    });
    let config: FailoverConfig = settings(document);
    assert_eq!((config.regions[0].weight, config.regions[1].weight), (3, 1));
    assert_eq!(config.regions[0].timeouts.attempt, Some(secs(1)));
    config.build().unwrap();
    // The same through the builder, over a region with faults.
    let (regions, builder) = replicas(1);
    regions[0].set(Mode::Hang);
    let own = Region::new("own", Arc::clone(&regions[0]) as Arc<dyn ObjectStore>)
        .timeouts(settings(json!({"attempt": "1s"})))
        .breaker(settings(json!({"failure_threshold": 1})));
    drop(builder);
    let store = FailoverStore::builder()
        .region(own)
        .timeouts(settings(json!({"attempt": "2s"})))
        .retry(settings(json!({"enabled": false})))
        .build()
        .unwrap();
    let started_at = Instant::now();
    read(&store).await.unwrap_err();
    assert_eq!(
        (started_at.elapsed(), circuits(&store)),
        (secs(1), vec![CircuitState::Open])
    );
}

#[test]
fn throttle_defaults_apply_to_an_empty_table() {
    let parse =
        |throttle: Value| settings::<FailoverConfig>(document_with("/throttle", throttle)).throttle;
    assert_eq!(parse(Value::Null), None);
    assert_eq!(
        settings::<FailoverConfig>(json!({"regions": []})).throttle,
        None
    );
    let defaults = ThrottleConfig {
        reads_per_second: 5000,
        writes_per_second: 3000,
        adaptive: true,
        max_in_flight: None,
    };
    for same in [
        json!({}),
        json!({"adaptive": true}),
        json!({"reads_per_second": 5000, "writes_per_second": 3000, "adaptive": true}),
    ] {
        assert_eq!(parse(same), Some(defaults.clone()));
    }
    let own = json!({
        "reads_per_second": 1,
        "writes_per_second": 4_294_967_295_u32,
        "adaptive": false,
        "max_in_flight": 4_294_967_295_u32,
    });
    let config: FailoverConfig = settings(document_with("/throttle", own));
    let named = ThrottleConfig {
        reads_per_second: 1,
        writes_per_second: u32::MAX,
        adaptive: false,
        max_in_flight: Some(u32::MAX),
    };
    assert_eq!(config.throttle, Some(named));
    config.build().unwrap();
    let toml = "[[regions]]\nname = \"a\"\nurl = \"memory:///\"\n[throttle]\n";
    assert_eq!(
        toml::from_str::<FailoverConfig>(toml).unwrap().throttle,
        Some(defaults)
    );
}

#[test]
fn builder_rejects_a_zero_rate() {
    let build = |throttle| {
        FailoverStore::builder()
            .region(Region::new("a", Arc::new(InMemory::new())))
            .throttle(throttle)
            .build()
    };
    build(ThrottleConfig::default()).unwrap();
    let error = build(ThrottleConfig {
        reads_per_second: 0,
        ..ThrottleConfig::default()
    })
    .unwrap_err()
    .to_string();
    assert_eq!(
        error,
        "throttle.reads_per_second: must be at least 1: 0 admits no call"
    );
}

#[tokio::test]
async fn display_shows_name_and_regions() {
    let store = FailoverStore::builder()
        .name("assets")
        .region(Region::new("a", Arc::new(InMemory::new())))
        .build()
        .unwrap();
    assert_eq!(store.to_string(), "FailoverStore(assets, a: InMemory)");
    assert_eq!(&*store.health().store, "assets");
}

#[tokio::test]
async fn local_folders_and_prefixes_work() {
    let folder = std::env::temp_dir().join(format!(
        "object_store_failover-config-{}",
        std::process::id()
    ));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("key"), "v").unwrap();
    let url = url::Url::from_directory_path(&folder).unwrap();
    let config: FailoverConfig = settings(json!({
        "regions": [{"name": "disk", "url": url}, {"name": "memory", "url": "memory:///below"}],
    }));
    let store = config.build().unwrap();
    for _ in 0..2 {
        assert_eq!(
            store
                .get(&"key".into())
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap(),
            "v"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let error = config.build().unwrap_err().to_string();
    assert!(error.starts_with("regions[0].url: file:///"), "{error}");
}
