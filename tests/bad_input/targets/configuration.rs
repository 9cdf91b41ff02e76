//! Documents: any text as TOML and as JSON. What is taken for one builds a store that answers, or is refused without a secret.
//!
//! Input: a document.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store_failover::{ConfigError, FailoverConfig, FailoverStore, OptionValue, RegionConfig};

use super::wire::Script;
use super::{run, sound};

pub fn target(data: &[u8]) {
    let json = serde_json::from_slice::<FailoverConfig>(data).map_err(|error| error.to_string());
    let toml = str::from_utf8(data).map_or_else(|error| Err(error.to_string()), read_toml);
    for parsed in [json, toml] {
        match parsed {
            Ok(config) => check(config),
            Err(error) => assert!(!error.is_empty()),
        }
    }
}

fn read_toml(text: &str) -> Result<FailoverConfig, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

fn check(mut config: FailoverConfig) {
    config.regions.truncate(REGIONS);
    if config.regions.iter().any(reaches_out) {
        return;
    }
    config.regions.iter_mut().for_each(prepare);
    // Rounds may be many, and pauses short.
    config.retry = serde_json::from_str(r#"{"enabled": false}"#).unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    let built = config.build();
    match &built {
        Ok(store) => run(answers(store, &config)),
        Err(error) => refused(error),
    }
    assert!(!format!("{built:?}").contains(SECRET));
}

/// The store is the one of the document, and ends what it is asked.
async fn answers(store: &FailoverStore, config: &FailoverConfig) {
    let health = store.health();
    let names = config.regions.iter().map(|region| region.name.as_str());
    assert!(health.regions.iter().map(|region| &*region.name).eq(names) && *health.store == *config.name);
    let shares: f64 = health.regions.iter().map(|region| region.share).sum();
    assert!((shares - 1.0).abs() < 1e-6, "{shares}");
    if let Err(error) = store.get(&"k".into()).await {
        let _ = sound::failure(&error);
        assert!(!format!("{error:?} {error}").contains(SECRET), "{error:?}");
    }
    serde_json::to_string(&store.health()).unwrap();
}

fn refused(error: &ConfigError) {
    let line = error.to_string();
    assert!(!line.is_empty() && !line.contains(SECRET), "{line}");
}

/// A secret before each value that is written out, and clients without a network.
fn prepare(region: &mut RegionConfig) {
    for value in region.options.values_mut().chain(region.headers.values_mut()) {
        if let OptionValue::Text(text) = value {
            text.insert_str(0, SECRET);
        }
    }
    if !matches!(region.url.scheme(), "memory" | "file") {
        region.connector = Some(Arc::new(Script::default()));
    }
}

/// Files, programs and the environment are not this test's business: a document may name `/dev/zero`.
fn reaches_out(region: &RegionConfig) -> bool {
    let fetched = |value: &OptionValue| matches!(value, OptionValue::Env(_) | OptionValue::File(_));
    let names_one = |options: &BTreeMap<String, OptionValue>| {
        let names = |key: &String| {
            ["file", "cli", "service_account", "application_credentials"].iter().any(|word| key.to_ascii_lowercase().contains(word))
        };
        options.iter().any(|(key, value)| names(key) || fetched(value))
    };
    region.url.scheme() == "file" || region.ca_file.is_some() || names_one(&region.options) || region.headers.values().any(fetched)
}

const SECRET: &str = "hunter2-of-the-options";
/// More are counted, and no more than counted.
const REGIONS: usize = 70;
