//! Real MinIO clusters, started for the run and broken for real; what no server can be made to do is done on the lines before them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{Ground, Lines, name};
use crate::minio::{Plan, Programs, Regions};
use crate::s3::Document;
use crate::scenario::{Act, Scenario};

const BUCKET: &str = "drill";
/// MinIO sends what is written within a second; this much says that it does not.
const REPLICATION_LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Minio {
    regions: Regions,
    lines: Lines,
    writer: Arc<dyn ObjectStore>,
    proxying: bool,
    /// What was done to each region and wants to be undone.
    done: Mutex<Vec<Vec<Act>>>,
}

impl Minio {
    /// Clusters that serve, and the lines to them if the scenario needs those. `proxying`: they may ask each other for what they lack.
    pub(crate) async fn start(run_on: &Handle, regions: usize, scenario: &Scenario, proxying: bool) -> Result<Self, String> {
        let programs = Programs::find()?;
        let plan = Plan { regions, distributed_first: scenario.needs_nodes(), bucket: BUCKET.into() };
        let regions = Regions::start(&programs, &plan).await?;
        let writer = regions.writer()?;
        let servers = (0..regions.len()).map(|region| regions.address(region));
        let lines = if scenario.needs_a_line() { Lines::to(servers, run_on) } else { Lines::default() };
        let done = Mutex::new(vec![Vec::new(); regions.len()]);
        Ok(Self { regions, lines, writer, proxying, done })
    }

    async fn revive(&self, region: usize) -> Result<(), String> {
        self.lines.mend(region);
        let done = std::mem::take(&mut self.done.lock()[region]);
        for act in done {
            match act {
                Act::Kill | Act::LoseNodes(_) => self.regions.restart(region)?,
                Act::Hang => self.regions.thaw(region).await?,
                Act::DisableKey => self.regions.enable_user(region).await?,
                _ => {}
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Ground for Minio {
    fn names(&self) -> Vec<String> {
        (0..self.regions.len()).map(name).collect()
    }

    fn document(&self) -> String {
        // A cluster that answers for others hides what it lacks.
        let headers = if self.proxying { "" } else { "[regions.headers]\nX-Minio-Source-Proxy-Request = \"false\"\n" };
        let more = &format!("flavor = \"minio\"\n{headers}");
        let region = |index: usize| {
            let address = self.lines.address(index).unwrap_or_else(|| self.regions.address(index));
            let (name, endpoint, (key, secret)) = (&name(index), &format!("http://{address}"), &self.regions.credentials(index));
            Document { name, bucket: self.regions.bucket(), endpoint, key, secret, more }.to_string()
        };
        (0..self.regions.len()).map(region).collect()
    }

    fn why_not(&self, _: Act) -> Option<&'static str> {
        None
    }

    async fn act(&self, region: usize, act: Act, usual: Duration) -> Result<(), String> {
        if act != Act::Revive {
            self.done.lock()[region].push(act);
        }
        match act {
            Act::Kill => self.regions.kill(region).await,
            Act::Hang => self.regions.freeze(region).await?,
            Act::StartUnready => self.regions.start_alone(region)?,
            Act::LoseNodes(nodes) => self.regions.stop_nodes(nodes).await?,
            Act::DisableKey => self.regions.disable_user(region).await?,
            Act::Spoil(spoil) => self.lines.spoil(region, spoil, usual),
            Act::Revive => self.revive(region).await?,
            Act::PauseReplication => self.regions.pause_replication().await?,
            Act::ResumeReplication => self.regions.resume_replication().await?,
            Act::Write | Act::Overwrite | Act::Delete => return Err("this is written, not done".into()),
        }
        Ok(())
    }

    async fn put(&self, path: &Path, body: Bytes) -> Result<(), String> {
        self.writer.put(path, body.into()).await.map(drop).map_err(|error| format!("the first region could not be written: {error}"))
    }

    async fn delete(&self, path: &Path) -> Result<(), String> {
        self.writer.delete(path).await.map_err(|error| format!("the first region could not be written: {error}"))
    }

    async fn replicated(&self, paths: &[Path]) -> Result<(), String> {
        self.regions.wait_replicated(paths, REPLICATION_LIMIT).await
    }

    fn requests(&self) -> Option<Vec<u64>> {
        self.lines.requests()
    }

    fn struck(&self) -> Option<u64> {
        self.lines.struck()
    }

    fn body_bytes(&self) -> Option<u64> {
        self.lines.body_bytes()
    }
}
