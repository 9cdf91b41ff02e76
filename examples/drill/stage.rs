//! Where the drill plays: the store under test, and the servers behind it, if they are ours to break.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStore;
use object_store::memory::InMemory;
use object_store_failover::{CircuitState, FailoverStore, Region};
use tokio::runtime::Runtime;

use crate::proxy::{Fault as Spoilt, Proxy};
use crate::s3::Server;
use crate::scenario::Act;
use crate::tuning::Tuning;

const BUCKET: &str = "drill";

pub(crate) struct Stage {
    pub(crate) store: FailoverStore,
    pub(crate) names: Vec<Arc<str>>,
    /// None behind `--config`.
    servers: Vec<Server>,
    /// The lines to them, where a scenario spoils those.
    lines: Vec<Proxy>,
}

impl Stage {
    /// Servers that all hold `objects`, and a store over them. They run on a runtime of their own, so that whatever blocks the
    /// readers is not the servers' fault.
    pub(crate) async fn build(
        servers_run_on: &Runtime,
        objects: &Arc<InMemory>,
        regions: usize,
        tuning: &Tuning,
        seed: u64,
        through_lines: bool,
    ) -> Result<Self, String> {
        let (mut servers, mut lines) = (Vec::with_capacity(regions), Vec::new());
        let mut builder = FailoverStore::builder().name("drill").seed(seed);
        for index in 0..regions {
            let bucket: Arc<dyn ObjectStore> = Arc::<InMemory>::clone(objects);
            let starting = servers_run_on.spawn(async move { Server::start(BUCKET, bucket).await });
            let server = starting.await.map_err(|error| format!("an S3 server did not start: {error}"))?;
            let store = if through_lines {
                let _there = servers_run_on.enter();
                let line = Proxy::start(server.address());
                let client = line.client(&server).build().map_err(|error| error.to_string())?;
                lines.push(line);
                client
            } else {
                server.store()
            };
            builder = builder.region(Region::new(name(index), Arc::new(store)));
            servers.push(server);
        }
        let store = builder.breaker(tuning.breaker.clone()).timeouts(tuning.timeouts()).build().map_err(|error| error.to_string())?;
        Ok(Self { names: names(&store), store, servers, lines })
    }

    /// A store over regions that are not ours.
    pub(crate) fn over(store: FailoverStore) -> Self {
        Self { names: names(&store), store, servers: Vec::new(), lines: Vec::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether faults are ours to make, and to judge.
    pub(crate) fn is_ours(&self) -> bool {
        !self.servers.is_empty()
    }

    pub(crate) fn act(&self, region: usize, act: Act) {
        let Some(server) = self.servers.get(region) else { return };
        let spoil = |how: Spoilt| self.lines.iter().skip(region).take(1).for_each(|line| line.set(how.clone()));
        match act {
            Act::Kill => server.kill(),
            Act::Hang => server.hang(),
            Act::Swallow => spoil(Spoilt::Swallow),
            Act::BreakBodies => spoil(Spoilt::ResetAfter(1)),
            Act::Revive => {
                spoil(Spoilt::Pass);
                server.revive();
            }
        }
    }

    /// Requests that have reached each region by its own count; where the region is not ours, attempts by the store's count.
    pub(crate) fn requests(&self) -> Vec<u64> {
        match (&self.lines[..], &self.servers[..]) {
            ([], []) => self.attempts(),
            ([], servers) => servers.iter().map(Server::requests).collect(),
            (lines, _) => lines.iter().map(|line| line.counts().requests).collect(),
        }
    }

    /// Attempts that the store has made on each region, whether or not anything has arrived there.
    pub(crate) fn attempts(&self) -> Vec<u64> {
        self.store.health().regions.iter().map(|region| region.attempts).collect()
    }

    pub(crate) fn circuits(&self) -> Vec<CircuitState> {
        self.store.health().regions.iter().map(|region| region.read.state).collect()
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| **known == *name)
    }
}

/// The runtime of the servers.
pub(crate) fn servers_runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_name("s3-server").enable_all().build()
}

/// How long the servers' tasks may take to end: nothing of them is needed any more.
pub(crate) const SERVERS_END: Duration = Duration::from_millis(200);

fn names(store: &FailoverStore) -> Vec<Arc<str>> {
    store.health().regions.iter().map(|region| Arc::clone(&region.name)).collect()
}

/// region-a to region-p.
fn name(index: usize) -> String {
    let letter = u8::try_from(index).map_or('?', |index| char::from(b'a' + index));
    format!("region-{letter}")
}
