//! What a call may do under the settings, worked out anew from what the documents promise.

use std::time::Duration;

use super::plan::{Plan, Step};
use super::truth::Ms;
use super::world::World;
use crate::failover::config::{HomeOut, NotFoundPolicy};
use crate::failover::scope::WriteRule;
use crate::operation::Operation;
use crate::request::time_for;
use crate::store::FailoverStore;

/// The settings, as far as promises depend on them.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) regions: usize,
    pub(super) home: Option<usize>,
    pub(super) authority: Option<usize>,
    pub(super) not_found: NotFoundPolicy,
    pub(super) writes: WriteRule,
    pub(super) never_lags: bool,
    pub(super) has_markers: bool,
    pub(super) is_paced: bool,
    home_prefixes: Vec<String>,
    home_out: HomeOut,
}

impl Rules {
    pub(super) fn of(plan: &Plan, store: &FailoverStore) -> Self {
        let core = store.core();
        Self {
            regions: plan.builds.len(),
            home: core.home,
            authority: core.authority,
            not_found: core.not_found,
            writes: core.write_rule,
            never_lags: plan.builds.iter().all(|build| build.lag.median == 0.0),
            has_markers: plan.builds.iter().any(|build| build.has_markers && build.reports),
            is_paced: plan.settings.throttle.is_some(),
            home_prefixes: plan.settings.reads.home_prefixes.clone(),
            home_out: core.home_out,
        }
    }

    /// The key belongs to home.
    pub(super) fn is_homes(&self, key: &str) -> bool {
        self.home_prefixes.iter().any(|prefix| key.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The regions that a read of this key may ask; none where the caller leaves none.
    pub(super) fn readers(&self, step: &Step) -> Vec<usize> {
        let only_home = self.home.filter(|_| self.is_homes(&step.key) && self.home_out == HomeOut::Fail);
        let within = |region: &usize| only_home.is_none_or(|home| home == *region) && step.pin.is_none_or(|pin| pin == *region);
        (0..self.regions).filter(within).filter(|region| step.avoid != Some(*region)).collect()
    }

    /// The region where somebody else writes.
    pub(super) fn elsewhere(&self, number: u64) -> usize {
        let anywhere = number as usize % self.regions;
        if self.writes == WriteRule::Anywhere { anywhere } else { self.home.unwrap_or(anywhere) }
    }

    /// Those of `readers` of which none has shown the object all the time where the answer is `NotFound`.
    pub(super) fn witnesses(&self, readers: &[usize]) -> Vec<usize> {
        match (self.not_found, self.authority.filter(|home| readers.contains(home))) {
            // Anybody's word is final: that is a promise only where nobody lags.
            (NotFoundPolicy::First, _) if !self.never_lags => Vec::new(),
            (NotFoundPolicy::First, _) => readers.to_vec(),
            (_, Some(authority)) => vec![authority],
            (NotFoundPolicy::Unanimous | NotFoundPolicy::Home | NotFoundPolicy::Reachable, None) => readers.to_vec(),
        }
    }

    /// Only those decide that can be reached.
    pub(super) fn asks_the_reachable(&self) -> bool {
        self.not_found == NotFoundPolicy::Reachable
    }
}

/// How long a call may take, and what timers add to it.
pub(super) fn limit(store: &FailoverStore, operation: Operation, readers: usize, own: Option<Ms>, size: usize) -> Ms {
    let extra = if operation == Operation::Put { time_for(size) * readers as u32 } else { Duration::ZERO };
    let total = store.core().limits.total(operation, readers) + extra;
    own.map_or(total, |own| total.min(Duration::from_millis(own))).as_millis() as Ms + TICKS
}

/// The stage of a life: its world, and the store that is put to the test.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) world: std::sync::Arc<World>,
    pub(super) store: FailoverStore,
    pub(super) rules: Rules,
    pub(super) plan: Plan,
    pub(super) tally: parking_lot::Mutex<Tally>,
}

/// What is counted over a whole life.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) calls: u64,
    /// Attempts at a region that the same call had asked before.
    pub(super) repeats: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
}

/// Timers are rounded up to the next millisecond, once for each that a call waits for.
const TICKS: Ms = 10;
