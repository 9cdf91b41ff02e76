//! Background probes: each region is asked for a small object periodically, so that an idle service
//! knows which regions serve.
//!
//! Probes are reads of the store through the engine, restricted to one region: their verdicts count
//! like those of any read. They run only while a guard exists.

mod canary;
pub(crate) mod config;
mod lag;
mod task;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, UNIX_EPOCH};

use object_store::path::Path;
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use self::config::ProbeConfig;
use crate::failover::Engine;
use crate::runtime::clock;
use crate::settings::ConfigError;
pub(crate) use canary::CanaryTimestamp;
use task::ProbeTask;

/// Keeps the probes of a store running
/// ([`FailoverStore::start_probes`](crate::FailoverStore::start_probes)).
///
/// Dropping the last guard ends the task and cancels the probes in flight: at once on a
/// single-threaded runtime, at the next await point of the task on a multi-threaded one.
#[derive(Debug)]
#[must_use = "probes stop when this is dropped"]
pub struct ProbeGuard {
    _task: Option<Arc<Task>>,
}

/// The settings and the task of a store's probes.
#[derive(Debug)]
pub(crate) struct Probes {
    canary: Option<Canary>,
    /// All guards share one task.
    running: Mutex<Weak<Task>>,
    last_timestamp: AtomicU64,
}

#[derive(Debug)]
struct Canary {
    key: Path,
    interval: Duration,
}

#[derive(Debug)]
struct Task(AbortHandle);

impl Probes {
    pub(crate) fn new(config: Option<&ProbeConfig>) -> Result<Self, ConfigError> {
        let canary = config
            .map(|config| {
                config.key().map(|key| Canary {
                    key,
                    interval: config.interval,
                })
            })
            .transpose()?;
        Ok(Self {
            canary,
            running: Mutex::default(),
            last_timestamp: AtomicU64::new(0),
        })
    }

    /// The key of the canary, if probes are configured.
    pub(crate) fn key(&self) -> Option<&Path> {
        self.canary.as_ref().map(|canary| &canary.key)
    }

    /// The timestamp of a canary that is written now. Newer than all that were written by this
    /// store, also after the clock was set back.
    pub(crate) fn next_timestamp(&self) -> CanaryTimestamp {
        let millis = clock::wall_clock()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX - 1);
        let newer = |last: u64| millis.max(last.saturating_add(1));
        let last = self
            .last_timestamp
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(newer(last))
            });
        CanaryTimestamp(last.map_or_else(newer, newer))
    }

    /// Starts the task unless it runs already.
    pub(crate) fn start(&self, store: &Arc<str>, engine: &Arc<Engine>) -> ProbeGuard {
        let Some(Canary { key, interval }) = &self.canary else {
            tracing::warn!(%store, "probes not started: no [probe] settings");
            return ProbeGuard { _task: None };
        };
        let mut running = self.running.lock();
        // A task that has finished has lost its runtime.
        let task = running
            .upgrade()
            .filter(|task| !task.0.is_finished())
            .unwrap_or_else(|| {
                let task = ProbeTask::new(
                    Arc::clone(store),
                    Arc::clone(engine),
                    key.clone(),
                    *interval,
                );
                Arc::new(Task(tokio::spawn(task.run()).abort_handle()))
            });
        *running = Arc::downgrade(&task);
        ProbeGuard { _task: Some(task) }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_increase_within_one_millisecond() {
        let probes = Probes::new(None).unwrap();
        let (one, two) = (probes.next_timestamp(), probes.next_timestamp());
        assert!(one < two);
        assert!(one > CanaryTimestamp(1_700_000_000_000));
    }
}
