//! What every call needs of the store.

use std::sync::Arc;
use std::time::Duration;

use object_store::path::Path;

use super::budget::RetryBudget;
use super::config::{HomeOut, NotFoundPolicy, RetryConfig, WriteRule};
use super::hedge::Hedger;
use crate::event::Events;
use crate::metrics::{Metrics, RequestTimer};
use crate::plan::Rotation;
use crate::region::Regions;
use crate::runtime::clock::{self, Instant};
use crate::runtime::rng::SeededRng;
use crate::timeouts::CallTimeouts;
use crate::types::{CircuitClass, Operation};

/// The shared state and the policies of one store.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) regions: Regions,
    pub(crate) rotation: Rotation,
    pub(crate) timeouts: CallTimeouts,
    pub(crate) retry: RetryConfig,
    pub(crate) budget: RetryBudget,
    pub(crate) hedger: Hedger,
    pub(crate) not_found: NotFoundPolicy,
    pub(crate) home: Option<usize>,
    pub(crate) write_rule: WriteRule,
    pub(crate) home_prefixes: Vec<Path>,
    pub(crate) home_out: HomeOut,
    /// The region whose 404 is final: home, where writes go only there or not through this store.
    pub(crate) authority: Option<usize>,
    /// How long a call waits for the last-resort attempt of another call.
    pub(crate) last_resort_wait: Duration,
    /// The settings let the circuits of every region open.
    pub(crate) have_circuits: bool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) events: Events,
    pub(crate) rng: SeededRng,
}

impl Engine {
    /// Starts the measurement of one call of the store.
    pub(crate) fn start_request(&self, operation: Operation) -> RequestTimer<'_> {
        self.resolve_metrics();
        self.metrics.start_request(operation)
    }

    /// Resolves the handles of all metrics at the first call and publishes the current state.
    pub(crate) fn resolve_metrics(&self) {
        if !self.metrics.is_resolved() && self.metrics.resolve() {
            let now = clock::now();
            self.regions
                .iter()
                .for_each(|region| region.health.publish_gauges(now));
        }
    }

    /// Withdraws one extra attempt from the retry budget; false where it is exhausted.
    pub(crate) fn withdraw(&self, now: Instant) -> bool {
        let granted = self.budget.withdraw(now);
        if !granted {
            self.metrics.on_budget_exhausted();
        }
        granted
    }

    /// The circuits end a walk that makes no progress. False where a region is used whatever its
    /// circuit says: there a count has to end it.
    pub(crate) fn circuits_can_open(&self, class: CircuitClass) -> bool {
        self.have_circuits && !self.regions.any_forced(class)
    }
}
