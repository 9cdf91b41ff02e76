//! Regions that fail and recover: S3 servers over one bucket, each behind a fault proxy, on a
//! runtime of their own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use failover_testkit::proxy::{Fault, Proxy, Response};
use failover_testkit::s3::{Document, KEY, SECRET, Server};
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverStore};
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::content;

const BUCKET: &str = "soak";
/// Short limits and open times, so that circuits open and close hundreds of times in minutes.
const SETTINGS: &str = r#"
name = "soak"
[timeouts]
attempt = "2s"
stall = "2s"
total = "30s"
[breaker]
silence = "200ms"
open_for = "1s"
open_for_max = "4s"
ramp = "1s"
[writes]
policy = "any"
"#;

pub(crate) struct Regions {
    all: Vec<(Server, Proxy)>,
    /// Count of each fault.
    pub(crate) faults: Mutex<BTreeMap<&'static str, u64>>,
}

impl Regions {
    /// Starts servers with every object on the runtime `servers`.
    pub(crate) async fn start(servers: &Handle, count: u32) -> Result<Self, String> {
        let bucket = InMemory::new();
        for number in 0..content::OBJECTS {
            let put = bucket
                .put(&content::path(number), content::body(number, 0).into())
                .await;
            put.map_err(|error| format!("cannot fill the bucket: {error}"))?;
        }
        let mut all = Vec::new();
        for _ in 0..count {
            let objects: Arc<dyn ObjectStore> = Arc::new(bucket.clone());
            let starting = servers.spawn(async move {
                let server = Server::start(BUCKET, objects).await;
                let proxy = Proxy::start(server.address());
                (server, proxy)
            });
            all.push(
                starting
                    .await
                    .map_err(|error| format!("an S3 server did not start: {error}"))?,
            );
        }
        Ok(Self {
            all,
            faults: Mutex::default(),
        })
    }

    pub(crate) fn store(&self) -> Result<FailoverStore, String> {
        let region = |(index, (_, proxy)): (usize, &(Server, Proxy))| {
            let (name, endpoint) = (&format!("region-{index}"), &proxy.endpoint());
            // With the flavor `minio`, SlowDown would be a lost quorum.
            Document {
                name,
                bucket: BUCKET,
                endpoint,
                key: KEY,
                secret: SECRET,
                more: "flavor = \"aws\"\n",
            }
            .to_string()
        };
        let document: String = std::iter::once(SETTINGS.to_owned())
            .chain(self.all.iter().enumerate().map(region))
            .collect();
        let config = FailoverConfig::from_toml(&document).map_err(|error| error.to_string())?;
        config.build().map_err(|error| error.to_string())
    }

    /// Injects faults and restores the regions, repeatedly. One of the regions in use gets no
    /// fault. A recovered region that the store does not use yet would not suffice: it gets one
    /// attempt per second.
    pub(crate) async fn inject_faults(&self, store: &FailoverStore, seed: u64) {
        let mut rng = SmallRng::seed_from_u64(seed);
        loop {
            let in_use: Vec<_> = store
                .health()
                .regions
                .iter()
                .enumerate()
                .filter(|(_, region)| region.in_use)
                .map(|(index, _)| index)
                .collect();
            if let Some(healthy) = in_use.choose(&mut rng) {
                let mut failing: Vec<_> = (0..self.all.len())
                    .filter(|index| index != healthy)
                    .collect();
                failing.shuffle(&mut rng);
                failing.truncate(rng.random_range(1..=failing.len()));
                self.fail_all(&failing, &mut rng);
            }
            sleep(Duration::from_millis(rng.random_range(200..4_000))).await;
            self.restore();
            sleep(Duration::from_millis(rng.random_range(200..2_000))).await;
        }
    }

    fn fail_all(&self, failing: &[usize], rng: &mut SmallRng) {
        for index in failing {
            if let Some(fault) = RegionFault::ALL.choose(rng) {
                self.fail(*index, *fault, rng);
            }
        }
    }

    pub(crate) fn restore(&self) {
        for (server, proxy) in &self.all {
            server.revive();
            proxy.set(Fault::Pass);
        }
    }

    fn fail(&self, index: usize, fault: RegionFault, rng: &mut SmallRng) {
        *self.faults.lock().entry(fault.name()).or_default() += 1;
        let (server, proxy) = &self.all[index];
        match fault {
            RegionFault::Killed => server.kill(),
            RegionFault::Hanging => server.hang(),
            RegionFault::Refusing => proxy.set(Fault::Refuse),
            RegionFault::Swallowing => proxy.set(Fault::Swallow),
            RegionFault::Throttling => proxy.set(Response::error(503, "SlowDown")),
            RegionFault::Failing => proxy.set(Response::error(500, "InternalError")),
            RegionFault::Resetting => proxy.set(Fault::ResetAfter(rng.random_range(0..4_096))),
            RegionFault::Stalling => proxy.set(Fault::StallAfter(rng.random_range(0..4_096))),
            RegionFault::Slow => proxy.set(Fault::Delay(Duration::from_millis(
                rng.random_range(50..1_500),
            ))),
        }
    }
}

/// The fault of a region.
#[derive(Debug, Clone, Copy)]
enum RegionFault {
    Killed,
    Hanging,
    Refusing,
    Swallowing,
    Throttling,
    Failing,
    Resetting,
    Stalling,
    Slow,
}

impl RegionFault {
    const ALL: [Self; 9] = [
        Self::Killed,
        Self::Hanging,
        Self::Refusing,
        Self::Swallowing,
        Self::Throttling,
        Self::Failing,
        Self::Resetting,
        Self::Stalling,
        Self::Slow,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Hanging => "hanging",
            Self::Refusing => "refusing",
            Self::Swallowing => "swallowing",
            Self::Throttling => "throttling",
            Self::Failing => "failing",
            Self::Resetting => "resetting bodies",
            Self::Stalling => "stalling bodies",
            Self::Slow => "slow",
        }
    }
}
