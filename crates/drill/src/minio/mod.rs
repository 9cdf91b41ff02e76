//! MinIO clusters on 127.0.0.1, one per region, with MinIO's replication between their buckets.
//!
//! The drill starts them and breaks them: it kills and freezes processes, disables users and pauses
//! replication. They end with the drill, however it ends: see `watchdog.rs`.
//!
//! A cluster with a replicated bucket forwards reads of keys that it lacks to the other clusters,
//! unless a request header disables this proxying. A root user cannot be disabled, so clients use
//! an ordinary user.

mod client;
mod cluster;
mod credentials;
mod mc;
mod node;
mod programs;
mod replication;
mod scratch;
mod watchdog;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use object_store::ObjectStore;
use object_store::path::Path;

pub(crate) use programs::Programs;

use tokio::time::timeout;

use cluster::{Cluster, Topology};
use mc::Mc;
use replication::Rule;
use scratch::Scratch;
use watchdog::Watchdog;

/// The clusters to start.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) regions: usize,
    /// Whether region 0 has four processes with one drive each, of which two may be lost. The other
    /// regions have one process with four drives.
    pub(crate) distributed_first: bool,
    /// At least three characters, a rule of S3.
    pub(crate) bucket: String,
}

/// Running clusters over one replicated bucket. Dropping it ends them and removes their data.
#[derive(Debug)]
pub(crate) struct Regions {
    // The drop order: processes, their folders, then the watchdog, which does the same after a
    // crash.
    clusters: Vec<Cluster>,
    mc: Mc,
    /// The replication rules of region 0.
    rules: Vec<Rule>,
    bucket: String,
    _scratch: Scratch,
    _keeper: Watchdog,
}

impl Regions {
    /// Starts all clusters; returns when they serve reads and replicate.
    pub(crate) async fn start(programs: &Programs, plan: &Plan) -> Result<Self, String> {
        if plan.regions < 2 {
            return Err(format!(
                "{} region(s): replication needs two or more",
                plan.regions
            ));
        }
        let scratch = Scratch::new()?;
        let watchdog = Watchdog::start(scratch.path())?;
        let kind = |index| {
            if index == 0 && plan.distributed_first {
                Topology::FourNodes
            } else {
                Topology::OneNode
            }
        };
        let spawn = |index| {
            Cluster::spawn(
                &programs.minio,
                scratch.path(),
                index,
                kind(index),
                watchdog.group(),
            )
        };
        let clusters = (0..plan.regions)
            .map(spawn)
            .collect::<Result<Vec<_>, _>>()?;
        try_join_all(
            clusters
                .iter()
                .map(|cluster| cluster.wait_ready(&plan.bucket, START_LIMIT)),
        )
        .await?;
        let mc = Mc::new(&programs.mc, scratch.path(), &clusters);
        let setting_up = replication::set_up(&mc, &clusters, &plan.bucket);
        let rules = timeout(START_LIMIT, setting_up).await.map_err(|_| {
            format!(
                "the clusters run, but replication was not set up within {} s; the machine may \
                 be too busy",
                START_LIMIT.as_secs()
            )
        })??;
        Ok(Self {
            clusters,
            mc,
            rules,
            bucket: plan.bucket.clone(),
            _scratch: scratch,
            _keeper: watchdog,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.clusters.len()
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// The address for clients. In a distributed cluster the node that
    /// [`stop_nodes`](Self::stop_nodes) never stops.
    pub(crate) fn address(&self, region: usize) -> SocketAddr {
        self.clusters[region].address()
    }

    /// Key and secret of the region's ordinary user.
    pub(crate) fn credentials(&self, region: usize) -> (String, String) {
        let user = &self.clusters[region].user;
        (user.key.clone(), user.secret.clone())
    }

    /// A client that writes to region 0 as root; replication copies the writes.
    pub(crate) fn writer(&self) -> Result<Arc<dyn ObjectStore>, String> {
        client::writer(&self.clusters[0].root, self.address(0), &self.bucket)
    }

    /// Waits until every region has the same ETag as region 0 for each key, or lacks it as well.
    pub(crate) async fn wait_replicated(
        &self,
        keys: &[Path],
        limit: Duration,
    ) -> Result<(), String> {
        replication::wait(&self.clusters, &self.bucket, keys, limit).await
    }

    /// SIGKILL to all processes of the region. Connections are refused; port and drives are kept.
    pub(crate) async fn kill(&self, region: usize) {
        self.clusters[region].kill().await;
    }

    /// Starts the dead processes of the region. Does not wait until they are ready, because the
    /// drill observes the start.
    pub(crate) fn restart(&self, region: usize) -> Result<(), String> {
        self.clusters[region].restart()
    }

    /// Starts one process of the region. A distributed cluster is not ready until all have started.
    pub(crate) fn start_alone(&self, region: usize) -> Result<(), String> {
        self.clusters[region].start_first()
    }

    /// SIGSTOP: connections are accepted and stay open, without a response.
    pub(crate) async fn freeze(&self, region: usize) -> Result<(), String> {
        self.clusters[region].signal("-STOP").await
    }

    /// SIGCONT.
    pub(crate) async fn unfreeze(&self, region: usize) -> Result<(), String> {
        self.clusters[region].signal("-CONT").await
    }

    /// SIGKILL to `count` of the four processes of region 0, never to the one that clients use.
    /// [`restart`](Self::restart) starts them again.
    pub(crate) async fn stop_nodes(&self, count: usize) -> Result<(), String> {
        self.clusters[0].stop_nodes(count).await
    }

    /// Disables the region's ordinary user.
    pub(crate) async fn disable_user(&self, region: usize) -> Result<(), String> {
        self.user("disable", region).await
    }

    pub(crate) async fn enable_user(&self, region: usize) -> Result<(), String> {
        self.user("enable", region).await
    }

    /// Pauses replication of region 0.
    pub(crate) async fn pause_replication(&self) -> Result<(), String> {
        replication::pause(&self.mc, &self.clusters[0], &self.bucket, &self.rules).await
    }

    /// Resumes replication of region 0, including the writes during the pause.
    /// [`wait_replicated`](Self::wait_replicated) waits for it.
    pub(crate) async fn resume_replication(&self) -> Result<(), String> {
        replication::resume(&self.mc, &self.clusters[0], &self.bucket, &self.rules).await
    }

    async fn user(&self, what: &str, region: usize) -> Result<(), String> {
        let cluster = &self.clusters[region];
        self.mc
            .run(
                &cluster.alias,
                &["admin", "user", what, &cluster.alias, &cluster.user.key],
            )
            .await
            .map(drop)
    }
}

/// For each half of a start. Both took 3 to 9 s on two busy cores, at most 16 s.
const START_LIMIT: Duration = Duration::from_secs(60);
