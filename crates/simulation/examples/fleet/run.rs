//! One run: all clients on one paused clock.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use object_store_failover::{FailoverStore, Region};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::args::Args;
use crate::region::{ModelledRegion, RegionStore};
use crate::variant::Variant;

/// Counts by the second.
#[derive(Debug)]
pub(crate) struct Counts {
    /// Reads that clients started.
    pub(crate) reads: Vec<u64>,
    /// Reads that failed, by the second in which they ended.
    pub(crate) failed: Vec<u64>,
    /// Requests at all regions.
    pub(crate) attempts: Vec<u64>,
    /// Requests at the first region, which fails.
    pub(crate) at_region: Vec<u64>,
}

/// A counter per second.
#[derive(Debug)]
struct PerSecond(Vec<AtomicU64>);

impl PerSecond {
    fn new(seconds: u64) -> Arc<Self> {
        Arc::new(Self((0..=seconds).map(|_| AtomicU64::new(0)).collect()))
    }

    fn add(&self, started_at: Instant) {
        let second = (Instant::now() - started_at).as_secs() as usize;
        if let Some(count) = self.0.get(second) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn read(&self) -> Vec<u64> {
        read(&self.0)
    }
}

fn read(counts: &[AtomicU64]) -> Vec<u64> {
    counts
        .iter()
        .map(|count| count.load(Ordering::Relaxed))
        .collect()
}

/// Runs all clients. `capacity` is that of a region, relative to its share.
pub(crate) fn run(args: &Args, variant: Variant, capacity: f64) -> Result<Counts, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(async {
        let started_at = Instant::now();
        let per_tenth = (args.per_second as f64 * capacity / args.regions as f64 / 10.0).ceil();
        let region = |index| {
            ModelledRegion::new(
                started_at,
                args.seconds,
                if index == 0 {
                    args.down_from..args.down_until()
                } else {
                    0..0
                },
                per_tenth as u64,
            )
        };
        let regions: Vec<_> = (0..args.regions).map(region).collect();
        let (reads, failed) = (PerSecond::new(args.seconds), PerSecond::new(args.seconds));
        let mut rng = SmallRng::seed_from_u64(args.seed);
        let pause = Duration::from_secs(1).mul_f64(args.clients as f64 / args.per_second as f64);
        let mut clients = Vec::with_capacity(args.clients);
        for _ in 0..args.clients {
            let store = regions.iter().enumerate().fold(
                FailoverStore::builder(),
                |builder, (index, region)| {
                    builder.region(Region::new(
                        format!("region-{index}"),
                        Arc::new(RegionStore(Arc::clone(region))),
                    ))
                },
            );
            let store = variant.settings(store).seed(rng.random()).build()?;
            let client = Client {
                store,
                rng: SmallRng::seed_from_u64(rng.random()),
                started_at,
                pause,
                seconds: args.seconds,
            };
            clients.push(tokio::spawn(
                client.run(Arc::clone(&reads), Arc::clone(&failed)),
            ));
        }
        for client in clients {
            client.await?;
        }
        let by_region: Vec<_> = regions
            .iter()
            .map(|region| read(&region.requests))
            .collect();
        let attempts = (0..=args.seconds as usize)
            .map(|second| by_region.iter().map(|requests| requests[second]).sum())
            .collect();
        Ok(Counts {
            reads: reads.read(),
            failed: failed.read(),
            attempts,
            at_region: by_region[0].clone(),
        })
    })
}

/// A process that reads at a steady rate, independent of the results.
struct Client {
    store: FailoverStore,
    rng: SmallRng,
    started_at: Instant,
    pause: Duration,
    seconds: u64,
}

impl Client {
    async fn run(mut self, reads: Arc<PerSecond>, failed: Arc<PerSecond>) {
        while (Instant::now() - self.started_at).as_secs() < self.seconds {
            tokio::time::sleep(self.pause.mul_f64(2.0 * self.rng.random::<f64>())).await;
            reads.add(self.started_at);
            let (store, failed, started_at) =
                (self.store.clone(), Arc::clone(&failed), self.started_at);
            tokio::spawn(async move {
                let read = async { store.get(&Path::from("key")).await?.bytes().await };
                if read.await.is_err() {
                    failed.add(started_at);
                }
            });
        }
    }
}
