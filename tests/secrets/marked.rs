//! A document full of markers, and where they must not be found.

use std::path::PathBuf;

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::canned::Canned;

/// The object that everybody asks for.
pub const KEY: &str = "marked-folder/marked-key";

/// The object that probes ask for. It is a setting, which a store shows in its `Debug`, and nowhere else.
pub const CANARY: &str = "marked-canary";

/// What the regions are told in confidence, in every way that a document has. `PATH` is an environment variable that is always there.
pub const SECRETS: [&str; 9] = [
    "secret-of-s3-7f3a",
    "token-of-s3-7f3a",
    "c2VjcmV0LW9mLWF6dXJlLTdmM2E=",
    "signature-of-azure-7f3a",
    "bearer-of-google-7f3a",
    "password-of-the-proxy-7f3a",
    "header-in-confidence-7f3a",
    "secret-in-a-file-7f3a",
    "secret-of-basic-7f3a",
];
const AZURE_IN_BYTES: &[u8] = b"secret-of-azure-7f3a";

/// Regions of a document with these secrets.
pub struct Marked {
    pub document: Value,
    /// Whoever lives on answers nobody.
    _silent: TcpListener,
    file: PathBuf,
}

impl Marked {
    /// Regions that fail, each in its own way; `serves` names one more that has the object.
    pub async fn regions(serves: bool) -> Self {
        let [secret, token, azure, signature, bearer, proxy, header, in_file, basic] = SECRETS;
        let body = format!("<Error><Code>SignatureDoesNotMatch</Code><Key>{KEY}</Key><Resource>/{KEY}</Resource></Error>");
        let says = async |status: u16| {
            let head =
                format!("HTTP/1.1 {status} X\r\nconnection: close\r\nx-amz-request-id: ID7\r\ncontent-length: {}\r\n\r\n", body.len());
            Canned::answering(format!("{head}{body}").into_bytes()).await.endpoint
        };
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hangs = format!("http://{}", silent.local_addr().unwrap());
        // Nobody listens there any more.
        let gone = format!("127.0.0.1:{}", TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port());
        let file = std::env::temp_dir().join(format!("object_store_failover-secret-{}-{serves}", std::process::id()));
        std::fs::write(&file, in_file).unwrap();
        let s3 = |endpoint: &str, more: Value| {
            let mut options = json!({"endpoint": endpoint, "allow_http": true, "access_key_id": "id", "secret_access_key": secret});
            options.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            options
        };
        let az = |endpoint: &str, key: &str, value: &str| json!({"account_name": "account", "azure_storage_endpoint": endpoint, "allow_http": true, key: value});
        let mut regions = vec![
            json!({"name": "refuses", "url": "s3://bucket", "options": s3(&says(403).await, json!({"session_token": token})), "headers": {"x-a": header}}),
            json!({"name": "busy", "url": "s3://bucket", "options": s3(&says(503).await, json!({"secret_access_key": {"file": file}}))}),
            json!({"name": "hangs", "url": "s3://bucket", "options": s3(&hangs, json!({"secret_access_key": {"env": "PATH"}}))}),
            json!({"name": "proxied", "url": "s3://bucket", "options": s3("http://no-such-host", json!({"proxy_url": format!("http://user:{proxy}@{gone}")}))}),
            json!({"name": "keyed", "url": "az://bucket", "options": az(&format!("{}/account", says(503).await), "account_key", azure)}),
            json!({"name": "signed", "url": "az://bucket", "options": az(&format!("{}/account", says(403).await), "sas_key", &format!("?sv=1&sig={signature}"))}),
            json!({"name": "signed-gone", "url": "az://bucket", "options": az(&format!("http://{gone}/account"), "sas_key", &format!("?sv=1&sig={signature}"))}),
            json!({"name": "google", "url": "gs://bucket", "options": {"google_base_url": says(500).await, "allow_http": true, "google_bearer_token": bearer}}),
            json!({"name": "http", "url": format!("{}/bucket", says(502).await), "headers": {"x-basic": format!("Basic {basic}")}}),
        ];
        if serves {
            let answer = "HTTP/1.1 200 X\r\nconnection: close\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\ncontent-length: 5\r\n\r\nbytes";
            regions.push(Canned::answering(answer.as_bytes().to_vec()).await.region("serves"));
        }
        let operations =
            ["list", "list_with_delimiter", "put", "delete", "copy"].map(|name| (name.to_owned(), json!({"attempt": "100ms"})));
        let operations: serde_json::Map<_, _> = operations.into_iter().collect();
        let document = json!({
            "regions": regions,
            "rotation": {"policy": "nearest", "canary": 0},
            "breaker": {"failure_threshold": 2},
            "timeouts": {"attempt": "250ms", "connect": "100ms", "operations": operations},
            "retry": {"rounds": 2, "base_delay": "10ms", "max_delay": "20ms"},
            "writes": {"policy": "any"},
            "events": {"log_retries": true, "alert_after": 1},
            "probe": {"path": CANARY},
        });
        Self { document, _silent: silent, file }
    }
}

impl Drop for Marked {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// The secrets that this text shows, however it was written down.
pub fn secrets_in(text: &str) -> Vec<String> {
    let bytes = format!("{AZURE_IN_BYTES:?}");
    let path = std::env::var("PATH").unwrap();
    let mut all: Vec<_> = SECRETS.map(str::to_owned).into();
    all.extend([bytes.trim_matches(['[', ']']).to_owned(), path, "secret-of-azure-7f3a".into()]);
    all.retain(|secret| text.contains(secret.as_str()));
    all
}

/// Whether this text shows the key, written out or encoded.
pub fn shows_key(text: &str) -> bool {
    text.contains("marked-key") || text.contains("marked-folder")
}
