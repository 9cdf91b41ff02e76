//! The fault proxy, and how a store over three regions behind such proxies survives each fault.

mod faults;
mod invalid_responses;
mod recovery;
mod undetectable;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use failover_testkit::proxy::{Counts, Proxy};
use failover_testkit::s3::{KEY, SECRET, Server};
use failover_testkit::{NAMES, key, ms, settings};
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt, Result};
use object_store_failover::{FailoverConfig, FailoverStore, Region};
use serde_json::json;

/// A limit that only a failing test reaches.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait before concluding that nothing happens.
const IDLE: Duration = ms(200);
const OBJECT_BYTES: usize = 2 << 20;

async fn within_limit<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(TEST_TIMEOUT, work)
        .await
        .expect("timed out")
}

/// The content of the only object. Shifted copies of it differ, so misplaced bytes are detected.
fn content() -> Bytes {
    static CONTENT: LazyLock<Bytes> = LazyLock::new(|| {
        (0..OBJECT_BYTES)
            .map(|at| (at % 251) as u8 ^ (at >> 11) as u8)
            .collect::<Vec<_>>()
            .into()
    });
    CONTENT.clone()
}

/// Three servers over one bucket, each behind a proxy.
struct Setup {
    bucket: InMemory,
    servers: Vec<Server>,
    proxies: Vec<Proxy>,
}

impl Setup {
    async fn new() -> Self {
        let bucket = InMemory::new();
        bucket.put(&key(), content().into()).await.unwrap();
        let (mut servers, mut proxies) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let server = Server::start("bucket", Arc::new(bucket.clone())).await;
            proxies.push(Proxy::start(server.address()));
            servers.push(server);
        }
        Self {
            bucket,
            servers,
            proxies,
        }
    }

    /// A store from a document: the library builds the clients and records what is on the wire.
    fn built(&self) -> FailoverStore {
        self.built_with(json!({}))
    }

    fn built_with(&self, breaker: serde_json::Value) -> FailoverStore {
        let regions: Vec<_> = self
            .proxies
            .iter()
            .zip(NAMES)
            .map(|(proxy, name)| region(name, proxy))
            .collect();
        let limits = json!({"attempt": "300ms", "stall": "300ms", "connect": "200ms"});
        let document = json!({
            "regions": regions,
            "timeouts": limits,
            "breaker": breaker,
            "retry": {"enabled": false},
        });
        settings::<FailoverConfig>(document).build().unwrap()
    }

    /// A store over clients that the caller has built: only their errors can be inspected.
    fn supplied_with(&self, breaker: serde_json::Value) -> FailoverStore {
        let builder = FailoverStore::builder()
            .timeouts(settings(json!({"attempt": "300ms", "stall": "300ms"})))
            .breaker(settings(breaker))
            .retry(settings(json!({"enabled": false})));
        let regions = self.servers.iter().zip(&self.proxies).zip(NAMES);
        let builder = regions.fold(builder, |builder, ((server, proxy), name)| {
            builder.region(Region::new(
                name,
                Arc::new(proxy.client(server).build().unwrap()),
            ))
        });
        builder.build().unwrap()
    }

    /// One store of each kind, without circuits, which would hide faults from later reads.
    ///
    /// Building clients blocks the process for long, so it must be done before timeouts run.
    fn stores(&self) -> [(&'static str, FailoverStore); 2] {
        let none = json!({"enabled": false});
        [
            ("built", self.built_with(none.clone())),
            ("supplied", self.supplied_with(none)),
        ]
    }

    /// The counters of all proxies.
    fn counts(&self) -> Vec<Counts> {
        self.proxies.iter().map(Proxy::counts).collect()
    }
}

fn region(name: &str, proxy: &Proxy) -> serde_json::Value {
    let options = json!({
        "aws_endpoint": proxy.endpoint(),
        "aws_region": "us-east-1",
        "aws_allow_http": true,
        "access_key_id": KEY,
        "secret_access_key": SECRET,
    });
    json!({"name": name, "url": "s3://bucket", "options": options})
}

/// The kinds of reads.
#[derive(Clone, Copy, Debug)]
enum ReadKind {
    Whole,
    Chunks,
    Range,
    Ranges,
}

impl ReadKind {
    const ALL: [Self; 4] = [Self::Whole, Self::Chunks, Self::Range, Self::Ranges];

    /// Reads and compares with the object's content.
    async fn returns_content(self, store: &dyn ObjectStore) -> Result<bool> {
        let content = content();
        Ok(match self {
            Self::Whole => store.get(&key()).await?.bytes().await? == content,
            Self::Chunks => {
                let chunks: Vec<_> = store.get(&key()).await?.into_stream().try_collect().await?;
                chunks.concat() == content
            }
            Self::Range => {
                store.get_range(&key(), 100..1_500_000).await? == content[100..1_500_000]
            }
            Self::Ranges => {
                // The first two are coalesced into one request.
                let parts = store
                    .get_ranges(
                        &key(),
                        &[10..400_000, 400_100..400_200, 2_000_000..2_000_010],
                    )
                    .await?;
                let expected = [
                    &content[10..400_000],
                    &content[400_100..400_200],
                    &content[2_000_000..2_000_010],
                ];
                parts.iter().map(Bytes::as_ref).eq(expected)
            }
        })
    }
}
