//! Regions that come and go: S3 servers over one bucket, each behind a proxy, on a runtime of their own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverStore};
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{RngExt, SeedableRng};
use tokio::runtime::Handle;

use crate::clock::pause;
use crate::content;
use crate::proxy::{Answer, Fault, Proxy};
use crate::s3::{Document, KEY, SECRET, Server};

const BUCKET: &str = "soak";
/// A life of minutes: limits and open times are short, so that circuits open and close hundreds of times.
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
    /// How often each fault came.
    pub(crate) faults: Mutex<BTreeMap<&'static str, u64>>,
}

impl Regions {
    /// Servers with every object; they run on `servers`.
    pub(crate) async fn start(servers: &Handle, count: u32) -> Result<Self, String> {
        let bucket = InMemory::new();
        for number in 0..content::OBJECTS {
            let put = bucket.put(&content::path(number), content::body(number, 0).into()).await;
            put.map_err(|error| format!("the bucket could not be filled: {error}"))?;
        }
        let mut all = Vec::new();
        for _ in 0..count {
            let objects: Arc<dyn ObjectStore> = Arc::new(bucket.clone());
            let starting = servers.spawn(async move {
                let server = Server::start(BUCKET, objects).await;
                let proxy = Proxy::start(server.address());
                (server, proxy)
            });
            all.push(starting.await.map_err(|error| format!("an S3 server did not start: {error}"))?);
        }
        Ok(Self { all, faults: Mutex::default() })
    }

    pub(crate) fn store(&self) -> Result<FailoverStore, String> {
        let region = |(index, (_, proxy)): (usize, &(Server, Proxy))| {
            let (name, endpoint) = (&format!("region-{index}"), &proxy.endpoint());
            // Throttling is throttling here; to a MinIO it would be a lost quorum.
            Document { name, bucket: BUCKET, endpoint, key: KEY, secret: SECRET, more: "flavor = \"aws\"\n" }.to_string()
        };
        let document: String = std::iter::once(SETTINGS.to_owned()).chain(self.all.iter().enumerate().map(region)).collect();
        let config: FailoverConfig = toml::from_str(&document).map_err(|error| error.to_string())?;
        config.build().map_err(|error| error.to_string())
    }

    /// Breaks regions and mends them, for ever. One of those that are in use is left in peace: a region that has come back, and that the
    /// store does not know to be back, is asked once a second, and is no reason why reads could not fail.
    pub(crate) async fn flap(&self, store: &FailoverStore, seed: u64) {
        let mut dice = SmallRng::seed_from_u64(seed);
        loop {
            let in_use: Vec<_> =
                store.health().regions.iter().enumerate().filter(|(_, region)| region.in_use).map(|(index, _)| index).collect();
            if let Some(survivor) = in_use.choose(&mut dice) {
                let mut victims: Vec<_> = (0..self.all.len()).filter(|index| index != survivor).collect();
                victims.shuffle(&mut dice);
                victims.truncate(dice.random_range(1..=victims.len()));
                self.strike_all(&victims, &mut dice);
            }
            pause(Duration::from_millis(dice.random_range(200..4_000))).await;
            self.mend();
            pause(Duration::from_millis(dice.random_range(200..2_000))).await;
        }
    }

    fn strike_all(&self, victims: &[usize], dice: &mut SmallRng) {
        for index in victims {
            if let Some(ill) = Ill::ALL.choose(dice) {
                self.strike(*index, *ill, dice);
            }
        }
    }

    pub(crate) fn mend(&self) {
        for (server, proxy) in &self.all {
            server.revive();
            proxy.set(Fault::Pass);
        }
    }

    fn strike(&self, index: usize, ill: Ill, dice: &mut SmallRng) {
        *self.faults.lock().entry(ill.name()).or_default() += 1;
        let (server, proxy) = &self.all[index];
        match ill {
            Ill::Killed => server.kill(),
            Ill::Hanging => server.hang(),
            Ill::Refusing => proxy.set(Fault::Refuse),
            Ill::Swallowing => proxy.set(Fault::Swallow),
            Ill::Throttling => proxy.set(Answer::error(503, "SlowDown")),
            Ill::Failing => proxy.set(Answer::error(500, "InternalError")),
            Ill::Resetting => proxy.set(Fault::ResetAfter(dice.random_range(0..4_096))),
            Ill::Stalling => proxy.set(Fault::StallAfter(dice.random_range(0..4_096))),
            Ill::Late => proxy.set(Fault::Delay(Duration::from_millis(dice.random_range(50..1_500)))),
        }
    }
}

/// What a region suffers from.
#[derive(Debug, Clone, Copy)]
enum Ill {
    Killed,
    Hanging,
    Refusing,
    Swallowing,
    Throttling,
    Failing,
    Resetting,
    Stalling,
    Late,
}

impl Ill {
    const ALL: [Self; 9] = [
        Self::Killed,
        Self::Hanging,
        Self::Refusing,
        Self::Swallowing,
        Self::Throttling,
        Self::Failing,
        Self::Resetting,
        Self::Stalling,
        Self::Late,
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
            Self::Late => "late",
        }
    }
}
