//! The load: callers that call as fast as they can, and look at every byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::TryStreamExt;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverError, FailoverStore};
use parking_lot::Mutex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tokio::task::JoinSet;

use crate::clock::{now, within};
use crate::content;

/// Of everything that went wrong, so much is told.
const KEPT: usize = 10;

/// What callers share.
pub(crate) struct Load {
    store: FailoverStore,
    stopped: AtomicBool,
    versions: AtomicU64,
    pub(crate) tally: Tally,
}

/// What came of the calls.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
    /// Their callers went away.
    pub(crate) dropped: AtomicU64,
    pub(crate) failed_reads: AtomicU64,
    pub(crate) failed_writes: AtomicU64,
    /// Something came back that was never there.
    pub(crate) wrong: AtomicU64,
    /// Reads that were made anew, as their object was overwritten while a body of it broke.
    pub(crate) overwritten: AtomicU64,
    slowest_nanos: AtomicU64,
    latest_nanos: AtomicU64,
    pub(crate) told: Mutex<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Call {
    Get,
    Dropped(Duration),
    Ranges,
    Head,
    List,
    Put,
}

/// What came back.
enum Came {
    Right,
    Wrong,
}

impl Load {
    pub(crate) fn new(store: FailoverStore) -> Self {
        Self { store, stopped: AtomicBool::new(false), versions: AtomicU64::new(1), tally: Tally::default() }
    }

    pub(crate) fn start(self: &Arc<Self>, callers: u32, seed: u64) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for caller in 1..=u64::from(callers) {
            let dice = SmallRng::seed_from_u64(seed ^ caller.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            tasks.spawn(Arc::clone(self).call_on(dice));
        }
        tasks
    }

    /// No further calls. Returns whether those under way have ended in this time.
    pub(crate) async fn stop(&self, mut callers: JoinSet<()>, patience: Duration) -> bool {
        self.stopped.store(true, Ordering::Relaxed);
        let all = async { while callers.join_next().await.is_some() {} };
        let ended = within(patience, all).await.is_some();
        callers.shutdown().await;
        ended
    }

    /// What came of all calls. The store goes.
    pub(crate) fn end(self) -> Tally {
        self.tally
    }

    async fn call_on(self: Arc<Self>, mut dice: SmallRng) {
        while !self.stopped.load(Ordering::Relaxed) {
            let (call, began) = (Call::by_chance(&mut dice), now());
            let number = if call == Call::Put { content::written(&mut dice) } else { content::any(&mut dice) };
            let done = match call {
                Call::Dropped(patience) => within(patience, self.make(Call::Get, number)).await,
                call => Some(self.make(call, number).await),
            };
            self.tally.on_call(call, number, done);
            keep_most(&self.tally.slowest_nanos, began.elapsed());
        }
    }

    /// Makes a call. A read whose body breaks, and whose version has been overwritten meanwhile, is made anew: nobody has the rest of it.
    async fn make(&self, call: Call, number: u64) -> object_store::Result<Came> {
        loop {
            match self.make_once(call, number).await {
                Err(error) if content::is_written(number) && is_overwritten(&error) => {
                    self.tally.overwritten.fetch_add(1, Ordering::Relaxed);
                }
                done => return done,
            }
        }
    }

    async fn make_once(&self, call: Call, number: u64) -> object_store::Result<Came> {
        let path = content::path(number);
        let is_right = match call {
            Call::Get | Call::Dropped(_) => content::is_whole(number, &self.store.get(&path).await?.bytes().await?),
            Call::Ranges => content::are_parts(number, &self.store.get_ranges(&path, &content::parts()).await?),
            Call::Head => self.store.head(&path).await?.location == path,
            Call::List => self.store.list(None).try_fold(0, |count, _| async move { Ok(count + 1) }).await? == content::OBJECTS,
            Call::Put => {
                let version = self.versions.fetch_add(1, Ordering::Relaxed);
                self.store.put(&path, content::body(number, version).into()).await.map(|_| true)?
            }
        };
        Ok(if is_right { Came::Right } else { Came::Wrong })
    }
}

fn is_overwritten(error: &object_store::Error) -> bool {
    matches!(FailoverError::find(error), Some(FailoverError::ReplicaDiverged { .. }))
}

fn keep_most(most: &AtomicU64, time: Duration) {
    most.fetch_max(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

impl Call {
    fn by_chance(dice: &mut SmallRng) -> Self {
        match dice.random_range(0..100) {
            0..65 => Self::Get,
            65..75 => Self::Dropped(Duration::from_micros(dice.random_range(0..20_000))),
            75..80 => Self::Ranges,
            80..85 => Self::Head,
            85..90 => Self::List,
            _ => Self::Put,
        }
    }
}

impl Tally {
    fn on_call(&self, call: Call, number: u64, done: Option<object_store::Result<Came>>) {
        let is_write = call == Call::Put;
        let count = match &done {
            None => &self.dropped,
            Some(Ok(Came::Right)) if is_write => &self.writes,
            Some(Ok(Came::Right)) => &self.reads,
            Some(Ok(Came::Wrong)) => &self.wrong,
            Some(Err(_)) if is_write => &self.failed_writes,
            Some(Err(_)) => &self.failed_reads,
        };
        count.fetch_add(1, Ordering::Relaxed);
        match done {
            Some(Ok(Came::Wrong)) => self.tell(format!("{call:?} of {number}: what came back was never there")),
            Some(Err(error)) => self.tell(format!("{call:?} of {number}: {error}")),
            None | Some(Ok(Came::Right)) => {}
        }
    }

    fn tell(&self, line: String) {
        let mut told = self.told.lock();
        if told.len() < KEPT {
            told.push(line);
        }
    }

    /// A clock that should have rung so long ago: this machine has stood still for us, whatever regions did.
    pub(crate) fn on_late(&self, late: Duration) {
        keep_most(&self.latest_nanos, late);
    }

    pub(crate) fn latest(&self) -> Duration {
        Duration::from_nanos(self.latest_nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn slowest(&self) -> Duration {
        Duration::from_nanos(self.slowest_nanos.load(Ordering::Relaxed))
    }
}
