//! Invalid documents are rejected with the path of the key.

use std::sync::Arc;

use object_store::memory::InMemory;
use object_store_failover::{
    ConfigError, FailoverConfig, FailoverStore, FailoverStoreBuilder, Region,
};
use serde_json::{Value, json};

/// The error of a document, from parsing or from building.
fn rejection(document: &Value) -> String {
    let parsed = serde_json::from_value::<FailoverConfig>(document.clone())
        .map_err(|error| error.to_string());
    parsed
        .and_then(|config| config.build().map_err(|error| error.to_string()))
        .expect_err("the document was accepted")
}

/// A valid document with one key changed.
pub fn document_with(pointer: &str, value: Value) -> Value {
    let mut document = json!({
        "regions": [
            {"name": "a", "url": "memory:///", "options": {}, "breaker": {}, "timeouts": {}},
            {"name": "b", "url": "memory:///"},
        ],
        "rotation": {}, "breaker": {}, "retry": {"operations": {"list": {}}}, "timeouts": {
            "operations": {"list": {}},
        }, "reads": {}, "writes": {"policy": "none"},
        "throttle": {}, "events": {}, "probe": {}
    });
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    document.pointer_mut(parent).unwrap()[key] = value;
    document
}

#[test]
fn unknown_keys_are_rejected_with_their_path() {
    for (pointer, path) in [
        ("/nam", "nam"),
        ("/breaker/failure_treshold", "breaker"),
        ("/regions/0/wieght", "regions[0]"),
        ("/regions/0/breaker/opn_for", "regions[0].breaker"),
        (
            "/timeouts/operations/list/atempt",
            "timeouts.operations.list",
        ),
        ("/timeouts/operations/lst", "timeouts.operations"),
        ("/reads/resum", "reads"),
        ("/writes/hom", "writes"),
        ("/throttle/read_per_second", "throttle"),
        ("/events/log_retry", "events"),
    ] {
        let error = rejection(&document_with(pointer, json!(1)));
        let key = pointer.rsplit('/').next().unwrap();
        assert!(
            error.contains(path) && error.contains(key),
            "{pointer}: {error}"
        );
    }
    let toml =
        "[[regions]]\nname = \"a\"\nurl = \"memory:///\"\n[regions.breaker]\nopn_for = \"1s\"\n";
    let error = toml::from_str::<FailoverConfig>(toml)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("regions[0].breaker") && error.contains("opn_for"),
        "{error}"
    );
}

/// A key, an invalid value as JSON, and the path that the error names.
const INVALID_VALUES: &[(&str, &str, &str)] = &[
    ("/breaker/failure_rate", "1.5", "breaker.failure_rate"),
    ("/breaker/failure_rate", "0.0", "breaker.failure_rate"),
    (
        "/breaker/failure_threshold",
        "0",
        "breaker.failure_threshold",
    ),
    (
        "/breaker/success_threshold",
        "0",
        "breaker.success_threshold",
    ),
    ("/events/alert_after", "0", "events.alert_after"),
    ("/breaker/window", "\"0s\"", "breaker.window"),
    ("/breaker/open_for", "\"ten\"", "breaker.open_for"),
    ("/breaker/open_for", "\"90s\"", "breaker.open_for_max"),
    ("/breaker/all_open", "\"hope\"", "breaker.all_open"),
    (
        "/regions/0/breaker/half_open_max_calls",
        "0",
        "regions[0].breaker.half_open_max_calls",
    ),
    (
        "/regions/0/timeouts/total",
        "\"9s\"",
        "regions[0].timeouts.total",
    ),
    (
        "/regions/0/timeouts/attempt",
        "\"1h\"",
        "regions[0].timeouts.attempt",
    ),
    ("/regions/0/url", "\"memory\"", "regions[0].url"),
    ("/regions/0/url", "\"ftp://host/x\"", "regions[0].url"),
    (
        "/regions/0/url",
        "\"s3://key:hunter2@bucket\"",
        "regions[0].url",
    ),
    ("/regions/0/name", "\" \"", "regions[0].name"),
    ("/regions/0/ordered", "\"yes\"", "regions[0].ordered"),
    ("/regions/0/flavor", "\"ceph\"", "regions[0].flavor"),
    (
        "/regions/0/options/aws_region",
        "\"eu\"",
        "regions[0].options.aws_region",
    ),
    ("/retry/rounds", "0", "retry.rounds"),
    ("/retry/rounds", "\"often\"", "retry.rounds"),
    ("/retry/multiplier", "0.5", "retry.multiplier"),
    ("/retry/max_delay", "\"1ms\"", "retry.max_delay"),
    (
        "/retry/operations/list/rounds",
        "-1",
        "retry.operations.list.rounds",
    ),
    ("/timeouts/attempt", "\"0s\"", "timeouts.attempt"),
    ("/timeouts/attempt", "\"31s\"", "timeouts.attempt"),
    ("/timeouts/total", "\"2years\"", "timeouts.total"),
    (
        "/breaker/open_for_max",
        "\"2years\"",
        "breaker.open_for_max",
    ),
    (
        "/timeouts/operations/list/attempt",
        "\"40s\"",
        "timeouts.operations.list.attempt",
    ),
    ("/rotation/canary", "-0.1", "rotation.canary"),
    ("/rotation/policy", "\"primary\"", "rotation.policy"),
    ("/reads/not_found", "\"home\"", "reads.not_found"),
    ("/writes/policy", "\"everywhere\"", "writes"),
    ("/writes/home", "\"mars\"", "writes.home"),
    (
        "/throttle/reads_per_second",
        "0",
        "throttle.reads_per_second",
    ),
    (
        "/throttle/writes_per_second",
        "0",
        "throttle.writes_per_second",
    ),
    (
        "/throttle/writes_per_second",
        "-1",
        "throttle.writes_per_second",
    ),
    ("/throttle/max_in_flight", "0", "throttle.max_in_flight"),
    ("/throttle/adaptive", "\"yes\"", "throttle.adaptive"),
];

#[test]
fn invalid_values_are_rejected_with_their_path() {
    for (pointer, value, path) in INVALID_VALUES {
        let error = rejection(&document_with(
            pointer,
            serde_json::from_str(value).unwrap(),
        ));
        assert!(error.contains(path), "{pointer} = {value}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn region_count_names_and_weights_are_checked() {
    assert!(rejection(&json!({"regions": []})).contains("there is none"));
    assert!(rejection(&document_with("/regions/0/name", json!("b"))).contains("\"b\""));
    let mut weightless = document_with("/regions/0/weight", json!(0));
    weightless["regions"][1]["weight"] = json!(0);
    assert!(rejection(&weightless).contains("weight"));
    let many = (0..65).fold(
        FailoverStore::builder(),
        |builder: FailoverStoreBuilder, n| {
            builder.region(Region::new(format!("r{n}"), Arc::new(InMemory::new())))
        },
    );
    assert!(matches!(
        many.build().unwrap_err(),
        ConfigError::TooManyRegions(65, 64)
    ));
}
