//! Every operation, dropped after each possible number of polls until it completes.
//!
//! Regions, faults and pauses are drawn from a seed, alike for each number of polls. Afterwards
//! there is no attempt in flight, no task, no permit in use, no circuit that cannot close, and no
//! failure recorded for a healthy region.
//! `SEED=n CASES=n cargo test --test streams cancel_at_every_poll` replays or extends a run.

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use failover_testkit::*;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, Result};
use object_store_failover::{CircuitState, FailoverStore, FailoverStoreBuilder, Region};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use tokio::time::advance;

const BODY: &str = "0123456789abcdef";
/// More polls than any operation takes.
const MAX_POLLS: u32 = 1_000;
/// Longer than any call: a copy may take five minutes in each region.
const SETTLE_TIME: Duration = secs(3_600);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
    Get,
    Ranges,
    Head,
    List,
    ListFrom,
    ListFolders,
    Put,
    Upload,
    Abort,
    Copy,
    Rename,
    Delete,
    Probes,
    WriteCanary,
}

impl Op {
    const ALL: [Self; 14] = [
        Self::Get,
        Self::Ranges,
        Self::Head,
        Self::List,
        Self::ListFrom,
        Self::ListFolders,
        Self::Put,
        Self::Upload,
        Self::Abort,
        Self::Copy,
        Self::Rename,
        Self::Delete,
        Self::Probes,
        Self::WriteCanary,
    ];

    async fn run(self, store: FailoverStore) -> Result<()> {
        let other = Path::from("folder/other");
        match self {
            Self::Get => assert_eq!(store.get(&key()).await?.bytes().await?, BODY),
            Self::Ranges => assert_eq!(
                store.get_ranges(&key(), &[0..4, 8..12]).await?,
                ["0123", "89ab"]
            ),
            Self::Head => assert_eq!(store.head(&key()).await?.size, BODY.len() as u64),
            Self::List => assert!(!store.list(None).try_collect::<Vec<_>>().await?.is_empty()),
            Self::ListFrom => {
                let items = store.list_with_offset(None, &"a".into());
                items.try_collect::<Vec<_>>().await?;
            }
            Self::ListFolders => drop(store.list_with_delimiter(None).await?),
            Self::Put => drop(store.put(&other, "new".into()).await?),
            Self::Upload => {
                let mut upload = upload(&store, &other).await?;
                upload.complete().await?;
            }
            Self::Abort => upload(&store, &other).await?.abort().await?,
            Self::Copy => store.copy(&key(), &other).await?,
            Self::Rename => store.rename(&"old".into(), &other).await?,
            Self::Delete => {
                let paths = futures::stream::iter(["old".into(), "none".into()].map(Ok)).boxed();
                drop(store.delete_stream(paths).try_collect::<Vec<_>>().await?);
            }
            Self::Probes => {
                let _guard = store.start_probes();
                tokio::time::sleep(secs(8)).await;
            }
            Self::WriteCanary => store.write_canary().await?,
        }
        Ok(())
    }
}

/// An upload with two parts, sent concurrently.
async fn upload(store: &FailoverStore, path: &Path) -> Result<Box<dyn MultipartUpload>> {
    let mut upload = store.put_multipart(path).await?;
    let (one, two) = (upload.put_part("one".into()), upload.put_part("two".into()));
    futures::try_join!(one, two)?;
    Ok(upload)
}

/// One operation under the faults of one seed.
struct Case {
    op: Op,
    seed: u64,
    rng: SmallRng,
}

/// How a run ended.
enum End {
    Dropped,
    Completed,
}

impl Case {
    fn new(op: Op, seed: u64) -> Self {
        Self {
            op,
            seed,
            rng: SmallRng::seed_from_u64(seed),
        }
    }

    /// Healthy regions, and a store over them with low limits, so that a leaked permit is noticed.
    async fn store(&mut self) -> (Vec<Arc<Scripted>>, FailoverStore) {
        let bucket = InMemory::new();
        let regions: Vec<_> = (0..3)
            .map(|_| Arc::new(Scripted::over(bucket.clone())))
            .collect();
        put(&regions[0], BODY).await;
        put_at(&regions[0], "old").await;
        let with_region = |builder: FailoverStoreBuilder,
                           (region, name): (&Arc<Scripted>, &str)| {
            let region = RandomPending::new(
                Arc::clone(region) as Arc<dyn ObjectStore>,
                self.rng.random(),
            );
            builder.region(Region::new(name, Arc::new(region)))
        };
        let builder = FailoverStore::builder().seed(self.seed);
        let builder = regions.iter().zip(NAMES).fold(builder, with_region);
        let policy = *["any", "home"].choose(&mut self.rng).unwrap();
        let writes = match policy {
            "home" => json!({"policy": policy, "home": NAMES[0]}),
            _ => json!({"policy": policy}),
        };
        let mut builder = builder
            .writes(settings(writes))
            .probe(settings(json!({"interval": "1s"})));
        if self.rng.random_bool(0.5) {
            let limit = self.rng.random_range(1..4);
            builder = builder.throttle(settings(json!({"max_in_flight": limit})));
        }
        if self.rng.random_bool(0.3) {
            builder = builder.hedge(settings(json!({})));
        }
        (regions, builder.build().unwrap())
    }

    /// Leaves the circuits closed, open or due for a trial.
    async fn prepare(&mut self, regions: &[Arc<Scripted>], store: &FailoverStore) {
        if self.rng.random_bool(0.5) {
            regions.iter().for_each(|region| region.fail());
            for _ in 0..3 {
                let _ = (read(store).await, store.put(&"x".into(), "x".into()).await);
            }
            advance(ms(self.rng.random_range(0..70_000))).await;
        }
    }

    /// Draws what each region does from now on; true where it is healthy.
    fn set_faults(&mut self, regions: &[Arc<Scripted>]) -> Vec<bool> {
        let modes = [
            Mode::Slow(ms(300)),
            Mode::Hang,
            Mode::StallAfter(3),
            Mode::BreakAfter(3),
            Mode::CutAfter(2),
            Mode::ApplyThenFail(Fault::Reset),
            Mode::Fail(Fault::Reset),
            Mode::Fail(Fault::Connect),
            Mode::Fail(Fault::Status(503, "SlowDown")),
            Mode::Fail(Fault::Status(403, "")),
        ];
        let one = |region: &Arc<Scripted>| {
            let healthy = self.rng.random_bool(0.4);
            region.set(match healthy {
                true => Mode::Serve,
                false => *modes.choose(&mut self.rng).unwrap(),
            });
            healthy
        };
        regions.iter().map(one).collect()
    }

    /// Runs the operation once and drops it after `polls` polls.
    async fn run(mut self, polls: u32) -> End {
        let (regions, store) = self.store().await;
        self.prepare(&regions, &store).await;
        let healthy = self.set_faults(&regions);
        let failures = |store: &FailoverStore| -> Vec<u64> {
            let regions = store.health().regions;
            regions.iter().map(|region| region.failures).collect()
        };
        let before = failures(&store);
        // A concurrent operation that is not dropped, and may wait for the same trial.
        let companion = self
            .rng
            .random_bool(0.5)
            .then(|| tokio::spawn(self.op.run(store.clone()).map(drop)));
        let pause = match self.rng.random_bool(0.5) {
            true => Duration::ZERO,
            false => ms(self.rng.random_range(0..3_000)),
        };
        let end = drop_after(self.op.run(store.clone()).boxed(), polls, pause).await;
        tokio::time::sleep(SETTLE_TIME).await;
        let context = format!("SEED={} {:?} after {polls} polls", self.seed, self.op);
        let blocked = companion.is_some_and(|companion| !companion.is_finished());
        assert!(!blocked, "{context}: the concurrent operation is blocked");
        self.check_no_leaks(&store, &context);
        for (index, (after, before)) in failures(&store).iter().zip(before).enumerate() {
            assert!(
                !healthy[index] || *after == before,
                "{context}: failure of healthy region {index}"
            );
        }
        check_recovery(&regions, &store, &context).await;
        end
    }

    fn check_no_leaks(&self, store: &FailoverStore, context: &str) {
        let regions = store.health().regions;
        let in_flight: Vec<_> = regions.iter().map(|region| region.in_flight).collect();
        assert_eq!(in_flight, [0; 3], "{context}: attempts in flight");
        let runtime = tokio::runtime::Handle::current();
        assert_eq!(runtime.metrics().num_alive_tasks(), 0, "{context}: tasks");
    }
}

/// Polls `op` `polls` times, each time when it is woken, and drops it after `pause`.
async fn drop_after(mut op: BoxFuture<'_, Result<()>>, polls: u32, pause: Duration) -> End {
    let mut left = polls;
    let polled = std::future::poll_fn(|cx| {
        if left > 0 && op.poll_unpin(cx).is_ready() {
            return Poll::Ready(End::Completed);
        }
        left = left.saturating_sub(1);
        if left == 0 {
            Poll::Ready(End::Dropped)
        } else {
            Poll::Pending
        }
    });
    let end = polled.await;
    if let End::Dropped = end {
        tokio::time::sleep(pause).await;
    }
    end
}

/// Every circuit closes once its region serves, and every region serves reads again.
async fn check_recovery(regions: &[Arc<Scripted>], store: &FailoverStore, context: &str) {
    regions.iter().for_each(|region| region.serve());
    let is_closed = |store: &FailoverStore| {
        store
            .health()
            .regions
            .iter()
            .all(|region| [region.read.state, region.write.state] == [CircuitState::Closed; 2])
    };
    for _ in 0..60 {
        if is_closed(store) {
            break;
        }
        advance(secs(5)).await;
        let _ = (read(store).await, store.put(&"x".into(), "x".into()).await);
    }
    assert!(
        is_closed(store),
        "{context}: circuits: {:?}",
        store.health().regions
    );
    // After the ramp each region has its share: no permit was leaked.
    advance(secs(30)).await;
    let before = calls(regions);
    for _ in 0..12 {
        assert!(
            read(store).await.is_ok_and(|body| body == BODY),
            "{context}: a read failed"
        );
    }
    let after = calls(regions);
    let used = after
        .iter()
        .zip(&before)
        .filter(|(after, before)| after > before);
    assert_eq!(
        used.count(),
        regions.len(),
        "{context}: regions that served"
    );
    if let Err(error) = store.put(&"x".into(), "x".into()).await {
        panic!("{context}: a put failed: {error}");
    }
}

#[test]
fn dropped_operation_leaves_nothing_behind() {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|number| number.parse::<u64>().ok())
    };
    let seed = number("SEED").unwrap_or_else(rand::random);
    let cases = number("CASES").unwrap_or(12);
    println!("SEED={seed}");
    let mut runs = 0;
    for op in Op::ALL {
        for case in 0..cases {
            runs += run_until_completed(op, seed.wrapping_add(case));
        }
    }
    println!("{runs} runs of {} operations", Op::ALL.len());
    assert!(
        runs > 10 * Op::ALL.len() as u64,
        "too few cancellation points"
    );
}

/// Drops the operation after 0, 1, 2 ... polls until it completes; the number of runs.
fn run_until_completed(op: Op, seed: u64) -> u64 {
    for polls in 0..MAX_POLLS {
        // A runtime for each run, so that a leaked task is attributed to it.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        if let End::Completed = runtime.block_on(Case::new(op, seed).run(polls)) {
            return u64::from(polls) + 1;
        }
    }
    panic!("{op:?} with SEED={seed} does not complete");
}
