//! The world of one run: object history, regions and faults.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use object_store::client::HttpErrorKind;
use object_store::path::Path;
use object_store::{Error, Result};
use parking_lot::{Mutex, MutexGuard};
use tokio::time::Instant;

use crate::attempt_log::AttemptLog;
use crate::fault::{Fault, FaultWindow, Latency};
use crate::object_history::{Ms, ObjectHistory, Version};
use crate::rng::Rng;
use crate::scenario::RegionSetup;
use crate::wire;

#[derive(Debug)]
pub(crate) struct World {
    started_at: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) history: ObjectHistory,
    pub(crate) log: AttemptLog,
    pub(crate) regions: Vec<RegionModel>,
    windows: Vec<FaultWindow>,
    pending: Vec<PendingWrite>,
}

/// The properties of one region.
#[derive(Debug)]
pub(crate) struct RegionModel {
    pub(crate) latency: Latency,
    pub(crate) etags: ETagKind,
    /// The store sees its responses on the wire, as for stores built from a document.
    pub(crate) records_wire: bool,
    /// Its 404 for a deleted object has a delete marker.
    pub(crate) has_delete_markers: bool,
    pub(crate) rng: Rng,
    /// The current second of a throttle, and the requests in it.
    throttle_count: (Ms, u32),
}

/// What ETags are derived from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ETagKind {
    /// The content: equal in all regions.
    Content,
    /// The content and the region.
    PerRegion,
    Weak,
}

/// A write that has arrived. It takes effect even if its caller is gone.
#[derive(Debug)]
struct PendingWrite {
    at: Ms,
    region: usize,
    write: Write,
    result: Arc<Mutex<Option<Result<u64>>>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Write {
    pub(crate) key: String,
    pub(crate) what: WriteKind,
    pub(crate) condition: WriteCondition,
}

#[derive(Debug, Clone)]
pub(crate) enum WriteKind {
    Put(Bytes),
    CopyOf(String),
    Delete,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum WriteCondition {
    Always,
    Absent,
    Tag(String),
}

impl World {
    pub(crate) fn new(
        history: ObjectHistory,
        log: AttemptLog,
        regions: Vec<RegionModel>,
        windows: Vec<FaultWindow>,
    ) -> Arc<Self> {
        let state = State {
            history,
            log,
            regions,
            windows,
            pending: Vec::new(),
        };
        Arc::new(Self {
            started_at: Instant::now(),
            state: Mutex::new(state),
        })
    }

    pub(crate) fn now(&self) -> Ms {
        (Instant::now() - self.started_at).as_millis() as Ms
    }

    pub(crate) fn instant(&self, at: Ms) -> Instant {
        self.started_at + Duration::from_millis(at)
    }

    /// The state, with all writes that are due by now.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        state.apply_due_writes(self.now());
        state
    }

    /// Ends all faults and all lag, and gives every region a normal latency.
    pub(crate) fn end_faults(&self) {
        let now = self.now();
        let mut state = self.state();
        state.windows.clear();
        state.history.catch_up(now);
        // A region slower than the limits is unhealthy without any fault.
        state
            .regions
            .iter_mut()
            .for_each(|region| region.latency = NORMAL_LATENCY);
        state
            .log
            .trace
            .record(now, format_args!("all faults ended"));
    }
}

impl State {
    /// The fault that affects a request that arrives now.
    pub(crate) fn fault(&mut self, region: usize, now: Ms) -> Option<Fault> {
        let model = &mut self.regions[region];
        let window = self
            .windows
            .iter()
            .find(|window| window.is_on(region, now) && model.rng.chance(window.share))?;
        let Fault::Throttle(per_second, _) = window.fault else {
            return Some(window.fault);
        };
        let second = now / 1000;
        model.throttle_count = if model.throttle_count.0 == second {
            (second, model.throttle_count.1 + 1)
        } else {
            (second, 1)
        };
        (model.throttle_count.1 > per_second).then_some(window.fault)
    }

    /// The region had no fault from `since` to `until`.
    pub(crate) fn was_healthy(&self, region: usize, since: Ms, until: Ms) -> bool {
        !self
            .windows
            .iter()
            .any(|window| window.region == region && window.from <= until && since <= window.until)
    }

    /// A write takes effect at `at`, even if its caller cancels. Returns where its result will be.
    pub(crate) fn arrive(
        &mut self,
        at: Ms,
        region: usize,
        write: Write,
    ) -> Arc<Mutex<Option<Result<u64>>>> {
        let result = Arc::default();
        self.pending.push(PendingWrite {
            at,
            region,
            write,
            result: Arc::clone(&result),
        });
        result
    }

    fn apply_due_writes(&mut self, now: Ms) {
        while let Some((index, _)) = self
            .pending
            .iter()
            .enumerate()
            .filter(|(_, write)| write.at <= now)
            .min_by_key(|(_, write)| write.at)
        {
            let PendingWrite {
                at,
                region,
                write,
                result,
            } = self.pending.remove(index);
            *result.lock() = Some(self.commit(at, region, &write));
        }
    }

    /// Applies a write if its condition holds; returns the id of the new version.
    pub(crate) fn commit(&mut self, at: Ms, region: usize, write: &Write) -> Result<u64> {
        let found = self
            .history
            .visible(&write.key, region, at)
            .filter(|version| version.content.is_some());
        let path = || Path::from(write.key.as_str());
        match (&write.condition, found) {
            (WriteCondition::Absent, Some(_)) => return Err(wire::exists(&path())),
            (WriteCondition::Tag(tag), found)
                if found.map(|version| self.tag(version, region)).as_ref() != Some(tag) =>
            {
                return Err(wire::precondition(&path()));
            }
            _ => {}
        }
        let content = match &write.what {
            WriteKind::Put(bytes) => Some(bytes.clone()),
            WriteKind::Delete => None,
            WriteKind::CopyOf(from) => match self
                .history
                .visible(from, region, at)
                .and_then(|version| version.content.clone())
            {
                Some(bytes) => Some(bytes),
                None => return Err(wire::missing(&Path::from(from.as_str()))),
            },
        };
        let id = self.history.new_id();
        self.log.trace.record(
            at,
            format_args!(
                "{} of {} takes effect in region {region} as version {id}",
                write.what.name(),
                write.key
            ),
        );
        self.history.write(&write.key, region, id, content, at);
        Ok(id)
    }

    /// The ETag of a version in a region.
    pub(crate) fn tag(&self, version: &Version, region: usize) -> String {
        match self.regions[region].etags {
            ETagKind::Content => format!("\"{:x}\"", version.id),
            ETagKind::PerRegion => format!("\"{:x}-{region}\"", version.id),
            ETagKind::Weak => format!("W/\"{:x}\"", version.id),
        }
    }
}

impl RegionModel {
    pub(crate) fn new(setup: &RegionSetup, rng: Rng) -> Self {
        Self {
            latency: setup.latency,
            etags: setup.etags,
            records_wire: setup.records_wire,
            has_delete_markers: setup.has_delete_markers,
            rng,
            throttle_count: (0, 0),
        }
    }
}

impl WriteKind {
    fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::CopyOf(_) => "copy",
            Self::Delete => "delete",
        }
    }
}

impl Write {
    pub(crate) fn unconditional(key: &str, what: WriteKind) -> Self {
        Self {
            key: key.to_owned(),
            what,
            condition: WriteCondition::Always,
        }
    }
}

/// The latency of every region in the final phase.
const NORMAL_LATENCY: Latency = Latency {
    median: 3.0,
    sigma: 0.2,
    tail: 0.0,
};

/// The error of a response that was lost.
pub(crate) fn lost_response() -> Error {
    wire::transport(HttpErrorKind::Interrupted, "connection closed")
}
