//! The load: readers that read as fast as they can, and compare every byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use object_store_failover::{FailoverError, ServedBy};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::board::Board;
use crate::clock::{Instant, now, pause, sleep_until, within};
use crate::corpus::{Corpus, Object, Wanted, fingerprint};
use crate::stage::Stage;
use crate::tally::Outcome;

/// A reader that has met a failure waits so long, or an outage would be a busy loop.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// Everything that a reader needs.
pub(crate) struct Load {
    pub(crate) stage: Arc<Stage>,
    pub(crate) corpus: Corpus,
    pub(crate) board: Arc<Board>,
    stopped: AtomicBool,
    allowance: Allowance,
    pub(crate) used_up: Notify,
}

/// What may be read, spread evenly over the run: on other people's clusters it must last until they have broken something.
pub(crate) struct Allowance {
    bytes: u64,
    used: AtomicU64,
    began: Instant,
    length: Duration,
}

impl Allowance {
    pub(crate) fn new(bytes: u64, length: Duration) -> Self {
        Self { bytes, used: AtomicU64::new(0), began: now(), length }
    }

    /// Takes `size` of it: when these bytes may be read, or None where there are not so many left.
    fn take(&self, size: u64) -> Option<Instant> {
        let after = |used: u64| used.checked_add(size).filter(|used| *used <= self.bytes);
        let before = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, after).ok()?;
        Some(self.began + self.length.mul_f64(before as f64 / self.bytes as f64))
    }
}

impl Load {
    pub(crate) fn new(stage: Arc<Stage>, corpus: Corpus, board: Arc<Board>, allowance: Allowance) -> Self {
        Self { stage, corpus, board, stopped: AtomicBool::new(false), allowance, used_up: Notify::new() }
    }

    /// Starts the readers; each has dice of its own.
    pub(crate) fn start(self: &Arc<Self>, readers: usize, seed: u64) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for index in 0..readers as u64 {
            let dice = SmallRng::seed_from_u64(seed ^ (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            tasks.spawn(Arc::clone(self).read_on(dice));
        }
        tasks
    }

    /// Lets the reads under way end, for so long. What has not ended by then never would.
    pub(crate) async fn stop(&self, mut readers: JoinSet<()>, patience: Duration) {
        self.stopped.store(true, Ordering::Relaxed);
        let all = async { while readers.join_next().await.is_some() {} };
        if within(patience, all).await.is_none() {
            self.board.marks().never_ended = readers.len();
        }
        readers.shutdown().await;
    }

    async fn read_on(self: Arc<Self>, mut dice: SmallRng) {
        while !self.stopped.load(Ordering::Relaxed) {
            let wanted = self.corpus.choose(&mut dice);
            let (size, exists) = match &wanted {
                Wanted::Object(object) => (object.size, true),
                Wanted::Missing(_) => (0, false),
            };
            let Some(due) = self.allowance.take(size) else {
                return self.used_up.notify_one();
            };
            sleep_until(due).await;
            let began = now();
            let outcome = match wanted {
                Wanted::Object(object) => self.read(object).await,
                Wanted::Missing(path) => self.read_missing(&path).await,
            };
            self.board.on_read(began, &outcome, exists);
            if matches!(outcome, Outcome::Failed(_)) {
                pause(AFTER_FAILURE).await;
            }
        }
    }

    async fn read(&self, object: &Object) -> Outcome {
        let found = match self.stage.store.get(&object.path).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Outcome::Wrong(format!("{}: NotFound, but it exists", object.path)),
            Err(error) => return Outcome::Failed(error.to_string()),
        };
        let region = found.extensions.get::<ServedBy>().map(|served| Arc::clone(&served.region));
        match fingerprint(found.into_stream()).await {
            Ok((digest, length)) if digest == object.digest && length == object.size => {
                Outcome::Served(region.and_then(|name| self.stage.find(&name)))
            }
            Ok((_, length)) => {
                let from = region.as_deref().unwrap_or("an unnamed region");
                Outcome::Wrong(format!("{}: wrong bytes from {from}: {length} of {} bytes, or another digest", object.path, object.size))
            }
            Err(error) => Outcome::Failed(format!("body of {}: {error}", object.path)),
        }
    }

    async fn read_missing(&self, path: &Path) -> Outcome {
        match self.stage.store.get(path).await {
            Ok(_) => Outcome::Wrong(format!("{path}: an object, but there is none")),
            Err(Error::NotFound { .. }) => Outcome::NotFound,
            Err(error) => match FailoverError::find(&error) {
                Some(FailoverError::Undecided { .. }) => Outcome::Undecided,
                _ => Outcome::Failed(error.to_string()),
            },
        }
    }
}
