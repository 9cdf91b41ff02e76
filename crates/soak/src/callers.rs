//! Callers that call as fast as possible and verify every byte.

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
use tokio::time::{Instant, timeout};

use crate::content;

/// The most problems to report.
const MAX_PROBLEMS: usize = 10;

/// The state that callers share.
pub(crate) struct Load {
    store: FailoverStore,
    stopped: AtomicBool,
    versions: AtomicU64,
    pub(crate) tally: Tally,
}

/// The results of the calls.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) reads: AtomicU64,
    pub(crate) writes: AtomicU64,
    /// Cancelled by the caller.
    pub(crate) dropped: AtomicU64,
    pub(crate) failed_reads: AtomicU64,
    pub(crate) failed_writes: AtomicU64,
    /// The result was never stored.
    pub(crate) wrong: AtomicU64,
    /// Reads that were repeated, because the object was overwritten while their body was
    /// interrupted.
    pub(crate) overwritten: AtomicU64,
    slowest_nanos: AtomicU64,
    latest_nanos: AtomicU64,
    pub(crate) problems: Mutex<Vec<String>>,
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

/// The result of a call.
enum Checked {
    Correct,
    Wrong,
}

impl Load {
    pub(crate) fn new(store: FailoverStore) -> Self {
        Self {
            store,
            stopped: AtomicBool::new(false),
            versions: AtomicU64::new(1),
            tally: Tally::default(),
        }
    }

    pub(crate) fn start(self: &Arc<Self>, callers: u32, seed: u64) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for caller in 1..=u64::from(callers) {
            let rng = SmallRng::seed_from_u64(seed ^ caller.wrapping_mul(0x9e37_79b9_7f4a_7c15));
            tasks.spawn(Arc::clone(self).call_until_stopped(rng));
        }
        tasks
    }

    /// Starts no further calls. Returns whether the calls in flight ended within `patience`.
    pub(crate) async fn stop(&self, mut callers: JoinSet<()>, patience: Duration) -> bool {
        self.stopped.store(true, Ordering::Relaxed);
        let all = async { while callers.join_next().await.is_some() {} };
        let ended = timeout(patience, all).await.is_ok();
        callers.shutdown().await;
        ended
    }

    /// The results. Drops the store.
    pub(crate) fn into_tally(self) -> Tally {
        self.tally
    }

    async fn call_until_stopped(self: Arc<Self>, mut rng: SmallRng) {
        while !self.stopped.load(Ordering::Relaxed) {
            let (call, started_at) = (Call::random(&mut rng), Instant::now());
            let number = if call == Call::Put {
                content::random_written(&mut rng)
            } else {
                content::random(&mut rng)
            };
            let done = match call {
                Call::Dropped(patience) => {
                    timeout(patience, self.call(Call::Get, number)).await.ok()
                }
                call => Some(self.call(call, number).await),
            };
            self.tally.on_call(call, number, done);
            raise(&self.tally.slowest_nanos, started_at.elapsed());
        }
    }

    /// Makes a call. A read is repeated if its body was interrupted and its version overwritten,
    /// because no region has the rest of that version.
    async fn call(&self, call: Call, number: u64) -> object_store::Result<Checked> {
        loop {
            match self.call_once(call, number).await {
                Err(error) if content::is_written(number) && is_overwritten(&error) => {
                    self.tally.overwritten.fetch_add(1, Ordering::Relaxed);
                }
                done => return done,
            }
        }
    }

    async fn call_once(&self, call: Call, number: u64) -> object_store::Result<Checked> {
        let path = content::path(number);
        let is_right = match call {
            Call::Get | Call::Dropped(_) => {
                content::is_whole(number, &self.store.get(&path).await?.bytes().await?)
            }
            Call::Ranges => content::are_parts(
                number,
                &self.store.get_ranges(&path, &content::parts()).await?,
            ),
            Call::Head => self.store.head(&path).await?.location == path,
            Call::List => {
                self.store
                    .list(None)
                    .try_fold(0, |count, _| async move { Ok(count + 1) })
                    .await?
                    == content::OBJECTS
            }
            Call::Put => {
                let version = self.versions.fetch_add(1, Ordering::Relaxed);
                self.store
                    .put(&path, content::body(number, version).into())
                    .await
                    .map(|_| true)?
            }
        };
        Ok(if is_right {
            Checked::Correct
        } else {
            Checked::Wrong
        })
    }
}

fn is_overwritten(error: &object_store::Error) -> bool {
    matches!(
        FailoverError::find(error),
        Some(FailoverError::ReplicaDiverged { .. })
    )
}

fn raise(most: &AtomicU64, time: Duration) {
    most.fetch_max(
        u64::try_from(time.as_nanos()).unwrap_or(u64::MAX),
        Ordering::Relaxed,
    );
}

impl Call {
    fn random(rng: &mut SmallRng) -> Self {
        match rng.random_range(0..100) {
            0..65 => Self::Get,
            65..75 => Self::Dropped(Duration::from_micros(rng.random_range(0..20_000))),
            75..80 => Self::Ranges,
            80..85 => Self::Head,
            85..90 => Self::List,
            _ => Self::Put,
        }
    }
}

impl Tally {
    fn on_call(&self, call: Call, number: u64, done: Option<object_store::Result<Checked>>) {
        let is_write = call == Call::Put;
        let count = match &done {
            None => &self.dropped,
            Some(Ok(Checked::Correct)) if is_write => &self.writes,
            Some(Ok(Checked::Correct)) => &self.reads,
            Some(Ok(Checked::Wrong)) => &self.wrong,
            Some(Err(_)) if is_write => &self.failed_writes,
            Some(Err(_)) => &self.failed_reads,
        };
        count.fetch_add(1, Ordering::Relaxed);
        match done {
            Some(Ok(Checked::Wrong)) => {
                self.report(format!("{call:?} of {number}: the result was never stored"))
            }
            Some(Err(error)) => self.report(format!("{call:?} of {number}: {error}")),
            None | Some(Ok(Checked::Correct)) => {}
        }
    }

    fn report(&self, line: String) {
        let mut problems = self.problems.lock();
        if problems.len() < MAX_PROBLEMS {
            problems.push(line);
        }
    }

    /// Records how late a timer fired: the process itself was delayed, whatever the regions did.
    pub(crate) fn on_late_timer(&self, late: Duration) {
        raise(&self.latest_nanos, late);
    }

    pub(crate) fn latest(&self) -> Duration {
        Duration::from_nanos(self.latest_nanos.load(Ordering::Relaxed))
    }

    pub(crate) fn slowest(&self) -> Duration {
        Duration::from_nanos(self.slowest_nanos.load(Ordering::Relaxed))
    }
}
