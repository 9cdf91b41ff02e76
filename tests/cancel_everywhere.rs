//! Every operation, dropped after exactly so many polls, for every number until it completes.
//!
//! Regions, faults and pauses are drawn from a seed, and drawn again alike for each number of polls. Afterwards nothing may be left: no
//! attempt, no task, no place that is taken, no circuit that cannot close, no verdict on a region that did nothing wrong.
//! `SEED=n CASES=n cargo test --test cancel_everywhere` replays, and goes further.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, Result};
use object_store_failover::{CircuitState, FailoverStore, Region};
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use support::*;
use tokio::time::advance;

const BODY: &str = "0123456789abcdef";
/// No operation takes more polls, whatever it meets.
const MOST_POLLS: u32 = 1_000;
/// Longer than any call: a copy may take five minutes in each region.
const OVER: Duration = secs(3_600);

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
            Self::Ranges => assert_eq!(store.get_ranges(&key(), &[0..4, 8..12]).await?, ["0123", "89ab"]),
            Self::Head => assert_eq!(store.head(&key()).await?.size, BODY.len() as u64),
            Self::List => assert!(!store.list(None).try_collect::<Vec<_>>().await?.is_empty()),
            Self::ListFrom => drop(store.list_with_offset(None, &"a".into()).try_collect::<Vec<_>>().await?),
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

/// An upload with two parts, sent at the same time.
async fn upload(store: &FailoverStore, path: &Path) -> Result<Box<dyn MultipartUpload>> {
    let mut upload = store.put_multipart(path).await?;
    let (one, two) = (upload.put_part("one".into()), upload.put_part("two".into()));
    futures::try_join!(one, two)?;
    Ok(upload)
}

/// What one seed makes of everything.
struct Case {
    op: Op,
    seed: u64,
    dice: SmallRng,
}

/// How a run ended.
enum End {
    Dropped,
    Completed,
}

impl Case {
    fn new(op: Op, seed: u64) -> Self {
        Self { op, seed, dice: SmallRng::seed_from_u64(seed) }
    }

    /// Regions, healthy so far, and a store over them that was given little room: a place that is not given back is soon missed.
    async fn store(&mut self) -> (Vec<Arc<Scripted>>, FailoverStore) {
        let bucket = object_store::memory::InMemory::new();
        let regions: Vec<_> = (0..3).map(|_| Arc::new(Scripted::over(bucket.clone()))).collect();
        put(&regions[0], BODY).await;
        put_at(&regions[0], "old").await;
        let with_region = |builder: object_store_failover::FailoverStoreBuilder, (region, name): (&Arc<Scripted>, &str)| {
            let hesitant = Hesitant::new(Arc::clone(region) as Arc<dyn ObjectStore>, self.dice.random());
            builder.region(Region::new(name, Arc::new(hesitant)))
        };
        let builder = regions.iter().zip(NAMES).fold(FailoverStore::builder().seed(self.seed), with_region);
        let policy = *["any", "home"].choose(&mut self.dice).unwrap();
        let writes = if policy == "home" { json!({"policy": policy, "home": NAMES[0]}) } else { json!({"policy": policy}) };
        let mut builder = builder.writes(settings(writes)).probe(settings(json!({"interval": "1s"})));
        if self.dice.random_bool(0.5) {
            let room = self.dice.random_range(1..4);
            builder = builder.throttle(settings(json!({"max_in_flight": room})));
        }
        if self.dice.random_bool(0.3) {
            builder = builder.hedge(settings(json!({})));
        }
        (regions, builder.build().unwrap())
    }

    /// Circuits that are open, due, or closed, when the operation comes.
    async fn prepare(&mut self, regions: &[Arc<Scripted>], store: &FailoverStore) {
        if self.dice.random_bool(0.5) {
            regions.iter().for_each(|region| region.fail());
            for _ in 0..3 {
                let _ = (read(store).await, store.put(&"x".into(), "x".into()).await);
            }
            advance(ms(self.dice.random_range(0..70_000))).await;
        }
    }

    /// What each region does from now on; true where it does nothing wrong.
    fn spoil(&mut self, regions: &[Arc<Scripted>]) -> Vec<bool> {
        let modes = [
            Mode::Slow(ms(300)),
            Mode::Hang,
            Mode::StallAfter(3),
            Mode::BreakAfter(3),
            Mode::CutAfter(2),
            Mode::DoneThen(Fault::Reset),
            Mode::Fail(Fault::Reset),
            Mode::Fail(Fault::Connect),
            Mode::Fail(Fault::Status(503, "SlowDown")),
            Mode::Fail(Fault::Status(403, "")),
        ];
        let one = |region: &Arc<Scripted>| {
            let is_well = self.dice.random_bool(0.4);
            region.set(if is_well { Mode::Serve } else { *modes.choose(&mut self.dice).unwrap() });
            is_well
        };
        regions.iter().map(one).collect()
    }

    /// Everything once, with the operation dropped after so many polls.
    async fn run(mut self, polls: u32) -> End {
        let (regions, store) = self.store().await;
        self.prepare(&regions, &store).await;
        let well = self.spoil(&regions);
        let failures = |store: &FailoverStore| -> Vec<u64> { store.health().regions.iter().map(|region| region.failures).collect() };
        let before = failures(&store);
        // Somebody who does not go away, and may wait for the same probe.
        let companion = self.dice.random_bool(0.5).then(|| tokio::spawn(self.op.run(store.clone()).map(drop)));
        let nap = if self.dice.random_bool(0.5) { Duration::ZERO } else { ms(self.dice.random_range(0..3_000)) };
        let end = drop_after(self.op.run(store.clone()).boxed(), polls, nap).await;
        tokio::time::sleep(OVER).await;
        let what = format!("SEED={} {:?} after {polls} polls", self.seed, self.op);
        assert!(companion.is_none_or(|companion| companion.is_finished()), "{what}: who went away has taken another along");
        self.check_that_nothing_is_left(&store, &what);
        for (index, (after, before)) in failures(&store).iter().zip(before).enumerate() {
            assert!(!well[index] || *after == before, "{what}: region {index} did nothing wrong, and is charged");
        }
        recovers(&regions, &store, &what).await;
        end
    }

    fn check_that_nothing_is_left(&self, store: &FailoverStore, what: &str) {
        let in_flight: Vec<_> = store.health().regions.iter().map(|region| region.in_flight).collect();
        assert_eq!(in_flight, [0; 3], "{what}: attempts in flight");
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks, 0, "{what}: tasks are left");
    }
}

/// Polls so often, each time when it was woken, sits on it for a while, and drops it.
async fn drop_after(mut op: BoxFuture<'_, Result<()>>, polls: u32, nap: Duration) -> End {
    let mut left = polls;
    let polled = std::future::poll_fn(|cx| {
        if left > 0 && op.poll_unpin(cx).is_ready() {
            return Poll::Ready(End::Completed);
        }
        left = left.saturating_sub(1);
        if left == 0 { Poll::Ready(End::Dropped) } else { Poll::Pending }
    });
    let end = polled.await;
    if let End::Dropped = end {
        tokio::time::sleep(nap).await;
    }
    end
}

/// Every circuit closes once its region serves, and whoever comes then is served.
async fn recovers(regions: &[Arc<Scripted>], store: &FailoverStore, what: &str) {
    regions.iter().for_each(|region| region.serve());
    let is_closed = |store: &FailoverStore| {
        store.health().regions.iter().all(|region| [region.read.state, region.write.state] == [CircuitState::Closed; 2])
    };
    for _ in 0..60 {
        if is_closed(store) {
            break;
        }
        advance(secs(5)).await;
        let _ = (read(store).await, store.put(&"x".into(), "x".into()).await);
    }
    assert!(is_closed(store), "{what}: a circuit is stuck: {:?}", store.health().regions);
    // Past the ramp each region has its share: none has lost the room for it.
    advance(secs(30)).await;
    let before = calls(regions);
    for _ in 0..12 {
        assert!(read(store).await.is_ok_and(|body| body == BODY), "{what}: healthy regions, and a read fails");
    }
    let used = calls(regions).iter().zip(&before).filter(|(after, before)| after > before).count();
    assert_eq!(used, regions.len(), "{what}: a healthy region is not used");
    store.put(&"x".into(), "x".into()).await.unwrap_or_else(|error| panic!("{what}: healthy regions, and a put fails: {error}"));
}

#[test]
fn whatever_is_dropped_after_any_number_of_polls_leaves_nothing_behind() {
    let number = |name| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    let (seed, cases) = (number("SEED").unwrap_or_else(rand::random), number("CASES").unwrap_or(12));
    println!("SEED={seed}");
    let mut runs = 0;
    for (op, case) in Op::ALL.into_iter().flat_map(|op| (0..cases).map(move |case| (op, case))) {
        for polls in 0.. {
            assert!(polls < MOST_POLLS, "{op:?} of seed {} never ends", seed.wrapping_add(case));
            // A runtime each: what one leaves behind must not be taken for another's.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
            let end = runtime.block_on(Case::new(op, seed.wrapping_add(case)).run(polls));
            runs += 1;
            if let End::Completed = end {
                break;
            }
        }
    }
    println!("{runs} runs of {} operations", Op::ALL.len());
    assert!(runs > 10 * Op::ALL.len() as u64, "too few points to go away at");
}
