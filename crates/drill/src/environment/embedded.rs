//! S3 servers in this process: real HTTP and signatures, nothing to install.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use failover_testkit::s3::{Document, KEY, REGION, SECRET, Server};
use object_store::ObjectStore;
use object_store::path::Path;
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::replica::Replica;
use super::{Environment, Links, name};
use crate::clients::{Access, Upstream};
use crate::scenario::{Action, NetworkFault, Scenario};

const BUCKET: &str = "drill";

pub(crate) struct Embedded {
    servers: Vec<Server>,
    replicas: Vec<Arc<Replica>>,
    links: Links,
    flavor: &'static str,
    /// Changes that wait for replication to resume; `None` while replication runs.
    held_back: Mutex<Option<Vec<Change>>>,
}

/// A changed object; `None` if it was deleted.
type Change = (Path, Option<Bytes>);

impl Embedded {
    /// Starts the servers, and fault proxies if the scenario needs them, on a separate runtime, so
    /// that blocked readers do not slow the servers.
    pub(crate) async fn start(
        run_on: &Handle,
        regions: usize,
        scenario: &Scenario,
    ) -> Result<Self, String> {
        let (mut servers, mut replicas) =
            (Vec::with_capacity(regions), Vec::with_capacity(regions));
        for _ in 0..regions {
            let replica = Arc::new(Replica::default());
            let bucket: Arc<dyn ObjectStore> = Arc::<Replica>::clone(&replica);
            let starting = run_on.spawn(async move { Server::start(BUCKET, bucket).await });
            servers.push(
                starting
                    .await
                    .map_err(|error| format!("an S3 server did not start: {error}"))?,
            );
            replicas.push(replica);
        }
        let addresses: Vec<SocketAddr> = servers.iter().map(Server::address).collect();
        let links = if scenario
            .actions()
            .any(|action| link_fault(action).is_some())
        {
            Links::to(addresses, run_on)
        } else {
            Links::default()
        };
        // A store of flavor `minio` takes SlowDown for a lost quorum.
        let flavor = if scenario
            .actions()
            .any(|action| action == Action::Network(NetworkFault::Throttle))
        {
            "aws"
        } else {
            "minio"
        };
        Ok(Self {
            servers,
            replicas,
            links,
            flavor,
            held_back: Mutex::new(None),
        })
    }

    fn address(&self, index: usize) -> SocketAddr {
        self.links
            .address(index)
            .unwrap_or_else(|| self.servers[index].address())
    }

    /// Replicates a change of the first region to the others, or queues it while replication is
    /// paused.
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

    fn restore(&self, region: usize) {
        self.links.restore(region);
        self.replicas[region].hang(false);
        self.servers[region].revive();
    }
}

#[async_trait]
impl Environment for Embedded {
    fn names(&self) -> Vec<String> {
        (0..self.servers.len()).map(name).collect()
    }

    fn document(&self) -> String {
        let more = &format!("flavor = \"{}\"\n", self.flavor);
        let region = |index: usize| {
            let (name, endpoint) = (&name(index), &format!("http://{}", self.address(index)));
            Document {
                name,
                bucket: BUCKET,
                endpoint,
                key: KEY,
                secret: SECRET,
                more,
            }
            .to_string()
        };
        (0..self.servers.len()).map(region).collect()
    }

    fn shared(&self) -> Option<(Vec<Upstream>, Access)> {
        let upstream = |index: usize| Upstream {
            name: name(index),
            address: self.address(index),
        };
        let access = Access {
            bucket: BUCKET.into(),
            key: KEY.into(),
            secret: SECRET.into(),
            region: REGION.into(),
        };
        Some(((0..self.servers.len()).map(upstream).collect(), access))
    }

    fn unsupported(&self, _: Action) -> Option<&'static str> {
        None
    }

    async fn apply(&self, region: usize, action: Action, usual: Duration) -> Result<(), String> {
        if let Some(fault) = link_fault(action) {
            self.servers[region].revive();
            self.links.inject(region, fault, usual);
            return Ok(());
        }
        match action {
            Action::Kill => self.servers[region].kill(),
            Action::Hang => self.servers[region].hang(),
            // A cluster of four nodes serves reads without two of them.
            Action::KillNodes(nodes) => self.replicas[region].hang(nodes > 2),
            Action::Restore => self.restore(region),
            Action::PauseReplication => *self.held_back.lock() = Some(Vec::new()),
            Action::ResumeReplication => self.resume().await?,
            _ => return Err(format!("no embedded region can be {}", action.state())),
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
        Some(
            self.links
                .requests()
                .unwrap_or_else(|| self.servers.iter().map(Server::requests).collect()),
        )
    }

    fn interrupted(&self) -> Option<u64> {
        self.links.interrupted()
    }

    fn body_bytes(&self) -> Option<u64> {
        self.links.body_bytes()
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
    done.map_err(|error| format!("cannot write to an embedded bucket: {error}"))
}

/// Equal for equal bytes, as in S3.
fn tag(body: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    body.hash(&mut hasher);
    format!("{:x}", hasher.finish())
}

/// Faults that the embedded server cannot produce are injected by the proxy in front of it.
fn link_fault(action: Action) -> Option<NetworkFault> {
    match action {
        Action::Network(fault) => Some(fault),
        Action::DisableKey => Some(NetworkFault::Unauthorized),
        Action::StartUnready => Some(NetworkFault::Unavailable),
        _ => None,
    }
}
