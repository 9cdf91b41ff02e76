//! The error of a rejected document names the key and contains no value of an option or header.

use object_store_failover::FailoverConfig;
use serde_json::{Value, json};

use failover_testkit::markers::{SECRETS, secrets_in};

/// All errors of a document, as TOML and as JSON.
fn rejection(document: &Value) -> String {
    let text = toml::to_string(document).unwrap();
    let toml = match toml::from_str::<FailoverConfig>(&text) {
        // The `Display` of a toml error quotes the line of the document; only `message` is ours.
        Err(error) => error.message().to_owned(),
        Ok(config) => config
            .build()
            .map(drop)
            .map_or_else(|error| format!("{error} {error:?}"), |()| String::new()),
    };
    let json = match serde_json::from_value::<FailoverConfig>(document.clone()) {
        Err(error) => format!("{error} {error:?}"),
        Ok(config) => {
            let stores = config
                .region_stores()
                .map(drop)
                .map_or_else(|error| format!("{error} {error:?}"), |()| String::new());
            format!(
                "{stores} {}",
                config
                    .build()
                    .map(drop)
                    .map_or_else(|error| format!("{error} {error:?}"), |()| String::new())
            )
        }
    };
    assert!(
        !toml.is_empty() && json.trim().len() > 1,
        "the document was accepted: {document}"
    );
    format!("{toml} {json}")
}

fn region(url: &str, options: Value) -> Value {
    json!({"regions": [{"name": "a", "url": url, "options": options}]})
}

/// Documents with secrets in the options of S3.
fn s3_documents() -> Vec<(&'static str, Value)> {
    let [secret, token, .., proxy, _, _, _] = SECRETS;
    let s3 = |options: Value| region("s3://bucket", options);
    let keyed = |option: &str, value: &str| {
        s3(json!({"access_key_id": "id", "secret_access_key": secret, option: value}))
    };
    let proxy = format!("http://user:{proxy}@:x");
    vec![
        (
            "secret without its id",
            s3(json!({"secret_access_key": secret, "session_token": token})),
        ),
        ("unknown option", keyed("secret_key", secret)),
        (
            "option that is a list",
            s3(json!({"secret_access_key": [secret]})),
        ),
        (
            "option that is a table",
            s3(json!({"secret_access_key": {"vault": secret}})),
        ),
        ("secret as a boolean", keyed("allow_http", token)),
        ("secret as a duration", keyed("timeout", token)),
        ("secret as a number", keyed("pool_max_idle_per_host", token)),
        ("invalid proxy", keyed("proxy_url", &proxy)),
    ]
}

/// Documents with secrets in the options of Google Cloud Storage, Azure and memory stores.
fn other_documents() -> Vec<(&'static str, Value)> {
    let [secret, _, azure, signature, bearer, ..] = SECRETS;
    let google = |key: &str, value: &str| region("gs://bucket", json!({key: value}));
    let azure_with =
        |key: &str, value: String| region("az://c", json!({"account_name": "n", key: value}));
    let account = json!({
        "type": "service_account",
        "client_email": "a@b",
        "private_key_id": "1",
        "private_key": bearer,
    })
    .to_string();
    vec![
        (
            "service account with an invalid key",
            google("google_service_account_key", &account),
        ),
        (
            "service account that is not JSON",
            google(
                "google_service_account_key",
                &format!("{{\"private_key\": \"{bearer}\""),
            ),
        ),
        (
            "service account that is a string",
            google("google_service_account_key", &format!("\"{bearer}\"")),
        ),
        (
            "service account as a file name",
            google("google_service_account", &account),
        ),
        (
            "azure key that is not base64",
            azure_with("account_key", format!("{azure}!{signature}")),
        ),
        (
            "invalid azure signature",
            azure_with("sas_key", format!("{signature}%zz")),
        ),
        (
            "options of a memory store",
            region("memory:///", json!({"secret_access_key": secret})),
        ),
    ]
}

/// Documents with secrets in headers and URLs.
fn header_and_url_documents() -> Vec<(&'static str, Value)> {
    let [secret, _, _, signature, _, _, header, ..] = SECRETS;
    let headers = |headers: Value| {
        let region = json!({"name": "a", "url": "s3://bucket", "headers": headers});
        json!({"regions": [region]})
    };
    let url = |url: String| json!({"regions": [{"name": "a", "url": url}]});
    vec![
        (
            "header with a line end",
            headers(json!({"x-a": format!("{header}\r\n")})),
        ),
        ("reserved header", headers(json!({"authorization": header}))),
        ("header that is a list", headers(json!({"x-a": [header]}))),
        (
            "password in the url",
            url(format!("s3://id:{secret}@bucket")),
        ),
        (
            "signature in the url",
            url(format!(
                "https://account.blob.core.windows.net/c?sig={signature}"
            )),
        ),
    ]
}

#[test]
fn rejected_documents_disclose_no_secret() {
    let documents = [
        s3_documents(),
        other_documents(),
        header_and_url_documents(),
    ];
    for (case, document) in documents.into_iter().flatten() {
        let text = rejection(&document);
        assert!(
            text.contains("regions[0]") || text.contains("regions"),
            "{case}: {text}"
        );
        assert_eq!(secrets_in(&text), [""; 0], "{case}: {text}");
    }
}
