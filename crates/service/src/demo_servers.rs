//! Embedded S3 servers as regions, which the page can kill, hang and revive.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use failover_testkit::s3::{Document, KEY, SECRET, Server};
use object_store::memory::InMemory;
use object_store::{Attribute, Attributes, ObjectStore, PutOptions};
use tokio::runtime::Runtime;

use crate::event_log::unix_millis;

const BUCKET: &str = "objects";
const NAMES: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];

/// Number of small objects; their sizes grow from `MIN_BYTES` in steps of `STEP_BYTES`.
const OBJECTS: usize = 200;
const MIN_BYTES: usize = 1024;
const STEP_BYTES: usize = 512;
/// Size of the object whose transfer takes long enough to be interrupted.
const LARGE_BYTES: usize = 8 * 1024 * 1024;

/// The defaults with shorter times, so that a region recovers within seconds of its revival.
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

/// Default `probe.path`.
const CANARY: &str = "health/canary";

/// Time for the servers' tasks to end when the process exits.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_millis(200);

/// A fault of a demo server, or its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerAction {
    /// As SIGKILL: connections are refused, open ones are reset.
    Kill,
    /// As SIGSTOP: connections open, and no response arrives.
    Hang,
    /// Ends both.
    Revive,
}

impl ServerAction {
    pub const ALL: [Self; 3] = [Self::Kill, Self::Hang, Self::Revive];

    /// The action in URLs and on the page.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::Hang => "hang",
            Self::Revive => "revive",
        }
    }

    /// Its name in the event log.
    #[must_use]
    pub fn past_tense(self) -> &'static str {
        match self {
            Self::Kill => "killed",
            Self::Hang => "hung",
            Self::Revive => "revived",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// One server per region over one shared bucket: replication is perfect, and no canary lags.
pub struct DemoServers {
    servers: Vec<Server>,
}

impl DemoServers {
    /// Starts the servers on `runtime` and fills their bucket.
    pub async fn start(runtime: &Runtime) -> Result<Self, String> {
        let objects = Arc::new(InMemory::new());
        fill(&objects)
            .await
            .map_err(|error| format!("cannot fill the demo servers: {error}"))?;
        let mut servers = Vec::with_capacity(NAMES.len());
        for _ in NAMES {
            let bucket: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(&objects);
            let server = runtime
                .spawn(async move { Server::start(BUCKET, bucket).await })
                .await
                .map_err(|error| format!("cannot start a demo server: {error}"))?;
            servers.push(server);
        }
        Ok(Self { servers })
    }

    /// The configuration document of these regions, for every instance.
    #[must_use]
    pub fn document(&self) -> String {
        let mut document = SETTINGS.to_owned();
        for (name, server) in NAMES.iter().zip(&self.servers) {
            let region = Document {
                name,
                bucket: BUCKET,
                endpoint: &server.endpoint(),
                key: KEY,
                secret: SECRET,
                more: "",
            };
            document += &region.to_string();
        }
        document
    }

    /// Applies the action to the region's server. False if no server has this name.
    pub fn apply(&self, region: &str, action: ServerAction) -> bool {
        let Some(index) = NAMES.iter().position(|name| *name == region) else {
            return false;
        };
        let server = &self.servers[index];
        match action {
            ServerAction::Kill => server.kill(),
            ServerAction::Hang => server.hang(),
            ServerAction::Revive => server.revive(),
        }
        true
    }
}

impl fmt::Debug for DemoServers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.servers.iter().map(Server::endpoint))
            .finish()
    }
}

/// A runtime for the servers alone.
pub fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("s3-server")
        .enable_all()
        .build()
}

async fn fill(bucket: &InMemory) -> object_store::Result<()> {
    let hello = b"hello from every region\n".to_vec();
    put(bucket, "hello.txt", "text/plain; charset=utf-8", hello).await?;
    let canary = format!("{}\n", unix_millis()).into_bytes();
    put(bucket, CANARY, "text/plain", canary).await?;
    let binary = "application/octet-stream";
    put(bucket, "large.bin", binary, content(LARGE_BYTES)).await?;
    for index in 0..OBJECTS {
        let key = format!("small/{index:03}.bin");
        let size = MIN_BYTES + index * STEP_BYTES;
        put(bucket, &key, binary, content(size)).await?;
    }
    Ok(())
}

async fn put(
    bucket: &InMemory,
    key: &str,
    content_type: &'static str,
    body: Vec<u8>,
) -> object_store::Result<()> {
    let options = PutOptions {
        attributes: Attributes::from_iter([(Attribute::ContentType, content_type)]),
        ..PutOptions::default()
    };
    bucket.put_opts(&key.into(), body.into(), options).await?;
    Ok(())
}

/// Bytes that depend on their offset, so that tests detect a range that is off by one.
fn content(length: usize) -> Vec<u8> {
    (0..length).map(|offset| (offset % 251) as u8).collect()
}
