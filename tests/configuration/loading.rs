//! Documents from text and files, and documents beside code.

use std::sync::Arc;

use object_store::memory::InMemory;
use object_store_failover::{ConfigError, FailoverConfig, Region, RegionConfig};
use serde_json::json;

const SECRET: &str = "hunter2hunter2";

fn toml_error(text: &str) -> String {
    FailoverConfig::from_toml(text).unwrap_err().to_string()
}

#[test]
fn toml_errors_have_line_column_and_key() {
    let error = toml_error("name = 'x'\n[breaker]\nfailure_treshold = 3\n");
    assert!(
        error.starts_with("line 3, column 1: breaker.failure_treshold: "),
        "{error}"
    );
    // After characters of several bytes.
    let error = toml_error("# \u{e9}\u{e9}\nname = '\u{e9}\u{e9}' x\n");
    assert!(error.starts_with("line 2, column 13: "), "{error}");
}

#[test]
fn json_errors_have_line_column_and_key() {
    let text = "{\"regions\": [],\n \"breaker\": {\"failure_treshold\": 3}}";
    let error = FailoverConfig::from_json(text).unwrap_err().to_string();
    assert!(error.starts_with("line 2, column "), "{error}");
    assert!(error.contains("breaker.failure_treshold"), "{error}");
    assert_eq!(error.matches("line").count(), 1, "{error}");
}

#[test]
fn errors_of_documents_show_no_secret() {
    let broken = [
        format!("[regions.options]\nsecret_access_key = \"{SECRET}\nname = 'a'"),
        format!("[[regions]]\nname = 'a'\nurl = 's3://u:{SECRET}/x@b'"),
        format!("[[regions]]\nname = 'a'\nurl = 's3://b'\nheaders = 'X-Api-Key: {SECRET}'"),
        format!("[[regions]]\nname = 'a'\nurl = 's3://b'\noptions = '{SECRET}'"),
        format!("[[regions]]\nname = 'a'\nurl = '{SECRET}'"),
        format!("breaker = '{SECRET}'"),
        format!("[timeouts]\nattempt = '{SECRET}'"),
    ];
    for text in broken {
        let error = FailoverConfig::from_toml(&text).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(SECRET), "{shown}");
        assert!(shown.contains("line "), "{shown}");
    }
    let json = json!({"regions": [{"name": "a", "url": "s3://b", "headers": SECRET}]});
    let error = FailoverConfig::from_json(&json.to_string()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
}

#[test]
fn files_are_parsed_by_their_extension() {
    let folder = std::env::temp_dir().join(format!("failover-loading-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let toml = file("a.toml", "[[regions]]\nname = 'a'\nurl = 'memory:///'");
    let json = file(
        "a.json",
        r#"{"regions": [{"name": "a", "url": "memory:///"}]}"#,
    );
    for path in [&toml, &json] {
        let config = FailoverConfig::from_file(path).unwrap();
        assert_eq!(config.regions.len(), 1, "{path:?}");
    }
    let invalid = file("b.toml", "nam = 'a'");
    for (path, part) in [
        (invalid, "b.toml, line 1, column 1: nam: "),
        (file("c.txt", ""), "c.txt: the format is unknown"),
        (folder.join("missing.toml"), "missing.toml: "),
    ] {
        let error = FailoverConfig::from_file(path).unwrap_err();
        assert!(matches!(error, ConfigError::Document { .. }), "{error:?}");
        assert!(error.to_string().contains(part), "{error}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn document_and_code_name_regions_together() {
    let document = "name = 'mixed'\n[[regions]]\nname = 'a'\nurl = 'memory:///'";
    let config = FailoverConfig::from_toml(document).unwrap();
    let builder = config.into_builder().unwrap();
    let store = builder
        .region(Region::new("b", Arc::new(InMemory::new())))
        .build()
        .unwrap();
    let health = store.health();
    let names: Vec<_> = health.regions.iter().map(|region| &*region.name).collect();
    assert_eq!(names, ["a", "b"]);
    assert!(store.to_string().contains("mixed"), "{store}");
}

#[test]
fn region_from_code_obeys_the_rules_of_documents() {
    let mut config = FailoverConfig::from_toml("regions = []").unwrap();
    config
        .regions
        .push(RegionConfig::new("a", "memory:///").unwrap());
    assert!(config.build().is_ok());
    for url in [
        format!("s3://user:{SECRET}@bucket"),
        format!("https://host/bucket?sig={SECRET}"),
        SECRET.to_owned(),
    ] {
        let error = RegionConfig::new("a", &url).unwrap_err().to_string();
        assert!(
            error.starts_with("url: ") && !error.contains(SECRET),
            "{error}"
        );
    }
}
