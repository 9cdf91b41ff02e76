//! Documents that are refused: the error names the key, and shows no value of an option or a header.

use object_store_failover::FailoverConfig;
use serde_json::{Value, json};

use crate::marked::{SECRETS, secrets_in};

/// What is said of a document, by whatever refuses it.
fn refusal(document: &Value) -> String {
    let text = toml::to_string(document).unwrap();
    let toml = match toml::from_str::<FailoverConfig>(&text) {
        // toml's own `Display` shows the whole line of the document; what is wrong with it is its `message`.
        Err(error) => error.message().to_owned(),
        Ok(config) => config.build().map(drop).map_or_else(|error| format!("{error} {error:?}"), |()| String::new()),
    };
    let json = match serde_json::from_value::<FailoverConfig>(document.clone()) {
        Err(error) => format!("{error} {error:?}"),
        Ok(config) => {
            let stores = config.region_stores().map(drop).map_or_else(|error| format!("{error} {error:?}"), |()| String::new());
            format!("{stores} {}", config.build().map(drop).map_or_else(|error| format!("{error} {error:?}"), |()| String::new()))
        }
    };
    assert!(!toml.is_empty() && json.trim().len() > 1, "it was taken: {document}");
    format!("{toml} {json}")
}

fn s3(options: Value) -> Value {
    json!({"regions": [{"name": "a", "url": "s3://bucket", "options": options}]})
}

#[test]
fn a_document_that_is_refused_shows_no_secret() {
    let [secret, token, azure, signature, bearer, proxy, header, ..] = SECRETS;
    let account =
        |key: &str| json!({"type": "service_account", "client_email": "a@b", "private_key_id": "1", "private_key": key}).to_string();
    let google = |key: &str, value: &str| json!({"regions": [{"name": "a", "url": "gs://bucket", "options": {key: value}}]});
    let headers = |headers: Value| json!({"regions": [{"name": "a", "url": "s3://bucket", "headers": headers}]});
    let documents = [
        ("secret without its id", s3(json!({"secret_access_key": secret, "session_token": token}))),
        ("unknown option", s3(json!({"access_key_id": "id", "secret_access_key": secret, "secret_key": secret}))),
        ("option that is a list", s3(json!({"secret_access_key": [secret]}))),
        ("option that is a table", s3(json!({"secret_access_key": {"vault": secret}}))),
        ("secret where a switch belongs", s3(json!({"access_key_id": "id", "secret_access_key": secret, "allow_http": token}))),
        ("secret where a time belongs", s3(json!({"access_key_id": "id", "secret_access_key": secret, "timeout": token}))),
        ("secret where a number belongs", s3(json!({"access_key_id": "id", "secret_access_key": secret, "pool_max_idle_per_host": token}))),
        (
            "proxy that is none",
            s3(json!({"access_key_id": "id", "secret_access_key": secret, "proxy_url": format!("http://user:{proxy}@:x")})),
        ),
        ("service account with half a key", google("google_service_account_key", &account(bearer))),
        ("service account that is no document", google("google_service_account_key", &format!("{{\"private_key\": \"{bearer}\""))),
        ("service account in pieces", google("google_service_account_key", &format!("\"{bearer}\""))),
        ("service account file that is the account", google("google_service_account", &account(bearer))),
        (
            "azure key that is no base64",
            json!({"regions": [{"name": "a", "url": "az://c", "options": {"account_name": "n", "account_key": format!("{azure}!{signature}")}}]}),
        ),
        (
            "azure signature that is none",
            json!({"regions": [{"name": "a", "url": "az://c", "options": {"account_name": "n", "sas_key": format!("{signature}%zz")}}]}),
        ),
        ("header with a line end", headers(json!({"x-a": format!("{header}\r\n")}))),
        ("header that is the client's", headers(json!({"authorization": header}))),
        ("header that is a list", headers(json!({"x-a": [header]}))),
        (
            "options of a store that has none",
            json!({"regions": [{"name": "a", "url": "memory:///", "options": {"secret_access_key": secret}}]}),
        ),
        ("password in the url", json!({"regions": [{"name": "a", "url": format!("s3://id:{secret}@bucket")}]})),
        (
            "signature in the url",
            json!({"regions": [{"name": "a", "url": format!("https://account.blob.core.windows.net/c?sig={signature}")}]}),
        ),
    ];
    for (what, document) in documents {
        let said = refusal(&document);
        assert!(said.contains("regions[0]") || said.contains("regions"), "{what}: {said}");
        assert_eq!(secrets_in(&said), [""; 0], "{what}: {said}");
    }
}
