//! The ground under the service: S3 servers of its own, which the page may break, and the document of the regions on them.

use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::{Attribute, Attributes, ObjectStore, PutOptions};
use tokio::runtime::Runtime;

use crate::clock::wall_millis;
use crate::s3::{Document, KEY, SECRET, Server};

const BUCKET: &str = "objects";
const NAMES: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];

/// Small objects, as a read-heavy service has them, and one that takes a while.
const OBJECTS: usize = 200;
const SMALLEST: usize = 1024;
const STEP: usize = 512;
const LARGE: usize = 8 * 1024 * 1024;

/// As shipped, but faster: who has broken a region on the page wants to see it heal without waiting half a minute.
const SETTINGS: &str = r#"name = "service"
[breaker]
open_for = "5s"
open_for_max = "10s"
ramp = "2s"
[timeouts]
attempt = "1s"
total = "6s"
stall = "2s"
[probe]
"#;

/// Where `[probe]` looks by default.
const CANARY: &str = "health/canary";

/// What may be done to a server of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Kill,
    Hang,
    Revive,
}

/// The servers. They share one bucket, so replication is perfect: the canary, stamped once, is the same in all of them, and lags nowhere.
pub(crate) struct Stage {
    servers: Vec<Server>,
}

impl Act {
    pub(crate) const ALL: [(&'static str, Self); 3] = [("kill", Self::Kill), ("hang", Self::Hang), ("revive", Self::Revive)];
}

impl Stage {
    /// Servers with objects. They run on a runtime of their own, so that whatever blocks the service is not the servers' fault.
    pub(crate) async fn build(servers_run_on: &Runtime) -> Result<Self, String> {
        let objects = Arc::new(InMemory::new());
        fill(&objects).await.map_err(|error| format!("the servers could not be filled: {error}"))?;
        let mut servers = Vec::with_capacity(NAMES.len());
        for _ in NAMES {
            let bucket: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&objects);
            let starting = servers_run_on.spawn(async move { Server::start(BUCKET, bucket).await });
            servers.push(starting.await.map_err(|error| format!("an S3 server did not start: {error}"))?);
        }
        Ok(Self { servers })
    }

    /// The regions as a user would write them down; other instances are given this too.
    pub(crate) fn document(&self) -> String {
        let region = |(name, server): (&&str, &Server)| {
            let endpoint = &server.endpoint();
            Document { name, bucket: BUCKET, endpoint, key: KEY, secret: SECRET, more: "" }.to_string()
        };
        NAMES.iter().zip(&self.servers).map(region).fold(SETTINGS.to_owned(), |text, region| text + &region)
    }

    /// Does this to the region's server; false where no server has this name.
    pub(crate) fn act(&self, region: &str, act: Act) -> bool {
        let Some((_, server)) = NAMES.iter().zip(&self.servers).find(|(name, _)| **name == region) else {
            return false;
        };
        match act {
            Act::Kill => server.kill(),
            Act::Hang => server.hang(),
            Act::Revive => server.revive(),
        }
        true
    }
}

/// The runtime of the servers.
pub(crate) fn servers_runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("s3-server").enable_all().build()
}

/// How long the servers' tasks may take to end: nothing of them is needed any more.
pub(crate) const SERVERS_END: Duration = Duration::from_millis(200);

async fn fill(bucket: &InMemory) -> object_store::Result<()> {
    put(bucket, "hello.txt", "text/plain; charset=utf-8", b"hello from every region\n".to_vec()).await?;
    put(bucket, "large.bin", "application/octet-stream", body(LARGE)).await?;
    put(bucket, CANARY, "text/plain", format!("{}\n", wall_millis()).into_bytes()).await?;
    for index in 0..OBJECTS {
        put(bucket, &format!("small/{index:03}.bin"), "application/octet-stream", body(SMALLEST + index * STEP)).await?;
    }
    Ok(())
}

async fn put(bucket: &InMemory, key: &str, kind: &'static str, body: Vec<u8>) -> object_store::Result<()> {
    let attributes = Attributes::from_iter([(Attribute::ContentType, kind)]);
    bucket.put_opts(&key.into(), body.into(), PutOptions { attributes, ..PutOptions::default() }).await?;
    Ok(())
}

/// Bytes that tell their place, so that a range which is off by one is seen.
fn body(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place % 251) as u8).collect()
}
