//! Regions that are real: MinIO clusters on 127.0.0.1, one per region, with MinIO's own replication between their buckets.
//!
//! They are started by us, so they are ours to break: processes are killed and frozen, users disabled, replication paused.
//! Whatever happens to the drill, they end with it: see `keeper.rs`.
//!
//! Two things of MinIO's that one has to know. A cluster whose bucket is replicated passes reads of keys that it lacks on to the
//! others, so a region seems to hold what it does not, unless a client forbids it with a header. And a root user cannot be disabled, so clients come as an ordinary one.

mod client;
mod cluster;
mod keeper;
mod login;
mod mc;
mod node;
mod programs;
mod replication;
mod scratch;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use object_store::ObjectStore;
use object_store::path::Path;

use crate::clock::within;
pub(crate) use programs::Programs;

use cluster::{Cluster, Kind};
use keeper::Keeper;
use mc::Mc;
use replication::Rule;
use scratch::Scratch;

/// What to start.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) regions: usize,
    /// Region 0 is four processes with a drive each, of which two may die. All others are one process with four drives.
    pub(crate) distributed_first: bool,
    /// At least three characters, as S3 wants it.
    pub(crate) bucket: String,
}

/// Running clusters over one replicated bucket. All end, and what they stored goes, when this is dropped.
#[derive(Debug)]
pub(crate) struct Regions {
    // In the order in which they must go: processes, then their folders, then who does the same if we cannot.
    clusters: Vec<Cluster>,
    mc: Mc,
    /// How region 0 sends what is written there.
    rules: Vec<Rule>,
    bucket: String,
    _scratch: Scratch,
    _keeper: Keeper,
}

impl Regions {
    /// Starts all at once. They serve reads, and replicate, when this returns.
    pub(crate) async fn start(programs: &Programs, plan: &Plan) -> Result<Self, String> {
        if plan.regions < 2 {
            return Err(format!("{} region(s): nothing can be replicated; ask for two or more", plan.regions));
        }
        let scratch = Scratch::new()?;
        let keeper = Keeper::start(scratch.path())?;
        let kind = |index| if index == 0 && plan.distributed_first { Kind::FourNodes } else { Kind::OneNode };
        let spawn = |index| Cluster::spawn(&programs.minio, scratch.path(), index, kind(index), keeper.group());
        let clusters = (0..plan.regions).map(spawn).collect::<Result<Vec<_>, _>>()?;
        try_join_all(clusters.iter().map(|cluster| cluster.wait_ready(&plan.bucket, START_LIMIT))).await?;
        let mc = Mc::new(&programs.mc, scratch.path(), &clusters);
        let setting_up = replication::set_up(&mc, &clusters, &plan.bucket);
        let rules = within(START_LIMIT, setting_up).await.unwrap_or_else(|| {
            Err(format!("the clusters run, but replication was not set up within {} s: is the machine too busy?", START_LIMIT.as_secs()))
        })?;
        Ok(Self { clusters, mc, rules, bucket: plan.bucket.clone(), _scratch: scratch, _keeper: keeper })
    }

    pub(crate) fn len(&self) -> usize {
        self.clusters.len()
    }

    pub(crate) fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Where clients connect. In a distributed cluster it is the process that [`stop_nodes`](Self::stop_nodes) spares.
    pub(crate) fn address(&self, region: usize) -> SocketAddr {
        self.clusters[region].address()
    }

    /// Key and secret of the region's ordinary user.
    pub(crate) fn credentials(&self, region: usize) -> (String, String) {
        let user = &self.clusters[region].user;
        (user.key.clone(), user.secret.clone())
    }

    /// Where the drill writes: region 0, as root. Replication carries it to the others.
    pub(crate) fn writer(&self) -> Result<Arc<dyn ObjectStore>, String> {
        client::writer(&self.clusters[0].root, self.address(0), &self.bucket)
    }

    /// Waits until every region says of each key what region 0 says: the same ETag, or that there is none.
    pub(crate) async fn wait_replicated(&self, keys: &[Path], limit: Duration) -> Result<(), String> {
        replication::wait(&self.clusters, &self.bucket, keys, limit).await
    }

    /// SIGKILL to all processes of the region. Connecting is refused from then on; port and drives are kept.
    pub(crate) async fn kill(&self, region: usize) {
        self.clusters[region].kill().await;
    }

    /// Starts what is dead of the region, and returns at once: a server that starts is something to see.
    pub(crate) fn restart(&self, region: usize) -> Result<(), String> {
        self.clusters[region].restart()
    }

    /// Starts one process of the region. Of a distributed cluster it is not ready until the others are there, too.
    pub(crate) fn start_alone(&self, region: usize) -> Result<(), String> {
        self.clusters[region].start_first()
    }

    /// SIGSTOP: connections open and stay open, nothing is answered.
    pub(crate) async fn freeze(&self, region: usize) -> Result<(), String> {
        self.clusters[region].signal("-STOP").await
    }

    /// SIGCONT.
    pub(crate) async fn thaw(&self, region: usize) -> Result<(), String> {
        self.clusters[region].signal("-CONT").await
    }

    /// SIGKILL to `count` of the four processes of region 0, never to the one that clients talk to. [`restart`](Self::restart)
    /// brings them back.
    pub(crate) async fn stop_nodes(&self, count: usize) -> Result<(), String> {
        self.clusters[0].stop_nodes(count).await
    }

    /// The region's ordinary user is let in nowhere.
    pub(crate) async fn disable_user(&self, region: usize) -> Result<(), String> {
        self.user("disable", region).await
    }

    pub(crate) async fn enable_user(&self, region: usize) -> Result<(), String> {
        self.user("enable", region).await
    }

    /// Region 0 sends nothing of what is written from now on.
    pub(crate) async fn pause_replication(&self) -> Result<(), String> {
        replication::pause(&self.mc, &self.clusters[0], &self.bucket, &self.rules).await
    }

    /// Region 0 sends again, also what was written meanwhile. [`wait_replicated`](Self::wait_replicated) tells when it has arrived.
    pub(crate) async fn resume_replication(&self) -> Result<(), String> {
        replication::resume(&self.mc, &self.clusters[0], &self.bucket, &self.rules).await
    }

    async fn user(&self, what: &str, region: usize) -> Result<(), String> {
        let cluster = &self.clusters[region];
        self.mc.run(&cluster.alias, &["admin", "user", what, &cluster.alias, &cluster.user.key]).await.map(drop)
    }
}

/// For each of the two halves of a start. Both together took 3 to 9 s on two cores that others used, too, and 16 s at worst.
const START_LIMIT: Duration = Duration::from_secs(60);
