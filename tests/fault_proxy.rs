//! What breaks on the wire between a region and its caller: through a proxy that breaks it, and what a store over three regions makes
//! of it.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

#[path = "fault_proxy/believed.rs"]
mod believed;
#[path = "fault_proxy/faults.rs"]
mod faults;
#[path = "fault_proxy/healing.rs"]
mod healing;
#[path = "fault_proxy/lies.rs"]
mod lies;
mod support;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt, Result};
use object_store_failover::{FailoverConfig, FailoverStore, Region};
use serde_json::json;
use support::proxy::{Counts, Proxy};
use support::s3::{KEY, SECRET, Server};
use support::{NAMES, key, ms, settings};

/// Far more than anything here takes; reached only by a test that fails.
const LONG: Duration = Duration::from_secs(20);
/// How long nothing must happen for us to believe that it does not.
const QUIET: Duration = ms(200);
const LENGTH: usize = 2 << 20;

async fn soon<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, work).await.expect("it takes no such time")
}

/// What the only object holds: no two places look alike for long.
fn content() -> Bytes {
    static CONTENT: LazyLock<Bytes> =
        LazyLock::new(|| (0..LENGTH).map(|at| (at % 251) as u8 ^ (at >> 11) as u8).collect::<Vec<_>>().into());
    CONTENT.clone()
}

/// Three servers over one bucket, each behind a proxy.
struct Rig {
    bucket: InMemory,
    servers: Vec<Server>,
    proxies: Vec<Proxy>,
}

impl Rig {
    async fn new() -> Self {
        let bucket = InMemory::new();
        bucket.put(&key(), content().into()).await.unwrap();
        let (mut servers, mut proxies) = (Vec::new(), Vec::new());
        for _ in 0..3 {
            let server = Server::start("bucket", Arc::new(bucket.clone())).await;
            proxies.push(Proxy::start(server.address()));
            servers.push(server);
        }
        Self { bucket, servers, proxies }
    }

    /// A store whose regions are built from a document: it knows what was on the wire.
    fn built(&self) -> FailoverStore {
        self.built_with(json!({}))
    }

    fn built_with(&self, breaker: serde_json::Value) -> FailoverStore {
        let regions: Vec<_> = self.proxies.iter().zip(NAMES).map(|(proxy, name)| region(name, proxy)).collect();
        let limits = json!({"attempt": "300ms", "stall": "300ms", "connect": "200ms"});
        let document = json!({"regions": regions, "timeouts": limits, "breaker": breaker, "retry": {"enabled": false}});
        settings::<FailoverConfig>(document).build().unwrap()
    }

    /// A store over clients that somebody else has built: it knows only what errors say.
    fn given_with(&self, breaker: serde_json::Value) -> FailoverStore {
        let builder = FailoverStore::builder()
            .timeouts(settings(json!({"attempt": "300ms", "stall": "300ms"})))
            .breaker(settings(breaker))
            .retry(settings(json!({"enabled": false})));
        let regions = self.servers.iter().zip(&self.proxies).zip(NAMES);
        let builder = regions.fold(builder, |builder, ((server, proxy), name)| {
            builder.region(Region::new(name, Arc::new(proxy.client(server).build().unwrap())))
        });
        builder.build().unwrap()
    }

    /// One of each kind, whose circuits hide no fault from later reads.
    ///
    /// Building clients keeps everybody in the process waiting for long: it must be over before limits run.
    fn stores(&self) -> [(&'static str, FailoverStore); 2] {
        let none = json!({"enabled": false});
        [("built", self.built_with(none.clone())), ("given", self.given_with(none))]
    }

    /// What has passed all proxies.
    fn counts(&self) -> Vec<Counts> {
        self.proxies.iter().map(Proxy::counts).collect()
    }
}

fn region(name: &str, proxy: &Proxy) -> serde_json::Value {
    let options = json!({
        "aws_endpoint": proxy.endpoint(), "aws_region": "us-east-1", "aws_allow_http": true, "access_key_id": KEY, "secret_access_key": SECRET
    });
    json!({"name": name, "url": "s3://bucket", "options": options})
}

/// The ways to read; each must give the right bytes.
#[derive(Clone, Copy, Debug)]
enum Way {
    Whole,
    Chunks,
    Range,
    Ranges,
}

impl Way {
    const ALL: [Self; 4] = [Self::Whole, Self::Chunks, Self::Range, Self::Ranges];

    /// Reads, and compares with what the object holds.
    async fn is_right(self, store: &dyn ObjectStore) -> Result<bool> {
        let content = content();
        Ok(match self {
            Self::Whole => store.get(&key()).await?.bytes().await? == content,
            Self::Chunks => {
                let chunks: Vec<_> = store.get(&key()).await?.into_stream().try_collect().await?;
                chunks.concat() == content
            }
            Self::Range => store.get_range(&key(), 100..1_500_000).await? == content[100..1_500_000],
            Self::Ranges => {
                // The first two are read in one request, the third in another.
                let parts = store.get_ranges(&key(), &[10..400_000, 400_100..400_200, 2_000_000..2_000_010]).await?;
                let right = [&content[10..400_000], &content[400_100..400_200], &content[2_000_000..2_000_010]];
                parts.iter().map(Bytes::as_ref).eq(right)
            }
        })
    }
}
