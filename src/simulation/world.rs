//! The world of one life: the truth, the regions in front of it, and what befalls them.

use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{Error, Result};
use parking_lot::{Mutex, MutexGuard};

use super::dice::Dice;
use super::fault::{Fault, Latency, Spell};
use super::ledger::Ledger;
use super::truth::{Ms, Truth, Version};
use super::wire;
use crate::time::{self, Instant};

#[derive(Debug)]
pub(super) struct World {
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) truth: Truth,
    pub(super) ledger: Ledger,
    pub(super) sites: Vec<Site>,
    spells: Vec<Spell>,
    pending: Vec<Pending>,
}

/// A region as it is built.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) latency: Latency,
    pub(super) tags: Tags,
    /// Its answers are seen on the wire, as those of stores that are built from a document.
    pub(super) reports: bool,
    /// It says of a missing object that it was deleted.
    pub(super) has_markers: bool,
    pub(super) dice: Dice,
    /// Of a throttle: the second that is counted, and its requests.
    counted: (Ms, u32),
}

/// What its tags are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tags {
    /// Content: the same everywhere.
    Content,
    /// Content, as this region stores it.
    Own,
    Weak,
}

/// A write that has arrived, and takes effect whether or not anybody waits for the answer.
#[derive(Debug)]
struct Pending {
    at: Ms,
    region: usize,
    write: Write,
    answer: Arc<Mutex<Option<Result<u64>>>>,
}

/// What a write does.
#[derive(Debug, Clone)]
pub(super) struct Write {
    pub(super) key: String,
    pub(super) what: What,
    pub(super) only_if: OnlyIf,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Put(Bytes),
    CopyOf(String),
    Delete,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OnlyIf {
    Always,
    Absent,
    Tag(String),
}

impl World {
    pub(super) fn new(truth: Truth, ledger: Ledger, sites: Vec<Site>, spells: Vec<Spell>) -> Arc<Self> {
        let state = State { truth, ledger, sites, spells, pending: Vec::new() };
        Arc::new(Self { began: time::now(), state: Mutex::new(state) })
    }

    pub(super) fn now(&self) -> Ms {
        (time::now() - self.began).as_millis() as Ms
    }

    pub(super) fn moment(&self, at: Ms) -> Instant {
        self.began + std::time::Duration::from_millis(at)
    }

    /// The state at this moment: what was to take effect by now has.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock();
        state.settle(self.now());
        state
    }

    /// All faults are over, every region answers calmly, and catches up.
    pub(super) fn heal(&self) {
        let now = self.now();
        let mut state = self.state();
        state.spells.clear();
        state.truth.catch_up(now);
        // A region that is slower than the limits let it be is sick, whatever else it is.
        state.sites.iter_mut().for_each(|site| site.latency = CALM);
        state.ledger.trace.note(now, format_args!("all faults are over"));
    }
}

impl State {
    /// What befalls a request that arrives now.
    pub(super) fn fault(&mut self, region: usize, now: Ms) -> Option<Fault> {
        let site = &mut self.sites[region];
        let spell = self.spells.iter().find(|spell| spell.is_on(region, now) && site.dice.chance(spell.share))?;
        let Fault::Throttle(per_second, _) = spell.fault else { return Some(spell.fault) };
        let second = now / 1000;
        site.counted = if site.counted.0 == second { (second, site.counted.1 + 1) } else { (second, 1) };
        (site.counted.1 > per_second).then_some(spell.fault)
    }

    /// Nothing has befallen the region from `since` to `until`.
    pub(super) fn was_well(&self, region: usize, since: Ms, until: Ms) -> bool {
        !self.spells.iter().any(|spell| spell.region == region && spell.from <= until && since <= spell.until)
    }

    /// A write takes effect at `at`, whatever becomes of the one who waits for its answer.
    pub(super) fn arrive(&mut self, at: Ms, region: usize, write: Write) -> Arc<Mutex<Option<Result<u64>>>> {
        let answer = Arc::default();
        self.pending.push(Pending { at, region, write, answer: Arc::clone(&answer) });
        answer
    }

    fn settle(&mut self, now: Ms) {
        while let Some((index, _)) = self.pending.iter().enumerate().filter(|(_, write)| write.at <= now).min_by_key(|(_, write)| write.at)
        {
            let Pending { at, region, write, answer } = self.pending.remove(index);
            *answer.lock() = Some(self.commit(at, region, &write));
        }
    }

    /// Does it, where its condition holds; the id of the version.
    pub(super) fn commit(&mut self, at: Ms, region: usize, write: &Write) -> Result<u64> {
        let found = self.truth.shown(&write.key, region, at).filter(|version| version.content.is_some());
        let path = || Path::from(write.key.as_str());
        match (&write.only_if, found) {
            (OnlyIf::Absent, Some(_)) => return Err(wire::exists(&path())),
            (OnlyIf::Tag(tag), found) if found.map(|version| self.tag(version, region)).as_ref() != Some(tag) => {
                return Err(wire::precondition(&path()));
            }
            _ => {}
        }
        let content = match &write.what {
            What::Put(bytes) => Some(bytes.clone()),
            What::Delete => None,
            What::CopyOf(from) => match self.truth.shown(from, region, at).and_then(|version| version.content.clone()) {
                Some(bytes) => Some(bytes),
                None => return Err(wire::missing(&Path::from(from.as_str()))),
            },
        };
        let id = self.truth.new_id();
        self.ledger.trace.note(at, format_args!("{} of {} takes effect in region {region} as version {id}", write.what.name(), write.key));
        self.truth.write(&write.key, region, id, content, at);
        Ok(id)
    }

    pub(super) fn tag(&self, version: &Version, region: usize) -> String {
        match self.sites[region].tags {
            Tags::Content => format!("\"{:x}\"", version.id),
            Tags::Own => format!("\"{:x}-{region}\"", version.id),
            Tags::Weak => format!("W/\"{:x}\"", version.id),
        }
    }
}

impl Site {
    pub(super) fn new(latency: Latency, tags: Tags, reports: bool, has_markers: bool, dice: Dice) -> Self {
        Self { latency, tags, reports, has_markers, dice, counted: (0, 0) }
    }
}

impl What {
    fn name(&self) -> &'static str {
        match self {
            Self::Put(_) => "put",
            Self::CopyOf(_) => "copy",
            Self::Delete => "delete",
        }
    }
}

impl Write {
    pub(super) fn always(key: &str, what: What) -> Self {
        Self { key: key.to_owned(), what, only_if: OnlyIf::Always }
    }
}

/// How a region answers that nothing ails.
const CALM: Latency = Latency { median: 3.0, sigma: 0.2, tail: 0.0 };

/// The error of an answer that is gone.
pub(super) fn lost() -> Error {
    wire::transport(object_store::client::HttpErrorKind::Interrupted, "connection closed")
}
