//! MinIO clusters that the run starts and breaks. Network faults are injected by proxies in front
//! of them.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use failover_testkit::s3::Document;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{Environment, Links, name};
use crate::minio::{Plan, Programs, Regions};
use crate::scenario::{Action, Scenario};

const BUCKET: &str = "drill";
/// MinIO replicates a write within 1 s; after this time replication is considered broken.
const REPLICATION_LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Minio {
    regions: Regions,
    links: Links,
    writer: Arc<dyn ObjectStore>,
    proxying: bool,
    /// Actions on each region that a restore has to undo.
    applied: Mutex<Vec<Vec<Action>>>,
}

impl Minio {
    /// Starts clusters that serve, and proxies if the scenario needs them. With `proxying` the
    /// clusters fetch missing keys from each other.
    pub(crate) async fn start(
        run_on: &Handle,
        regions: usize,
        scenario: &Scenario,
        proxying: bool,
    ) -> Result<Self, String> {
        let programs = Programs::find()?;
        let plan = Plan {
            regions,
            distributed_first: scenario.needs_nodes(),
            bucket: BUCKET.into(),
        };
        let regions = Regions::start(&programs, &plan).await?;
        let writer = regions.writer()?;
        let servers = (0..regions.len()).map(|region| regions.address(region));
        let links = if scenario.needs_links() {
            Links::to(servers, run_on)
        } else {
            Links::default()
        };
        let applied = Mutex::new(vec![Vec::new(); regions.len()]);
        Ok(Self {
            regions,
            links,
            writer,
            proxying,
            applied,
        })
    }

    async fn restore(&self, region: usize) -> Result<(), String> {
        self.links.restore(region);
        let applied = std::mem::take(&mut self.applied.lock()[region]);
        for action in applied {
            match action {
                Action::Kill | Action::KillNodes(_) => self.regions.restart(region)?,
                Action::Hang => self.regions.unfreeze(region).await?,
                Action::DisableKey => self.regions.enable_user(region).await?,
                _ => {}
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Environment for Minio {
    fn names(&self) -> Vec<String> {
        (0..self.regions.len()).map(name).collect()
    }

    fn document(&self) -> String {
        // Proxying hides missing keys, so clients disable it.
        let headers = if self.proxying {
            ""
        } else {
            "[regions.headers]\nX-Minio-Source-Proxy-Request = \"false\"\n"
        };
        let more = &format!("flavor = \"minio\"\n{headers}");
        let region = |index: usize| {
            let address = self
                .links
                .address(index)
                .unwrap_or_else(|| self.regions.address(index));
            let (name, endpoint, (key, secret)) = (
                &name(index),
                &format!("http://{address}"),
                &self.regions.credentials(index),
            );
            Document {
                name,
                bucket: self.regions.bucket(),
                endpoint,
                key,
                secret,
                more,
            }
            .to_string()
        };
        (0..self.regions.len()).map(region).collect()
    }

    fn unsupported(&self, _: Action) -> Option<&'static str> {
        None
    }

    async fn apply(&self, region: usize, action: Action, usual: Duration) -> Result<(), String> {
        if action != Action::Restore {
            self.applied.lock()[region].push(action);
        }
        match action {
            Action::Kill => self.regions.kill(region).await,
            Action::Hang => self.regions.freeze(region).await?,
            Action::StartUnready => self.regions.start_alone(region)?,
            Action::KillNodes(nodes) => self.regions.stop_nodes(nodes).await?,
            Action::DisableKey => self.regions.disable_user(region).await?,
            Action::Network(fault) => self.links.inject(region, fault, usual),
            Action::Restore => self.restore(region).await?,
            Action::PauseReplication => self.regions.pause_replication().await?,
            Action::ResumeReplication => self.regions.resume_replication().await?,
            Action::Write | Action::Overwrite | Action::Delete => {
                return Err("a data change is written, not applied to a region".into());
            }
        }
        Ok(())
    }

    async fn put(&self, path: &Path, body: Bytes) -> Result<(), String> {
        self.writer
            .put(path, body.into())
            .await
            .map(drop)
            .map_err(|error| format!("cannot write to the first region: {error}"))
    }

    async fn delete(&self, path: &Path) -> Result<(), String> {
        self.writer
            .delete(path)
            .await
            .map_err(|error| format!("cannot write to the first region: {error}"))
    }

    async fn replicated(&self, paths: &[Path]) -> Result<(), String> {
        self.regions.wait_replicated(paths, REPLICATION_LIMIT).await
    }

    fn requests(&self) -> Option<Vec<u64>> {
        self.links.requests()
    }

    fn interrupted(&self) -> Option<u64> {
        self.links.interrupted()
    }

    fn body_bytes(&self) -> Option<u64> {
        self.links.body_bytes()
    }
}
