//! One run: all clients on one paused clock, and what was counted.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use object_store_failover::{FailoverStore, Region};
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};

use crate::args::Args;
use crate::clock;
use crate::region::{Site, Way};
use crate::variant::Variant;

/// What was counted, by the second.
#[derive(Debug)]
pub(crate) struct Seen {
    /// Reads that clients began.
    pub(crate) asked: Vec<u64>,
    /// Reads that came to nothing, by the second in which they ended.
    pub(crate) failed: Vec<u64>,
    /// Requests that all regions saw.
    pub(crate) attempts: Vec<u64>,
    /// Those that the first region saw, which dies.
    pub(crate) at_region: Vec<u64>,
}

/// Counters by the second.
#[derive(Debug)]
struct Counts(Vec<AtomicU64>);

impl Counts {
    fn new(seconds: u64) -> Arc<Self> {
        Arc::new(Self((0..=seconds).map(|_| AtomicU64::new(0)).collect()))
    }

    fn add(&self, began: tokio::time::Instant) {
        let second = (clock::simulated() - began).as_secs() as usize;
        if let Some(count) = self.0.get(second) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn read(&self) -> Vec<u64> {
        read(&self.0)
    }
}

fn read(counts: &[AtomicU64]) -> Vec<u64> {
    counts.iter().map(|count| count.load(Ordering::Relaxed)).collect()
}

/// All clients, from the first second to the last; `room` is what a region can serve, in shares of its share.
pub(crate) fn live(args: &Args, variant: Variant, room: f64) -> Result<Seen, Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    runtime.block_on(async {
        let began = clock::simulated();
        let capacity = (args.per_second as f64 * room / args.regions as f64 / 10.0).ceil() as u64;
        let site = |index| Site::new(began, args.seconds, if index == 0 { args.dies..args.back() } else { 0..0 }, capacity);
        let sites: Vec<_> = (0..args.regions).map(site).collect();
        let (asked, failed) = (Counts::new(args.seconds), Counts::new(args.seconds));
        let mut dice = SmallRng::seed_from_u64(args.seed);
        let pause = Duration::from_secs(1).mul_f64(args.clients as f64 / args.per_second as f64);
        let mut clients = Vec::with_capacity(args.clients);
        for _ in 0..args.clients {
            let store = sites.iter().enumerate().fold(FailoverStore::builder(), |builder, (index, site)| {
                builder.region(Region::new(format!("region-{index}"), Arc::new(Way(Arc::clone(site)))))
            });
            let store = variant.settings(store).seed(dice.random()).build()?;
            let client = Client { store, dice: SmallRng::seed_from_u64(dice.random()), began, pause, ends: args.seconds };
            clients.push(tokio::spawn(client.live(Arc::clone(&asked), Arc::clone(&failed))));
        }
        for client in clients {
            client.await?;
        }
        let by_region: Vec<_> = sites.iter().map(|site| read(&site.seen)).collect();
        let attempts = (0..=args.seconds as usize).map(|second| by_region.iter().map(|seen| seen[second]).sum()).collect();
        Ok(Seen { asked: asked.read(), failed: failed.read(), attempts, at_region: by_region[0].clone() })
    })
}

/// A process that reads at its own steady rate, whatever becomes of its reads.
struct Client {
    store: FailoverStore,
    dice: SmallRng,
    began: tokio::time::Instant,
    pause: Duration,
    ends: u64,
}

impl Client {
    async fn live(mut self, asked: Arc<Counts>, failed: Arc<Counts>) {
        while (clock::simulated() - self.began).as_secs() < self.ends {
            clock::pause(self.pause.mul_f64(2.0 * self.dice.random::<f64>())).await;
            asked.add(self.began);
            let (store, failed, began) = (self.store.clone(), Arc::clone(&failed), self.began);
            tokio::spawn(async move {
                let read = async { store.get(&Path::from("key")).await?.bytes().await };
                if read.await.is_err() {
                    failed.add(began);
                }
            });
        }
    }
}
