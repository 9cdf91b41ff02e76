//! Three S3 servers over one bucket, each behind a fault proxy.

use std::sync::Arc;

use bytes::Bytes;
use failover_testkit::proxy::{Fault, Proxy};
use failover_testkit::s3::{KEY, SECRET, Server};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverStore};
use serde_json::{Value, json};

const NAMES: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];

pub(crate) struct Fixture {
    bucket: InMemory,
    _servers: Vec<Server>,
    pub(crate) proxies: Vec<Proxy>,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let bucket = InMemory::new();
        let (mut servers, mut proxies) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let objects: Arc<dyn ObjectStore> = Arc::new(bucket.clone());
            let server = Server::start("bucket", objects).await;
            proxies.push(Proxy::start(server.address()));
            servers.push(server);
        }
        Self {
            bucket,
            _servers: servers,
            proxies,
        }
    }

    pub(crate) async fn put(&self, key: &str, content: Bytes) -> Path {
        let path = Path::from(key);
        self.bucket.put(&path, content.into()).await.unwrap();
        path
    }

    pub(crate) fn set(&self, fault: &Fault) {
        self.proxies
            .iter()
            .for_each(|proxy| proxy.set(fault.clone()));
    }

    /// Requests that reached the proxies so far.
    pub(crate) fn requests(&self) -> u64 {
        self.proxies
            .iter()
            .map(|proxy| proxy.counts().requests)
            .sum()
    }

    /// Body bytes that were sent so far.
    pub(crate) fn body_bytes(&self) -> u64 {
        self.proxies
            .iter()
            .map(|proxy| proxy.counts().body_bytes)
            .sum()
    }

    /// A store over the regions; `more` has further tables of its document.
    pub(crate) fn store(&self, more: Value) -> FailoverStore {
        let regions: Vec<_> = self
            .proxies
            .iter()
            .zip(NAMES)
            .map(|(proxy, name)| region(name, &proxy.endpoint()))
            .collect();
        let mut document = json!({"regions": regions});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let config: FailoverConfig = serde_json::from_value(document).unwrap();
        config.build().unwrap()
    }
}

fn region(name: &str, endpoint: &str) -> Value {
    json!({
        "name": name,
        "url": "s3://bucket",
        "options": {
            "endpoint": endpoint,
            "region": "us-east-1",
            "allow_http": "true",
            "access_key_id": KEY,
            "secret_access_key": SECRET,
            "virtual_hosted_style_request": "false"
        }
    })
}
