//! Pre-signed URLs.

use std::sync::Arc;

use failover_testkit::s3::Server;
use failover_testkit::{key, secs, settings};
use http::Method;
use object_store::memory::InMemory;
use object_store::signer::Signer;
use object_store::{Error, ObjectStore};
use object_store_failover::{FailoverConfig, FailoverStore, Region};
use serde_json::json;

async fn servers(count: usize) -> Vec<Server> {
    let bucket: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let mut servers = Vec::new();
    for _ in 0..count {
        servers.push(Server::start("bucket", Arc::clone(&bucket)).await);
    }
    servers
}

fn region(name: &str, server: &Server) -> Region {
    let store = Arc::new(server.store());
    Region::new(name, Arc::clone(&store) as Arc<dyn ObjectStore>).signer(store)
}

async fn host(store: &FailoverStore, method: Method) -> String {
    let url = store.signed_url(method, &key(), secs(60)).await.unwrap();
    assert!(url.query().unwrap().contains("X-Amz-Signature"), "{url}");
    format!("http://127.0.0.1:{}", url.port().unwrap())
}

#[tokio::test]
async fn read_urls_rotate_over_regions_in_use() {
    let servers = servers(3).await;
    let builder = FailoverStore::builder()
        .region(region("a", &servers[0]))
        .region(region("b", &servers[1]));
    // A region without a signer is skipped.
    let store = builder
        .region(Region::new("c", Arc::new(servers[2].store())))
        .build()
        .unwrap();
    let mut hosts = Vec::new();
    for _ in 0..6 {
        hosts.push(host(&store, Method::GET).await);
    }
    let of = |server: &Server| {
        let endpoint = server.endpoint();
        hosts.iter().filter(|host| **host == endpoint).count()
    };
    assert!(of(&servers[0]) >= 2 && of(&servers[1]) >= 2, "{hosts:?}");
    assert_eq!(of(&servers[2]), 0, "{hosts:?}");
    store.drain("a").unwrap();
    for _ in 0..4 {
        assert_eq!(host(&store, Method::HEAD).await, servers[1].endpoint());
    }
    assert_eq!(
        store
            .signed_urls(Method::GET, &[key(), key()], secs(60))
            .await
            .unwrap()
            .len(),
        2
    );
    let error = store
        .signed_url(Method::PUT, &key(), secs(60))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotSupported { .. }), "{error:?}");
    assert!(error.to_string().contains("writes.policy"), "{error}");
}

#[tokio::test]
async fn write_urls_come_from_home() {
    let servers = servers(2).await;
    let writes = settings(json!({"policy": "home", "home": "b"}));
    let store = FailoverStore::builder()
        .region(region("a", &servers[0]))
        .region(region("b", &servers[1]))
        .writes(writes)
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(host(&store, Method::PUT).await, servers[1].endpoint());
    }
}

#[tokio::test]
async fn store_without_signers_reports_it() {
    let store = FailoverStore::builder()
        .region(Region::new("a", Arc::new(InMemory::new())))
        .build()
        .unwrap();
    let error = store
        .signed_url(Method::GET, &key(), secs(60))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotSupported { .. }), "{error:?}");
    assert!(error.to_string().contains("Region::signer"), "{error}");
}

#[tokio::test]
async fn s3_regions_of_a_document_sign() {
    let servers = servers(1).await;
    let options = json!({
        "endpoint": servers[0].endpoint(),
        "allow_http": true,
        "access_key_id": "k",
        "secret_access_key": "s",
    });
    let config: FailoverConfig = settings(json!({"regions": [
        {"name": "a", "url": "s3://bucket/below", "options": options},
        {"name": "b", "url": "memory:///"},
    ]}));
    let url = config
        .build()
        .unwrap()
        .signed_url(Method::GET, &"key".into(), secs(60))
        .await
        .unwrap();
    assert!(url.path().ends_with("/bucket/below/key"), "{url}");
}
