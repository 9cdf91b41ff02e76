//! Configuration documents: any text as TOML and JSON. A valid document builds a store; the error
//! of a rejected one discloses no secret.
//!
//! Input: a document.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::ObjectStoreExt;
use object_store_failover::{ConfigError, FailoverConfig, FailoverStore, RegionConfig};

use object_store_failover::config::OptionValue;

use super::client::ScriptedClient;
use super::{checks, run};

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
    config.regions.truncate(MAX_REGIONS);
    if config.regions.iter().any(uses_environment) {
        return;
    }
    config.regions.iter_mut().for_each(prepare);
    // A document may request many rounds with short delays.
    config.retry = serde_json::from_str(r#"{"enabled": false}"#).unwrap();
    let debug_text = format!("{config:?}");
    assert!(!debug_text.contains(SECRET), "{debug_text}");
    let built = config.build();
    match &built {
        Ok(store) => run(check_store(store, &config)),
        Err(error) => check_rejection(error),
    }
    assert!(!format!("{built:?}").contains(SECRET));
}

/// The store matches the document, and a read ends.
async fn check_store(store: &FailoverStore, config: &FailoverConfig) {
    let health = store.health();
    let names = config.regions.iter().map(|region| region.name.as_str());
    assert!(
        health.regions.iter().map(|region| &*region.name).eq(names)
            && *health.store == *config.name
    );
    let shares: f64 = health.regions.iter().map(|region| region.share).sum();
    assert!((shares - 1.0).abs() < 1e-6, "{shares}");
    if let Err(error) = store.get(&"k".into()).await {
        let _ = checks::failure(&error);
        assert!(!format!("{error:?} {error}").contains(SECRET), "{error:?}");
    }
    serde_json::to_string(&store.health()).unwrap();
}

fn check_rejection(error: &ConfigError) {
    let line = error.to_string();
    assert!(!line.is_empty() && !line.contains(SECRET), "{line}");
}

/// Prefixes each literal value with a secret and replaces the network clients.
fn prepare(region: &mut RegionConfig) {
    for value in region
        .options
        .values_mut()
        .chain(region.headers.values_mut())
    {
        if let OptionValue::Text(text) = value {
            text.insert_str(0, SECRET);
        }
    }
    if !matches!(region.url.scheme(), "memory" | "file") {
        region.connector = Some(Arc::new(ScriptedClient::default()));
    }
}

/// Whether the document refers to files, programs or variables, such as `/dev/zero`.
fn uses_environment(region: &RegionConfig) -> bool {
    let is_reference =
        |value: &OptionValue| matches!(value, OptionValue::Env(_) | OptionValue::File(_));
    let names_one = |options: &BTreeMap<String, OptionValue>| {
        let names = |key: &String| {
            ["file", "cli", "service_account", "application_credentials"]
                .iter()
                .any(|word| key.to_ascii_lowercase().contains(word))
        };
        options
            .iter()
            .any(|(key, value)| names(key) || is_reference(value))
    };
    region.url.scheme() == "file"
        || region.ca_file.is_some()
        || names_one(&region.options)
        || region.headers.values().any(is_reference)
}

const SECRET: &str = "hunter2-of-the-options";
/// More regions than a store accepts, so that the limit is tested.
const MAX_REGIONS: usize = 70;
