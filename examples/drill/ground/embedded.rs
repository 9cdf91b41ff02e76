//! S3 servers in this process: real HTTP and signatures, and nothing to install.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::ObjectStore;
use object_store::path::Path;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::replica::Replica;
use super::{Ground, Lines, name};
use crate::clients::{Access, Upstream};
use crate::s3::{Document, KEY, REGION, SECRET, Server};
use crate::scenario::{Act, Scenario, Spoil};

const BUCKET: &str = "drill";

pub(crate) struct Embedded {
    servers: Vec<Server>,
    replicas: Vec<Arc<Replica>>,
    lines: Lines,
    flavor: &'static str,
    /// What the others have not been sent yet; None while they are sent everything at once.
    held_back: Mutex<Option<Vec<Change>>>,
}

/// Of one object; None where it was deleted.
type Change = (Path, Option<Bytes>);

impl Embedded {
    /// Servers, and the lines to them that this scenario needs. They run on a runtime of their own, so that whatever blocks the
    /// readers is not the servers' fault.
    pub(crate) async fn start(run_on: &Handle, regions: usize, scenario: &Scenario) -> Result<Self, String> {
        let (mut servers, mut replicas) = (Vec::with_capacity(regions), Vec::with_capacity(regions));
        for _ in 0..regions {
            let replica = Arc::new(Replica::default());
            let bucket: Arc<dyn ObjectStore> = Arc::<Replica>::clone(&replica);
            let starting = run_on.spawn(async move { Server::start(BUCKET, bucket).await });
            servers.push(starting.await.map_err(|error| format!("an S3 server did not start: {error}"))?);
            replicas.push(replica);
        }
        let addresses: Vec<SocketAddr> = servers.iter().map(Server::address).collect();
        let lines = if scenario.acts().any(|act| on_the_line(act).is_some()) { Lines::to(addresses, run_on) } else { Lines::default() };
        // In MinIO's mouth SlowDown is a lost quorum.
        let flavor = if scenario.acts().any(|act| act == Act::Spoil(Spoil::Throttle)) { "aws" } else { "minio" };
        Ok(Self { servers, replicas, lines, flavor, held_back: Mutex::new(None) })
    }

    fn address(&self, index: usize) -> SocketAddr {
        self.lines.address(index).unwrap_or_else(|| self.servers[index].address())
    }

    /// Notes the change, if it is to be held back, or makes it everywhere but in the first region, which has it.
    async fn replicate(&self, path: &Path, body: Option<Bytes>) -> Result<(), String> {
        if let Some(held_back) = self.held_back.lock().as_mut() {
            held_back.push((path.clone(), body));
            return Ok(());
        }
        self.send((path.clone(), body)).await
    }

    async fn send(&self, (path, body): Change) -> Result<(), String> {
        for replica in &self.replicas[1..] {
            change(replica, &path, body.clone()).await?;
        }
        Ok(())
    }

    async fn resume(&self) -> Result<(), String> {
        let held_back = self.held_back.lock().take();
        for change in held_back.into_iter().flatten() {
            self.send(change).await?;
        }
        Ok(())
    }

    fn revive(&self, region: usize) {
        self.lines.mend(region);
        self.replicas[region].hang(false);
        self.servers[region].revive();
    }
}

#[async_trait]
impl Ground for Embedded {
    fn names(&self) -> Vec<String> {
        (0..self.servers.len()).map(name).collect()
    }

    fn document(&self) -> String {
        let more = &format!("flavor = \"{}\"\n", self.flavor);
        let region = |index: usize| {
            let (name, endpoint) = (&name(index), &format!("http://{}", self.address(index)));
            Document { name, bucket: BUCKET, endpoint, key: KEY, secret: SECRET, more }.to_string()
        };
        (0..self.servers.len()).map(region).collect()
    }

    fn shared(&self) -> Option<(Vec<Upstream>, Access)> {
        let upstream = |index: usize| Upstream { name: name(index), address: self.address(index) };
        let access = Access { bucket: BUCKET.into(), key: KEY.into(), secret: SECRET.into(), region: REGION.into() };
        Some(((0..self.servers.len()).map(upstream).collect(), access))
    }

    fn why_not(&self, _: Act) -> Option<&'static str> {
        None
    }

    async fn act(&self, region: usize, act: Act, usual: Duration) -> Result<(), String> {
        if let Some(spoil) = on_the_line(act) {
            self.servers[region].revive();
            self.lines.spoil(region, spoil, usual);
            return Ok(());
        }
        match act {
            Act::Kill => self.servers[region].kill(),
            Act::Hang => self.servers[region].hang(),
            // A cluster of four nodes serves without two of them.
            Act::LoseNodes(nodes) => self.replicas[region].hang(nodes > 2),
            Act::Revive => self.revive(region),
            Act::PauseReplication => *self.held_back.lock() = Some(Vec::new()),
            Act::ResumeReplication => self.resume().await?,
            _ => return Err(format!("nobody here can make a region be {}", act.state())),
        }
        Ok(())
    }

    async fn put(&self, path: &Path, body: Bytes) -> Result<(), String> {
        change(&self.replicas[0], path, Some(body.clone())).await?;
        self.replicate(path, Some(body)).await
    }

    async fn delete(&self, path: &Path) -> Result<(), String> {
        change(&self.replicas[0], path, None).await?;
        self.replicate(path, None).await
    }

    async fn replicated(&self, _: &[Path]) -> Result<(), String> {
        Ok(())
    }

    fn requests(&self) -> Option<Vec<u64>> {
        Some(self.lines.requests().unwrap_or_else(|| self.servers.iter().map(Server::requests).collect()))
    }

    fn struck(&self) -> Option<u64> {
        self.lines.struck()
    }

    fn body_bytes(&self) -> Option<u64> {
        self.lines.body_bytes()
    }
}

async fn change(replica: &Replica, path: &Path, body: Option<Bytes>) -> Result<(), String> {
    let done = match body {
        Some(body) => {
            let tag = tag(&body);
            replica.receive(path, body, &tag).await
        }
        None => replica.lose(path).await,
    };
    done.map_err(|error| format!("an embedded bucket could not be written: {error}"))
}

/// The same for the same bytes, as S3's are.
fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// What these servers cannot do by themselves is done before them.
fn on_the_line(act: Act) -> Option<Spoil> {
    match act {
        Act::Spoil(spoil) => Some(spoil),
        Act::DisableKey => Some(Spoil::Unauthorized),
        Act::StartUnready => Some(Spoil::Unavailable),
        _ => None,
    }
}
