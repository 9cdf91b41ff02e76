//! A server that sends the same response to every request and counts the requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A region whose server always sends the same bytes.
pub struct FixedResponse {
    pub endpoint: String,
    requests: Arc<AtomicU32>,
}

impl FixedResponse {
    /// Listens on 127.0.0.1. Every connection gets `response`, raw, and is closed.
    pub async fn start(response: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicU32::default());
        let counter = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::Relaxed);
                let _ = socket.read(&mut [0; 8192]).await;
                let _ = socket.write_all(&response).await;
            }
        });
        Self { endpoint, requests }
    }

    /// A region at any endpoint, without a server of its own.
    pub fn at(endpoint: String) -> Self {
        Self {
            endpoint,
            requests: Arc::default(),
        }
    }

    /// This region as an entry of `regions` in a configuration document.
    pub fn region(&self, name: &str) -> Value {
        json!({"name": name, "url": "s3://bucket", "options": {
            "aws_endpoint": self.endpoint,
            "aws_allow_http": true,
            "access_key_id": "key",
            "secret_access_key": "secret",
        }})
    }

    /// How many connections were accepted; each carries one request.
    pub fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }
}
