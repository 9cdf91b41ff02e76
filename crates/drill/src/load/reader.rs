//! Readers that read as fast as possible and verify every byte.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use object_store_failover::{FailoverError, ServedBy};
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::byte_budget::ByteBudget;
use super::corpus::{Corpus, NextRead, fingerprint};
use super::entry::{Entry, ReadCheck};
use super::tally::Outcome;
use crate::environment::Deployment;
use crate::runner::recorder::Recorder;

/// The pause after a failed read; without it an outage is a busy loop.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// The state that readers share.
pub(crate) struct Load {
    pub(crate) deployment: Arc<Deployment>,
    pub(crate) corpus: Corpus,
    pub(crate) recorder: Arc<Recorder>,
    stopped: AtomicBool,
    pub(crate) byte_budget: ByteBudget,
    pub(crate) used_up: Notify,
}

impl Load {
    pub(crate) fn new(
        deployment: Arc<Deployment>,
        corpus: Corpus,
        recorder: Arc<Recorder>,
        byte_budget: ByteBudget,
    ) -> Self {
        Self {
            deployment,
            corpus,
            recorder,
            stopped: AtomicBool::new(false),
            byte_budget,
            used_up: Notify::new(),
        }
    }

    /// Starts the readers, each with its own RNG.
    pub(crate) fn start(self: &Arc<Self>, readers: usize, seed: u64) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for index in 0..readers as u64 {
            let rng =
                SmallRng::seed_from_u64(seed ^ (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            tasks.spawn(Arc::clone(self).read_until_stopped(rng));
        }
        tasks
    }

    /// Waits for the reads in flight. Reads that exceed `patience` are counted as hung.
    pub(crate) async fn stop(&self, mut readers: JoinSet<()>, patience: Duration) {
        self.stopped.store(true, Ordering::Relaxed);
        let all = async { while readers.join_next().await.is_some() {} };
        if timeout(patience, all).await.is_err() {
            self.recorder.record().never_ended = readers.len();
        }
        readers.shutdown().await;
    }

    async fn read_until_stopped(self: Arc<Self>, mut rng: SmallRng) {
        while !self.stopped.load(Ordering::Relaxed) {
            let next = self.corpus.next(&mut rng);
            let (size, exists) = match &next {
                NextRead::Object(entry) => (entry.size(), entry.exists()),
                NextRead::Missing(_) => (0, false),
            };
            let Some(due) = self.byte_budget.take(size) else {
                return self.used_up.notify_one();
            };
            sleep_until(due).await;
            let started_at = Instant::now();
            let outcome = match next {
                NextRead::Object(entry) => self.read(&entry).await,
                NextRead::Missing(path) => self.read_missing(&path).await,
            };
            self.recorder.on_read(started_at, &outcome, exists);
            self.deployment
                .environment
                .body_bytes()
                .inspect(|bytes| self.byte_budget.raise_used(*bytes));
            if matches!(outcome, Outcome::Failed { .. }) {
                sleep(AFTER_FAILURE).await;
            }
        }
    }

    async fn read(&self, entry: &Entry) -> Outcome {
        let (path, started_at) = (&entry.path, Instant::now());
        let found = match self.deployment.store.get(path).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => {
                return of_not_found(entry.check(None, started_at), path);
            }
            Err(error) if !entry.exists() && is_undecided(&error) => return Outcome::Undecided,
            Err(error) => return self.failure(&error, None),
        };
        let region = found
            .extensions
            .get::<ServedBy>()
            .map(|served| Arc::clone(&served.region));
        match fingerprint(found.into_stream()).await {
            Ok(content) => match entry.check(Some(content), started_at) {
                ReadCheck::Current => Outcome::Served {
                    region: region.and_then(|name| self.deployment.find(&name)),
                    bytes: content.1,
                },
                ReadCheck::Stale => Outcome::Stale {
                    home: entry.belongs_to_home(),
                    line: format!(
                        "{path}: an older version from {}",
                        region_name(region.as_deref())
                    ),
                },
                ReadCheck::Wrong => {
                    let (from, size) = (region_name(region.as_deref()), entry.size());
                    Outcome::Wrong(format!(
                        "{path}: wrong bytes from {from}: {} of {size} bytes, or another digest",
                        content.1
                    ))
                }
            },
            Err(error) => self.failure(&error, Some(path)),
        }
    }

    async fn read_missing(&self, path: &Path) -> Outcome {
        match self.deployment.store.get(path).await {
            Ok(_) => Outcome::Wrong(format!("{path}: an object, but there is none")),
            Err(Error::NotFound { .. }) => Outcome::NotFound,
            Err(error) if is_undecided(&error) => Outcome::Undecided,
            Err(error) => self.failure(&error, None),
        }
    }

    /// An error is complete if it names every region.
    fn failure(&self, error: &Error, body: Option<&Path>) -> Outcome {
        let text = error.to_string();
        let complete = self
            .deployment
            .names
            .iter()
            .all(|name| text.contains(&**name));
        let line = body.map_or_else(|| text.clone(), |path| format!("body of {path}: {text}"));
        Outcome::Failed {
            line,
            complete: complete || body.is_some(),
        }
    }
}

fn of_not_found(check: ReadCheck, path: &Path) -> Outcome {
    match check {
        ReadCheck::Current => Outcome::NotFound,
        ReadCheck::Stale | ReadCheck::Wrong => {
            Outcome::Wrong(format!("{path}: NotFound, but it exists"))
        }
    }
}

fn is_undecided(error: &Error) -> bool {
    matches!(
        FailoverError::find(error),
        Some(FailoverError::Undecided { .. })
    )
}

fn region_name(region: Option<&str>) -> &str {
    region.unwrap_or("an unnamed region")
}
