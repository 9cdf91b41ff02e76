//! Probes: each region is asked for a small object now and then, so that an idle service knows what it would find.
//!
//! They are the store's own reads, through the one loop, for one region each: what comes of them counts as any read's does. Nothing runs
//! unless somebody asks for it and keeps the guard.

mod canary;
pub(crate) mod config;
mod lag;
mod prober;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, UNIX_EPOCH};

use object_store::path::Path;
use parking_lot::Mutex;
use tokio::task::AbortHandle;

use self::config::ProbeConfig;
use crate::failover::Core;
use crate::settings::ConfigError;
use crate::time;
pub(crate) use canary::Stamp;
use prober::Prober;

/// Keeps the probes of a store running ([`FailoverStore::start_probes`](crate::FailoverStore::start_probes)).
///
/// Dropping the last one ends their task and drops the probes under way, as a caller drops its read: at once on a runtime of one thread,
/// and at the task's next await on one of several.
#[derive(Debug)]
#[must_use = "probes stop when this is dropped"]
pub struct ProbeGuard {
    _task: Option<Arc<Task>>,
}

/// What a store needs for its probes.
#[derive(Debug)]
pub(crate) struct Probes {
    canary: Option<Canary>,
    /// All guards share one task.
    running: Mutex<Weak<Task>>,
    last_stamp: AtomicU64,
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
        let canary = config.map(|config| config.key().map(|key| Canary { key, interval: config.interval })).transpose()?;
        Ok(Self { canary, running: Mutex::default(), last_stamp: AtomicU64::new(0) })
    }

    /// The canary's key, where there is one.
    pub(crate) fn key(&self) -> Option<&Path> {
        self.canary.as_ref().map(|canary| &canary.key)
    }

    /// The time for a canary that is written now: newer than any that was written here before, also if the clock was set back.
    pub(crate) fn next_stamp(&self) -> Stamp {
        let millis = time::wall_clock().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let millis = u64::try_from(millis).unwrap_or(u64::MAX - 1);
        let newer = |last: u64| millis.max(last.saturating_add(1));
        let last = self.last_stamp.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| Some(newer(last)));
        Stamp(last.map_or_else(newer, newer))
    }

    /// Starts the task, where there is a canary to ask for and no task yet.
    pub(crate) fn start(&self, store: &Arc<str>, core: &Arc<Core>) -> ProbeGuard {
        let Some(Canary { key, interval }) = &self.canary else {
            tracing::warn!(%store, "no probes: probe.path names no canary; set [probe] path, or do not start them");
            return ProbeGuard { _task: None };
        };
        let mut running = self.running.lock();
        // A task ends by itself only with its runtime.
        let task = running.upgrade().filter(|task| !task.0.is_finished()).unwrap_or_else(|| {
            let prober = Prober::new(Arc::clone(store), Arc::clone(core), key.clone(), *interval);
            Arc::new(Task(tokio::spawn(prober.run()).abort_handle()))
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
    fn stamps_grow_also_within_one_millisecond() {
        let probes = Probes::new(None).unwrap();
        let (one, two) = (probes.next_stamp(), probes.next_stamp());
        assert!(one < two);
        assert!(one > Stamp(1_700_000_000_000));
    }
}
