//! Real users of object_store over failing regions: parquet's asynchronous reader, and SlateDB.
//!
//! Each runs without faults, and again while servers are killed, hang and are revived; both runs
//! must have the same result. The servers share one bucket, so replication is perfect.
#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    reason = "a test reports a failure by a panic"
)]

mod parquet;
mod slatedb;

use std::sync::Arc;
use std::time::Duration;

use failover_testkit::NAMES;
use failover_testkit::s3::Server;
use object_store::memory::InMemory;
use object_store_failover::{FailoverStore, FailoverStoreBuilder, Region};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::time::timeout;

/// Index of the home region, in [`NAMES`].
const HOME: usize = 0;
/// Limit that only a failing test reaches.
const LONG: Duration = Duration::from_secs(90);

const BREAKER: &str = r#"
failure_threshold = 2
open_for = "200ms"
open_for_max = "1s"
ramp = "0s"
"#;

/// Three rounds, so that only a stalled test machine could make a healthy region fail all of them.
const RETRY: &str = r#"
rounds = 3
base_delay = "100ms"
"#;

/// A hanging server costs one second, for every operation.
const TIMEOUTS: &str = r#"
attempt = "1s"
stall = "1s"
[operations]
list = { attempt = "1s" }
list_with_delimiter = { attempt = "1s" }
put = { attempt = "1s" }
put_part = { attempt = "1s" }
copy = { attempt = "1s" }
rename = { attempt = "1s" }
complete = { attempt = "1s" }
delete = { attempt = "1s" }
"#;

/// Three servers over one bucket.
async fn servers(bucket: &InMemory) -> Vec<Server> {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start("bucket", Arc::new(bucket.clone())).await);
    }
    servers
}

/// A builder over the servers, without a home region.
fn builder(servers: &[Server]) -> FailoverStoreBuilder {
    let builder = FailoverStore::builder()
        .seed(seed())
        .breaker(toml::from_str(BREAKER).unwrap())
        .retry(toml::from_str(RETRY).unwrap())
        .timeouts(toml::from_str(TIMEOUTS).unwrap());
    servers
        .iter()
        .zip(NAMES)
        .fold(builder, |builder, (server, name)| {
            builder.region(Region::new(name, Arc::new(server.store())))
        })
}

/// A store over the servers, with the first as home.
fn store_with_home(servers: &[Server]) -> FailoverStore {
    let writes = format!("policy = \"home\"\nhome = \"{}\"", NAMES[HOME]);
    builder(servers)
        .writes(toml::from_str(&writes).unwrap())
        .build()
        .unwrap()
}

/// `SEED=n` repeats the random choices of a run.
fn seed() -> u64 {
    std::env::var("SEED").map_or(7, |seed| seed.parse().unwrap())
}

fn rng() -> StdRng {
    println!("SEED={}", seed());
    StdRng::seed_from_u64(seed())
}

/// Panics if the future takes longer than [`LONG`].
async fn within_limit<T>(future: impl Future<Output = T>) -> T {
    timeout(LONG, future).await.expect("timed out")
}

/// Failed attempts of a region.
fn failures(store: &FailoverStore, region: usize) -> u64 {
    store.health().regions[region].failures
}
