//! What a call may do under the settings, derived from the documentation and not from the store.

use std::sync::Arc;
use std::time::Duration;

use object_store_failover::config::{HomeOut, NotFoundPolicy};
use object_store_failover::internals::{self, WriteRule};
use object_store_failover::{FailoverStore, Operation};
use parking_lot::Mutex;

use crate::object_history::Ms;
use crate::scenario::{Scenario, Step};
use crate::world::World;

/// The settings that promises depend on.
#[derive(Debug)]
pub(crate) struct Expectations {
    pub(crate) regions: usize,
    pub(crate) home: Option<usize>,
    pub(crate) authority: Option<usize>,
    pub(crate) not_found: NotFoundPolicy,
    pub(crate) writes: WriteRule,
    pub(crate) has_no_lag: bool,
    pub(crate) has_delete_markers: bool,
    pub(crate) is_throttled: bool,
    home_prefixes: Vec<String>,
    home_out: HomeOut,
}

impl Expectations {
    pub(crate) fn of(scenario: &Scenario, store: &FailoverStore) -> Self {
        let (policies, setups) = (internals::policies(store), &scenario.setups);
        Self {
            regions: setups.len(),
            home: policies.home,
            authority: policies.authority,
            not_found: policies.not_found,
            writes: policies.writes,
            has_no_lag: setups.iter().all(|setup| setup.lag.median == 0.0),
            // The store sees a marker on the wire only.
            has_delete_markers: setups
                .iter()
                .any(|setup| setup.has_delete_markers && setup.records_wire),
            is_throttled: scenario.settings.throttle.is_some(),
            home_prefixes: scenario.settings.reads.home_prefixes.clone(),
            home_out: policies.home_out,
        }
    }

    pub(crate) fn belongs_to_home(&self, key: &str) -> bool {
        self.home_prefixes.iter().any(|prefix| {
            key.strip_prefix(prefix.as_str())
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// The regions that a read of this key may ask; empty where the call options exclude all.
    pub(crate) fn readers(&self, step: &Step) -> Vec<usize> {
        let only_home = self
            .home
            .filter(|_| self.belongs_to_home(&step.key) && self.home_out == HomeOut::Fail);
        let within = |region: &usize| {
            only_home.is_none_or(|home| home == *region)
                && step.pin.is_none_or(|pin| pin == *region)
        };
        (0..self.regions)
            .filter(within)
            .filter(|region| step.avoid != Some(*region))
            .collect()
    }

    /// The region where writes that bypass the store take effect.
    pub(crate) fn external_writer(&self, key: &str, number: u64) -> usize {
        let anywhere = number as usize % self.regions;
        if self.writes == WriteRule::Anywhere && !self.belongs_to_home(key) {
            anywhere
        } else {
            self.home.unwrap_or(anywhere)
        }
    }

    /// The regions that decide a `NotFound`: if one of them has the object during the whole call,
    /// the response is wrong.
    pub(crate) fn deciding(&self, readers: &[usize], key: &str) -> Vec<usize> {
        // All writes of a key of home go there.
        let of_key = self.home.filter(|_| self.belongs_to_home(key));
        let authority = of_key
            .or(self.authority)
            .filter(|home| readers.contains(home));
        match (self.not_found, authority) {
            // Any region's 404 is final, which promises something only without lag.
            (NotFoundPolicy::First, _) if !self.has_no_lag => Vec::new(),
            (NotFoundPolicy::First, _) | (_, None) => readers.to_vec(),
            (_, Some(authority)) => vec![authority],
        }
    }

    /// Regions that cannot be reached have no part in a `NotFound`.
    pub(crate) fn decides_by_reachable(&self) -> bool {
        self.not_found == NotFoundPolicy::Reachable
    }
}

/// The limit of a call with `readers` regions, in milliseconds, with a tolerance for timers.
pub(crate) fn limit(
    store: &FailoverStore,
    operation: Operation,
    readers: usize,
    deadline: Option<Ms>,
    size: usize,
) -> Ms {
    let transfer = if operation == Operation::Put {
        internals::transfer_time(size) * readers as u32
    } else {
        Duration::ZERO
    };
    let total = internals::total_timeout(store, operation, readers) + transfer;
    let limit = deadline.map_or(total, |own| total.min(Duration::from_millis(own)));
    limit.as_millis() as Ms + TIMER_TOLERANCE_MS
}

/// A run in progress: its world, and the store under test.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) world: Arc<World>,
    pub(crate) store: FailoverStore,
    pub(crate) expectations: Expectations,
    pub(crate) scenario: Scenario,
    pub(crate) counters: Mutex<Counters>,
}

/// Counted over a whole run.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) calls: u64,
    /// Attempts at a region that the same call had asked before.
    pub(crate) repeats: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
}

/// tokio rounds each timer up to the next millisecond, and a call waits for several.
const TIMER_TOLERANCE_MS: Ms = 10;
