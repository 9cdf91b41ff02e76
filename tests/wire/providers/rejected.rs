//! Invalid options, headers and URLs are rejected without disclosing secrets.

use failover_testkit::provider::Kind;
use object_store_failover::FailoverConfig;
use serde_json::{Value, json};

use super::{config, region, rejection, with_options};

#[test]
fn reserved_headers_are_rejected() {
    let check_rejected = |header: &str, value: &str| {
        let mut region = region("a", Kind::Http, "http://127.0.0.1:9");
        region["headers"] = json!({header: value});
        let error = rejection(region);
        assert!(
            error.starts_with(&format!("regions[0].headers.{header}: "))
                && !error.contains("hunter2"),
            "{error}"
        );
    };
    for header in [
        "Range",
        "If-Match",
        "if-none-match",
        "Authorization",
        "Host",
        "accept-encoding",
    ] {
        check_rejected(header, "hunter2");
    }
    let mut twice = region("a", Kind::Http, "http://127.0.0.1:9");
    twice["headers"] = json!({"X-Team": "readers", "x-team": "writers"});
    assert!(rejection(twice).contains("is set twice"));
    check_rejected("not a name", "x");
    check_rejected("x-two-lines", "hunter2\r\nx-more: 1");
    let local = json!({"name": "a", "url": "memory:///", "headers": {"x-team": "readers"}});
    assert!(
        rejection(local).starts_with("regions[0].headers.x-team: a memory store sends no requests")
    );
}

#[test]
fn unknown_options_are_rejected_with_their_path() {
    let cases = [
        (Kind::Google, "aws_region", "a Google Cloud Storage store"),
        (Kind::Azure, "google_bucket", "an Azure store"),
        (Kind::Http, "azure_storage_account_key", "an HTTP store"),
    ];
    for (kind, option, store) in cases {
        let error = rejection(with_options(
            region("a", kind, "http://127.0.0.1:9"),
            json!({option: "hunter2"}),
        ));
        assert!(
            error.starts_with(&format!(
                "regions[0].options.{option}: is no option of {store}"
            )),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
        let mut with_ca = region("a", kind, "http://127.0.0.1:9");
        with_ca["ca_file"] = json!("no/such/file");
        assert!(
            rejection(with_ca).starts_with("regions[0].ca_file"),
            "{kind:?}"
        );
    }
    let missing = with_options(
        region("a", Kind::Google, "http://127.0.0.1:9"),
        json!({"google_bearer_token": {"env": "NOT_SET_ANYWHERE"}}),
    );
    assert!(rejection(missing).contains(
        "regions[0].options.google_bearer_token: the environment variable NOT_SET_ANYWHERE"
    ));
}

#[test]
fn rejections_do_not_disclose_misplaced_secrets() {
    let google = |options: Value| json!({"name": "a", "url": "gs://bucket", "options": options});
    let azure =
        |options: Value| with_options(region("a", Kind::Azure, "http://127.0.0.1:9"), options);
    for region in [
        // serde errors quote the value that they reject.
        google(json!({"google_service_account_key": "\"hunter2\""})),
        google(json!({
            "google_service_account_key": INVALID_ACCOUNT,
        })),
        google(json!({"google_service_account": "hunter2"})),
        google(json!({
            "google_service_account": "hunt",
            "google_service_account_key": "hunter2",
            "allow_http": "hunter2",
        })),
        azure(json!({"azure_skip_signature": "hunter2"})),
        azure(json!({"azure_endpoint": "hunter2"})),
        azure(json!({"account_key": "hunter2!"})),
        with_options(
            region("a", Kind::Http, "http://127.0.0.1:9"),
            json!({"allow_http": "hunter2"}),
        ),
    ] {
        let error = rejection(region.clone());
        assert!(
            error.starts_with("regions[0].options")
                && !error.contains("hunter2")
                && !error.contains("ter2"),
            "{error}"
        );
        assert!(!format!("{:?}", config(vec![region])).contains("hunter2"));
    }
}

#[test]
fn urls_are_accepted_unless_they_hold_secrets() {
    let build = |url: &str, options: Value| {
        let document = json!({"regions": [{"name": "a", "url": url, "options": options}]});
        let parsed = serde_json::from_value::<FailoverConfig>(document)
            .map_err(|error| error.to_string())?;
        parsed
            .build()
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let key = || json!({"account_key": "cmlnaHQ="});
    let account = || json!({"account_key": "cmlnaHQ=", "account_name": "account"});
    build(
        "abfss://container@account.dfs.core.windows.net/prefix",
        key(),
    )
    .unwrap();
    build("az://container@account.blob.core.windows.net", key()).unwrap();
    build(
        "https://account.blob.core.windows.net/container/prefix",
        key(),
    )
    .unwrap();
    build(
        "https://account.blob.core.windows.net",
        json!({"account_key": "cmlnaHQ=", "container_name": "container"}),
    )
    .unwrap();
    for scheme in ["az", "adl", "azure", "abfs", "abfss"] {
        build(&format!("{scheme}://container/prefix"), account()).unwrap();
    }
    build("https://mirror.example/data", json!({})).unwrap();
    assert!(
        build("az://container", key())
            .unwrap_err()
            .contains("Account must be specified")
    );
    for url in [
        "https://user:hunter2@mirror.example/data",
        "https://hunter2@mirror.example/data",
        "gs://hunter2@bucket",
        "abfss://container:hunter2@account.dfs.core.windows.net",
        "https://account.blob.core.windows.net/container?sv=1&sig=hunter2",
        "https://mirror.example/data#hunter2",
    ] {
        let error = build(url, json!({})).unwrap_err();
        assert!(
            error.contains("regions[0].url: a url must not") && !error.contains("hunter2"),
            "{error}"
        );
    }
}

/// `disable_oauth` is not a boolean.
const INVALID_ACCOUNT: &str = r#"{
    "private_key": "x",
    "private_key_id": "x",
    "client_email": "x",
    "disable_oauth": "hunter2 \" hunter2"
}"#;
