//! The load: readers that read as fast as they can, and compare every byte.

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

use super::allowance::Allowance;
use super::corpus::{Corpus, Wanted, fingerprint};
use super::entry::{Entry, Word};
use super::tally::Outcome;
use crate::clock::{now, pause, sleep_until, within};
use crate::ground::Stage;
use crate::play::board::Board;

/// A reader that has met a failure waits so long, or an outage would be a busy loop.
const AFTER_FAILURE: Duration = Duration::from_millis(20);

/// Everything that a reader needs.
pub(crate) struct Load {
    pub(crate) stage: Arc<Stage>,
    pub(crate) corpus: Corpus,
    pub(crate) board: Arc<Board>,
    stopped: AtomicBool,
    pub(crate) allowance: Allowance,
    pub(crate) used_up: Notify,
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
                Wanted::Object(entry) => (entry.size(), entry.exists()),
                Wanted::Missing(_) => (0, false),
            };
            let Some(due) = self.allowance.take(size) else {
                return self.used_up.notify_one();
            };
            sleep_until(due).await;
            let began = now();
            let outcome = match wanted {
                Wanted::Object(entry) => self.read(&entry).await,
                Wanted::Missing(path) => self.read_missing(&path).await,
            };
            self.board.on_read(began, &outcome, exists);
            self.stage.ground.body_bytes().inspect(|came| self.allowance.correct(*came));
            if matches!(outcome, Outcome::Failed { .. }) {
                pause(AFTER_FAILURE).await;
            }
        }
    }

    async fn read(&self, entry: &Entry) -> Outcome {
        let (path, began) = (&entry.path, now());
        let found = match self.stage.store.get(path).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return of_not_found(entry.judge(None, began), path),
            Err(error) if !entry.exists() && is_undecided(&error) => return Outcome::Undecided,
            Err(error) => return self.failure(&error, None),
        };
        let region = found.extensions.get::<ServedBy>().map(|served| Arc::clone(&served.region));
        match fingerprint(found.into_stream()).await {
            Ok(content) => match entry.judge(Some(content), began) {
                Word::True => Outcome::Served { region: region.and_then(|name| self.stage.find(&name)), bytes: content.1 },
                Word::Old => Outcome::Stale {
                    home: entry.is_homes(),
                    line: format!("{path}: an older version from {}", or_unnamed(region.as_deref())),
                },
                Word::False => {
                    let (from, size) = (or_unnamed(region.as_deref()), entry.size());
                    Outcome::Wrong(format!("{path}: wrong bytes from {from}: {} of {size} bytes, or another digest", content.1))
                }
            },
            Err(error) => self.failure(&error, Some(path)),
        }
    }

    async fn read_missing(&self, path: &Path) -> Outcome {
        match self.stage.store.get(path).await {
            Ok(_) => Outcome::Wrong(format!("{path}: an object, but there is none")),
            Err(Error::NotFound { .. }) => Outcome::NotFound,
            Err(error) if is_undecided(&error) => Outcome::Undecided,
            Err(error) => self.failure(&error, None),
        }
    }

    /// An error is honest if it tells of every region.
    fn failure(&self, error: &Error, body: Option<&Path>) -> Outcome {
        let text = error.to_string();
        let honest = self.stage.names.iter().all(|name| text.contains(&**name));
        let line = body.map_or_else(|| text.clone(), |path| format!("body of {path}: {text}"));
        Outcome::Failed { line, honest: honest || body.is_some() }
    }
}

fn of_not_found(word: Word, path: &Path) -> Outcome {
    match word {
        Word::True => Outcome::NotFound,
        Word::Old | Word::False => Outcome::Wrong(format!("{path}: NotFound, but it exists")),
    }
}

fn is_undecided(error: &Error) -> bool {
    matches!(FailoverError::find(error), Some(FailoverError::Undecided { .. }))
}

fn or_unnamed(region: Option<&str>) -> &str {
    region.unwrap_or("an unnamed region")
}
