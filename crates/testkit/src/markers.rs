//! A configuration document whose secrets and keys are markers to search for in outputs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::FixedResponse;

/// The key that all calls use.
pub const KEY: &str = "marked-folder/marked-key";

/// The key that probes read. It is a setting, so the `Debug` of a store may contain it.
pub const CANARY: &str = "marked-canary";

/// The secrets of the document, one for each way in which a document can hold one. The variable
/// `PATH` is used as a further one, because it is always set.
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
const AZURE_KEY_BYTES: &[u8] = b"secret-of-azure-7f3a";

/// Regions that use [`SECRETS`].
pub struct MarkedRegions {
    pub document: Value,
    /// Never accepts, so requests to it hang.
    _silent: TcpListener,
    file: PathBuf,
}

impl MarkedRegions {
    /// Starts regions that fail in different ways; with `serving`, one more that has the object.
    pub async fn start(serving: bool) -> Self {
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let file = secret_file();
        let mut regions = s3_regions(&silent, &file).await;
        regions.extend(other_regions().await);
        if serving {
            let response = "HTTP/1.1 200 X\r\nconnection: close\r\netag: \"t\"\r\n\
                last-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\ncontent-length: 5\r\n\r\nbytes";
            let server = FixedResponse::start(response.into()).await;
            regions.push(server.region("serves"));
        }
        let operations = ["list", "list_with_delimiter", "put", "delete", "copy"]
            .map(|name| (name.to_owned(), json!({"attempt": "100ms"})));
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
        Self {
            document,
            _silent: silent,
            file,
        }
    }
}

/// Regions on S3: rejected, busy, hanging, and behind an unreachable proxy.
async fn s3_regions(silent: &TcpListener, file: &Path) -> Vec<Value> {
    let [secret, token, _, _, _, proxy, header, ..] = SECRETS;
    let hanging = format!("http://{}", silent.local_addr().unwrap());
    let rejecting = error_server(403).await;
    let busy = error_server(503).await;
    let proxy = format!("http://user:{proxy}@{}", closed_address().await);
    let options = |endpoint: &str, more: Value| {
        let mut options = json!({
            "endpoint": endpoint,
            "allow_http": true,
            "access_key_id": "id",
            "secret_access_key": secret,
        });
        let more = more.as_object().unwrap().clone();
        options.as_object_mut().unwrap().extend(more);
        options
    };
    let region = |name: &str, options: Value| -> Value {
        json!({"name": name, "url": "s3://bucket", "options": options})
    };
    let mut rejected = region(
        "rejects",
        options(&rejecting, json!({"session_token": token})),
    );
    rejected["headers"] = json!({"x-a": header});
    vec![
        rejected,
        region(
            "busy",
            options(&busy, json!({"secret_access_key": {"file": file}})),
        ),
        region(
            "hangs",
            options(&hanging, json!({"secret_access_key": {"env": "PATH"}})),
        ),
        region(
            "proxied",
            options("http://no-such-host", json!({"proxy_url": proxy})),
        ),
    ]
}

/// Regions on Azure, Google Cloud Storage and plain HTTP.
async fn other_regions() -> Vec<Value> {
    let [_, _, azure, signature, bearer, _, _, _, basic] = SECRETS;
    let closed = format!("http://{}", closed_address().await);
    let signature = format!("?sv=1&sig={signature}");
    let az = |name: &str, endpoint: &str, key: &str, value: &str| {
        let endpoint = format!("{endpoint}/account");
        json!({"name": name, "url": "az://bucket", "options": {
            "account_name": "account",
            "azure_storage_endpoint": endpoint,
            "allow_http": true,
            key: value,
        }})
    };
    vec![
        az("keyed", &error_server(503).await, "account_key", azure),
        az("signed", &error_server(403).await, "sas_key", &signature),
        az("signed-closed", &closed, "sas_key", &signature),
        json!({"name": "google", "url": "gs://bucket", "options": {
            "google_base_url": error_server(500).await,
            "allow_http": true,
            "google_bearer_token": bearer,
        }}),
        json!({
            "name": "http",
            "url": format!("{}/bucket", error_server(502).await),
            "headers": {"x-basic": format!("Basic {basic}")},
        }),
    ]
}

/// The endpoint of a server whose error body contains the key.
async fn error_server(status: u16) -> String {
    let body = format!(
        "<Error><Code>SignatureDoesNotMatch</Code><Key>{KEY}</Key>\
         <Resource>/{KEY}</Resource></Error>"
    );
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\nconnection: close\r\nx-amz-request-id: ID7\r\n\
         content-length: {length}\r\n\r\n"
    );
    let response = format!("{head}{body}").into_bytes();
    FixedResponse::start(response).await.endpoint
}

/// A host and port without a listener.
async fn closed_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

/// A new file that holds a secret.
fn secret_file() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!(
        "object_store_failover-secret-{}-{number}",
        std::process::id()
    );
    let file = std::env::temp_dir().join(name);
    std::fs::write(&file, SECRETS[7]).unwrap();
    file
}

impl Drop for MarkedRegions {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// The secrets that a text contains, as text or as a list of bytes.
pub fn secrets_in(text: &str) -> Vec<String> {
    let bytes = format!("{AZURE_KEY_BYTES:?}");
    let path = std::env::var("PATH").unwrap();
    let mut all: Vec<_> = SECRETS.map(str::to_owned).into();
    all.extend([
        bytes.trim_matches(['[', ']']).to_owned(),
        path,
        "secret-of-azure-7f3a".into(),
    ]);
    all.retain(|secret| text.contains(secret.as_str()));
    all
}

/// Whether a text contains the key, percent-encoded or not.
pub fn contains_key(text: &str) -> bool {
    text.contains("marked-key") || text.contains("marked-folder")
}
