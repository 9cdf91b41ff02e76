//! The document: what each key does, and what is refused.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{
    CircuitState, ConfigError, FailoverConfig, FailoverStore, FailoverStoreBuilder, Flavor, Region, ThrottleConfig,
};
use serde_json::{Value, json};
use support::*;
use tokio::time::Instant;

use CircuitState::{Closed, HalfOpen, Open};

// What circuits do.

/// A store over one failing region of two, after so many reads; the circuit of the failing one.
async fn after_failing_reads(breaker: Value, reads: u32) -> (CircuitState, FailoverStore, Vec<Arc<Scripted>>) {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    regions[1].fail();
    let store = builder.breaker(settings(breaker)).build().unwrap();
    for _ in 0..reads {
        read(&store).await.unwrap();
    }
    (circuits(&store)[1], store, regions)
}

#[tokio::test(start_paused = true)]
async fn failure_threshold_says_how_many_failures_open_a_circuit() {
    assert_eq!(after_failing_reads(json!({"failure_threshold": 2}), 3).await.0, Closed);
    assert_eq!(after_failing_reads(json!({"failure_threshold": 2}), 4).await.0, Open);
    assert_eq!(after_failing_reads(json!({}), 8).await.0, Closed);
    assert_eq!(after_failing_reads(json!({"enabled": false}), 100).await.0, Closed);
}

#[tokio::test(start_paused = true)]
async fn failure_rate_minimum_calls_and_window_open_a_circuit_that_fails_now_and_then() {
    let every_second_call_fails = async |breaker: Value, pause| {
        let (regions, builder) = replicas(1);
        put(&regions[0], "v").await;
        let store = builder.breaker(settings(breaker)).retry(settings(json!({"enabled": false}))).build().unwrap();
        for n in 0..19 {
            regions[0].next((n % 2 == 0).then_some(Mode::Fail(Fault::Status(500, ""))));
            let _ = read(&store).await;
            tokio::time::advance(pause).await;
        }
        circuits(&store)[0]
    };
    assert_eq!(every_second_call_fails(json!({"minimum_calls": 19}), ms(1)).await, Open);
    assert_eq!(every_second_call_fails(json!({"minimum_calls": 20}), ms(1)).await, Closed);
    assert_eq!(every_second_call_fails(json!({"minimum_calls": 19, "failure_rate": 0.6}), ms(1)).await, Closed);
    assert_eq!(every_second_call_fails(json!({"minimum_calls": 19, "window": "5s"}), secs(1)).await, Closed);
    assert_eq!(every_second_call_fails(json!({"minimum_calls": 19, "window": "60s"}), secs(1)).await, Open);
}

#[tokio::test(start_paused = true)]
async fn open_for_open_for_max_and_jitter_say_when_the_next_trial_is_due() {
    let breaker = json!({"open_for": "10s", "open_for_max": "15s", "jitter": 0.0});
    let (state, store, regions) = after_failing_reads(breaker, 10).await;
    assert_eq!((state, regions[1].calls()), (Open, 5));
    for (wait, trials) in [(ms(9_999), 0), (ms(1), 1), (ms(14_999), 1), (ms(1), 2), (ms(15_000), 3)] {
        tokio::time::advance(wait).await;
        read(&store).await.unwrap();
        assert_eq!(regions[1].calls() - 5, trials, "after {wait:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn success_threshold_and_ramp_say_how_a_circuit_closes() {
    let (_, store, regions) = after_failing_reads(json!({"success_threshold": 3, "ramp": "0s", "jitter": 0.0}), 10).await;
    regions[1].serve();
    tokio::time::advance(secs(30)).await;
    let mut states = Vec::new();
    for _ in 0..3 {
        read(&store).await.unwrap();
        states.push(circuits(&store)[1]);
    }
    assert_eq!(states, [HalfOpen, HalfOpen, Closed]);
    let before = regions[1].calls();
    for _ in 0..100 {
        read(&store).await.unwrap();
    }
    assert_eq!(regions[1].calls() - before, 50, "no ramp, no climb");
}

#[tokio::test(start_paused = true)]
async fn half_open_timeout_and_half_open_max_calls_bound_the_trials() {
    let breaker = json!({"half_open_timeout": "20s", "half_open_max_calls": 2, "jitter": 0.0, "open_for_max": "1h"});
    let (_, store, regions) = after_failing_reads(breaker, 10).await;
    regions[1].set(Mode::StallAfter(0));
    tokio::time::advance(secs(30)).await;
    let trial = || {
        let store = store.clone();
        tokio::spawn(async move { tokio::time::timeout(secs(9), read(&store)).await.is_err() })
    };
    let (one, two, three) = (trial(), trial(), trial());
    assert_eq!(
        [one.await.unwrap(), two.await.unwrap(), three.await.unwrap()],
        [true, true, false],
        "two trials, and a third that went elsewhere"
    );
    assert_eq!(circuits(&store)[1], HalfOpen, "eighteen of twenty seconds");
    tokio::time::advance(secs(1)).await;
    assert!(trial().await.unwrap());
    assert_eq!(circuits(&store)[1], Open);
}

#[tokio::test(start_paused = true)]
async fn early_probe_interval_says_how_often_the_last_resort_is_asked() {
    let (regions, builder) = replicas(1);
    regions[0].fail();
    let breaker = settings(json!({"early_probe_interval": "4s", "open_for": "60s"}));
    let store = builder.breaker(breaker).retry(settings(json!({"enabled": false}))).build().unwrap();
    for _ in 0..45 {
        read(&store).await.unwrap_err();
        tokio::time::advance(secs(1)).await;
    }
    assert_eq!(regions[0].calls() - 5, 10, "forty seconds of an outage");
}

// What the loop does.

#[tokio::test(start_paused = true)]
async fn rounds_can_be_fixed_for_all_and_for_one_operation() {
    let calls_of = async |retry: Value| {
        let (regions, builder) = replicas(1);
        regions[0].set(Mode::Fail(Fault::Reset));
        let store = builder.breaker(settings(json!({"enabled": false}))).retry(settings(retry)).build().unwrap();
        read(&store).await.unwrap_err();
        let gets = regions[0].calls();
        store.list(None).try_collect::<Vec<_>>().await.unwrap_err();
        (gets, regions[0].calls() - gets)
    };
    assert_eq!(calls_of(json!({})).await, (3, 3));
    assert_eq!(calls_of(json!({"rounds": 4})).await, (4, 4));
    assert_eq!(calls_of(json!({"operations": {"list": {"rounds": 2}}})).await, (3, 2));
    assert_eq!(calls_of(json!({"enabled": false, "rounds": 4})).await, (1, 1));
}

#[tokio::test(start_paused = true)]
async fn pauses_between_rounds_are_drawn_below_base_delay_and_bounded_by_the_total() {
    let elapsed = async |retry: Value| {
        let (regions, builder) = replicas(1);
        regions[0].set(Mode::Fail(Fault::Reset));
        let store = builder.breaker(settings(json!({"enabled": false}))).retry(settings(retry)).build().unwrap();
        let began = Instant::now();
        for _ in 0..20 {
            read(&store).await.unwrap_err();
        }
        began.elapsed()
    };
    let short = elapsed(json!({"rounds": 2, "base_delay": "1s"})).await;
    assert!(short > secs(4) && short < secs(16), "{short:?}");
    let capped = elapsed(json!({"rounds": 8, "base_delay": "1s", "multiplier": 10.0, "max_delay": "1s"})).await;
    assert!(capped < secs(20 * 7), "{capped:?}");
}

#[tokio::test(start_paused = true)]
async fn each_limit_limits_what_it_says() {
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
        let began = Instant::now();
        if list {
            store.list(None).try_collect::<Vec<_>>().await.unwrap_err();
        } else {
            read(&store).await.unwrap_err();
        }
        began.elapsed()
    };
    assert_eq!(elapsed(json!({}), Mode::Hang, false).await, secs(5));
    assert_eq!(elapsed(json!({"attempt": "2s"}), Mode::Hang, false).await, secs(2));
    assert_eq!(elapsed(json!({"total": "3s"}), Mode::Hang, false).await, secs(3), "attempt is capped by it");
    assert_eq!(elapsed(json!({"stall": "7s"}), Mode::StallAfter(2), false).await, secs(7));
    assert_eq!(elapsed(json!({}), Mode::Hang, true).await, secs(15));
    assert_eq!(elapsed(json!({"operations": {"list": {"attempt": "4s"}}}), Mode::Hang, true).await, secs(4));
    assert_eq!(elapsed(json!({"operations": {"list": {"total": "6s"}}}), Mode::Hang, true).await, secs(6));
}

#[tokio::test(start_paused = true)]
async fn a_region_overrides_single_keys_and_inherits_the_rest() {
    let document = json!({
        "regions": [
            {"name": "a", "url": "memory:///", "breaker": {"failure_threshold": 1}, "timeouts": {"attempt": "1s"}, "weight": 3},
            {"name": "b", "url": "memory:///"},
        ],
        "breaker": {"open_for": "7s", "jitter": 0.0},
        "timeouts": {"attempt": "2s", "stall": "3s"}
    });
    let config: FailoverConfig = settings(document);
    assert_eq!((config.regions[0].weight, config.regions[1].weight), (3, 1));
    assert_eq!(config.regions[0].timeouts.attempt, Some(secs(1)));
    config.build().unwrap();
    // The same through the builder's own region, on which faults can be shown.
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
    let began = Instant::now();
    read(&store).await.unwrap_err();
    assert_eq!((began.elapsed(), circuits(&store)), (secs(1), vec![Open]));
}

#[tokio::test(start_paused = true)]
async fn flavor_says_whether_slow_down_is_overload_or_a_lost_quorum() {
    let after_reads = async |flavor: Flavor, code: &'static str| {
        let (regions, _) = replicas(2);
        put(&regions[0], "v").await;
        regions[1].set(Mode::Fail(Fault::Status(503, code)));
        let store = regions.iter().zip(NAMES).fold(FailoverStore::builder(), |builder, (region, name)| {
            builder.region(Region::new(name, Arc::clone(region) as Arc<dyn ObjectStore>).flavor(flavor))
        });
        let store = store.build().unwrap();
        for _ in 0..10 {
            read(&store).await.unwrap();
        }
        circuits(&store)[1]
    };
    for code in ["SlowDown", "SlowDownRead"] {
        assert_eq!(after_reads(Flavor::Minio, code).await, Open);
        assert_eq!(after_reads(Flavor::Aws, code).await, Closed);
        assert_eq!(after_reads(Flavor::Generic, code).await, Closed);
    }
    assert_eq!(after_reads(Flavor::Minio, "ServerBusy").await, Closed);
    let document = json!({"regions": [{"name": "a", "url": "memory:///", "flavor": "minio"}, {"name": "b", "url": "memory:///"}]});
    let config: FailoverConfig = settings(document);
    assert_eq!([config.regions[0].flavor, config.regions[1].flavor], [Flavor::Minio, Flavor::Generic]);
}

#[tokio::test(start_paused = true)]
async fn flavor_is_heard_where_a_listing_breaks() {
    let charged = async |flavor: Flavor| {
        let (regions, _) = replicas(1);
        for key in ["a", "b", "c"] {
            put_at(&regions[0], key).await;
        }
        regions[0].next([Mode::FailAfter(1, Fault::Status(503, "SlowDownRead"))]);
        let region = Region::new("a", Arc::clone(&regions[0]) as Arc<dyn ObjectStore>).flavor(flavor);
        let store = FailoverStore::builder().region(region).breaker(settings(json!({"failure_threshold": 1}))).build().unwrap();
        assert_eq!(store.list(None).try_collect::<Vec<_>>().await.unwrap().len(), 3);
        circuits(&store)[0] != Closed
    };
    assert!(charged(Flavor::Minio).await && !charged(Flavor::Generic).await);
}

#[test]
fn throttle_is_off_unless_its_table_is_there_and_an_empty_one_has_the_defaults() {
    let parse = |throttle: Value| settings::<FailoverConfig>(with("/throttle", throttle)).throttle;
    assert_eq!(parse(Value::Null), None);
    assert_eq!(settings::<FailoverConfig>(json!({"regions": []})).throttle, None);
    let defaults = ThrottleConfig { reads_per_second: 5000, writes_per_second: 3000, adaptive: true, max_in_flight: None };
    for same in [json!({}), json!({"adaptive": true}), json!({"reads_per_second": 5000, "writes_per_second": 3000, "adaptive": true})] {
        assert_eq!(parse(same), Some(defaults.clone()));
    }
    let own = json!({"reads_per_second": 1, "writes_per_second": 4_294_967_295_u32, "adaptive": false, "max_in_flight": 4_294_967_295_u32});
    let config: FailoverConfig = settings(with("/throttle", own));
    let named = ThrottleConfig { reads_per_second: 1, writes_per_second: u32::MAX, adaptive: false, max_in_flight: Some(u32::MAX) };
    assert_eq!(config.throttle, Some(named));
    config.build().unwrap();
    let toml = "[[regions]]\nname = \"a\"\nurl = \"memory:///\"\n[throttle]\n";
    assert_eq!(toml::from_str::<FailoverConfig>(toml).unwrap().throttle, Some(defaults));
}

#[test]
fn the_builder_refuses_a_throttle_that_lets_nobody_in() {
    let build = |throttle| FailoverStore::builder().region(Region::new("a", Arc::new(InMemory::new()))).throttle(throttle).build();
    build(ThrottleConfig::default()).unwrap();
    let error = build(ThrottleConfig { reads_per_second: 0, ..ThrottleConfig::default() }).unwrap_err().to_string();
    assert_eq!(error, "throttle.reads_per_second: must be at least 1: nobody would ever be let in");
}

#[tokio::test]
async fn a_store_bears_its_name_and_shows_its_regions() {
    let store = FailoverStore::builder().name("assets").region(Region::new("a", Arc::new(InMemory::new()))).build().unwrap();
    assert_eq!(store.to_string(), "FailoverStore(assets, a: InMemory)");
    assert_eq!(&*store.health().store, "assets");
}

#[tokio::test]
async fn local_folders_and_prefixes_work() {
    let folder = std::env::temp_dir().join(format!("object_store_failover-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("key"), "v").unwrap();
    let url = url::Url::from_directory_path(&folder).unwrap();
    let config: FailoverConfig = settings(json!({"regions": [{"name": "disk", "url": url}, {"name": "memory", "url": "memory:///below"}]}));
    let store = config.build().unwrap();
    for _ in 0..2 {
        assert_eq!(store.get(&"key".into()).await.unwrap().bytes().await.unwrap(), "v");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let error = config.build().unwrap_err().to_string();
    assert!(error.starts_with("regions[0].url: file:///"), "{error}");
}

// What is refused.

fn refusal(document: &Value) -> String {
    let parsed = serde_json::from_value::<FailoverConfig>(document.clone()).map_err(|error| error.to_string());
    parsed.and_then(|config| config.build().map_err(|error| error.to_string())).expect_err("it should have been refused")
}

/// A sound document with one thing changed.
fn with(pointer: &str, value: Value) -> Value {
    let mut document = json!({
        "regions": [{"name": "a", "url": "memory:///", "options": {}, "breaker": {}, "timeouts": {}}, {"name": "b", "url": "memory:///"}],
        "rotation": {}, "breaker": {}, "retry": {"operations": {"list": {}}}, "timeouts": {"operations": {"list": {}}}, "reads": {}, "writes": {"policy": "none"},
        "throttle": {}, "events": {}, "probe": {}
    });
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
    document
}

#[test]
fn unknown_keys_are_refused_with_their_path() {
    for (pointer, path) in [
        ("/nam", "nam"),
        ("/breaker/failure_treshold", "breaker"),
        ("/regions/0/wieght", "regions[0]"),
        ("/regions/0/breaker/opn_for", "regions[0].breaker"),
        ("/timeouts/operations/list/atempt", "timeouts.operations.list"),
        ("/timeouts/operations/lst", "timeouts.operations"),
        ("/reads/resum", "reads"),
        ("/writes/hom", "writes"),
        ("/throttle/read_per_second", "throttle"),
        ("/events/log_retry", "events"),
    ] {
        let error = refusal(&with(pointer, json!(1)));
        let key = pointer.rsplit('/').next().unwrap();
        assert!(error.contains(path) && error.contains(key), "{pointer}: {error}");
    }
    let toml = "[[regions]]\nname = \"a\"\nurl = \"memory:///\"\n[regions.breaker]\nopn_for = \"1s\"\n";
    let error = toml::from_str::<FailoverConfig>(toml).unwrap_err().to_string();
    assert!(error.contains("regions[0].breaker") && error.contains("opn_for"), "{error}");
}

#[test]
fn nonsense_is_refused_with_the_path_of_its_key() {
    let cases = [
        ("/breaker/failure_rate", json!(1.5), "breaker.failure_rate"),
        ("/breaker/failure_rate", json!(0.0), "breaker.failure_rate"),
        ("/breaker/failure_threshold", json!(0), "breaker.failure_threshold"),
        ("/breaker/success_threshold", json!(0), "breaker.success_threshold"),
        ("/events/alert_after", json!(0), "events.alert_after"),
        ("/breaker/window", json!("0s"), "breaker.window"),
        ("/breaker/open_for", json!("ten"), "breaker.open_for"),
        ("/breaker/open_for", json!("90s"), "breaker.open_for_max"),
        ("/breaker/all_open", json!("hope"), "breaker.all_open"),
        ("/regions/0/breaker/half_open_max_calls", json!(0), "regions[0].breaker.half_open_max_calls"),
        ("/regions/0/timeouts/total", json!("9s"), "regions[0].timeouts.total"),
        ("/regions/0/timeouts/attempt", json!("1h"), "regions[0].timeouts.attempt"),
        ("/regions/0/url", json!("memory"), "regions[0].url"),
        ("/regions/0/url", json!("ftp://host/x"), "regions[0].url"),
        ("/regions/0/url", json!("s3://key:hunter2@bucket"), "regions[0].url"),
        ("/regions/0/name", json!(" "), "regions[0].name"),
        ("/regions/0/ordered", json!("yes"), "regions[0].ordered"),
        ("/regions/0/flavor", json!("ceph"), "regions[0].flavor"),
        ("/regions/0/options/aws_region", json!("eu"), "regions[0].options.aws_region"),
        ("/retry/rounds", json!(0), "retry.rounds"),
        ("/retry/rounds", json!("often"), "retry.rounds"),
        ("/retry/multiplier", json!(0.5), "retry.multiplier"),
        ("/retry/max_delay", json!("1ms"), "retry.max_delay"),
        ("/retry/operations/list/rounds", json!(-1), "retry.operations.list.rounds"),
        ("/timeouts/attempt", json!("0s"), "timeouts.attempt"),
        ("/timeouts/attempt", json!("31s"), "timeouts.attempt"),
        ("/timeouts/total", json!("2years"), "timeouts.total"),
        ("/breaker/open_for_max", json!("2years"), "breaker.open_for_max"),
        ("/timeouts/operations/list/attempt", json!("40s"), "timeouts.operations.list.attempt"),
        ("/rotation/canary", json!(-0.1), "rotation.canary"),
        ("/rotation/policy", json!("primary"), "rotation.policy"),
        ("/reads/not_found", json!("home"), "reads.not_found"),
        ("/writes/policy", json!("everywhere"), "writes"),
        ("/writes/home", json!("mars"), "writes.home"),
        ("/throttle/reads_per_second", json!(0), "throttle.reads_per_second"),
        ("/throttle/writes_per_second", json!(0), "throttle.writes_per_second"),
        ("/throttle/writes_per_second", json!(-1), "throttle.writes_per_second"),
        ("/throttle/max_in_flight", json!(0), "throttle.max_in_flight"),
        ("/throttle/adaptive", json!("yes"), "throttle.adaptive"),
    ];
    for (pointer, value, path) in cases {
        let error = refusal(&with(pointer, value.clone()));
        assert!(error.contains(path), "{pointer} = {value}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn regions_are_counted_named_apart_and_not_all_weightless() {
    assert!(refusal(&json!({"regions": []})).contains("there is none"));
    assert!(refusal(&with("/regions/0/name", json!("b"))).contains("\"b\""));
    let mut weightless = with("/regions/0/weight", json!(0));
    weightless["regions"][1]["weight"] = json!(0);
    assert!(refusal(&weightless).contains("weight"));
    let many = (0..65).fold(FailoverStore::builder(), |builder: FailoverStoreBuilder, n| {
        builder.region(Region::new(format!("r{n}"), Arc::new(InMemory::new())))
    });
    assert!(matches!(many.build().unwrap_err(), ConfigError::TooManyRegions(65, 64)));
}
