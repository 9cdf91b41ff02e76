//! The faults of a run, and the reaction of the store to each.

use std::time::Duration;

use object_store_failover::CircuitState;
use tokio::time::Instant;

use crate::scenario::Action;

/// The time after a total outage, from the first recovery, in which reads may still fail.
pub(crate) const RECOVERY: Duration = Duration::from_secs(2);

/// The fault of one region, from its start until after the recovery.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) region: usize,
    /// The actions on the region, in order.
    pub(crate) actions: Vec<Action>,
    /// The phase in which it started, and the one in which the region was restored.
    pub(crate) phase: usize,
    pub(crate) phase_of_restore: usize,
    pub(crate) at: Instant,
    /// Whether the circuit was closed at the start; otherwise the time to detect is unknown.
    pub(crate) was_closed: bool,
    /// The first opening of the circuit, and the region's requests until then.
    pub(crate) opened: Option<(Instant, u64)>,
    pub(crate) restored: Option<(Instant, u64)>,
    /// The end of the first read that the region served after it was restored.
    pub(crate) served: Option<Instant>,
    pub(crate) closed: Option<Instant>,
    requests_before: u64,
    /// The region's requests when its circuit closed last, while it is closed.
    closed_from: Option<u64>,
    /// The most requests in one period with a closed circuit.
    most_while_closed: u64,
}

/// All regions failing at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    pub(crate) from: Instant,
    pub(crate) first_restore: Option<Instant>,
}

/// All faults of the run.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) all: Vec<Fault>,
    pub(crate) outages: Vec<Outage>,
    serving: Vec<bool>,
}

impl Fault {
    /// Whether the region could not serve as expected.
    pub(crate) fn is_harmful(&self) -> bool {
        self.actions.iter().any(|action| action.is_harmful())
    }

    /// The states of the region, for reports.
    pub(crate) fn description(&self) -> String {
        self.actions
            .iter()
            .map(|action| action.state())
            .collect::<Vec<_>>()
            .join(", then ")
    }

    /// The most requests to the region in a period with a closed circuit, until the circuit opened
    /// or the region was restored.
    pub(crate) fn requests_until_opened(&self) -> Option<u64> {
        self.opened
            .or(self.restored)
            .map(|_| self.most_while_closed)
    }

    fn end_closed_period(&mut self, requests: u64) {
        if let Some(from) = self.closed_from.take() {
            self.most_while_closed = self.most_while_closed.max(requests.saturating_sub(from));
        }
    }

    /// Requests from the opening of the circuit until the region was restored.
    pub(crate) fn trials(&self) -> Option<u64> {
        let ((_, opened), (_, restored)) = (self.opened?, self.restored?);
        Some(restored.saturating_sub(opened))
    }

    /// Requests from the start of the fault until the region was restored.
    pub(crate) fn requests(&self) -> Option<u64> {
        Some(self.restored?.1.saturating_sub(self.requests_before))
    }
}

impl Outage {
    /// Whether a read overlapped the outage or the recovery after it.
    fn overlaps(&self, started_at: Instant, ended_at: Instant) -> bool {
        ended_at >= self.from
            && self
                .first_restore
                .is_none_or(|back| started_at <= back + RECOVERY)
    }
}

impl Faults {
    pub(crate) fn new(regions: usize) -> Self {
        Self {
            all: Vec::new(),
            outages: Vec::new(),
            serving: vec![true; regions],
        }
    }

    /// Call before the action is applied, so that requests in between count for the fault.
    pub(crate) fn begin(
        &mut self,
        region: usize,
        action: Action,
        phase: usize,
        at: Instant,
        requests: u64,
        circuit: CircuitState,
    ) {
        // A harmless action is a fault of its own, because the time to detect starts with the
        // harmful one.
        if let Some(fault) = self
            .current(region)
            .filter(|fault| !fault.is_harmful() && action.is_harmful())
        {
            fault.restored = Some((at, requests));
            fault.phase_of_restore = phase;
        }
        // Further actions on a failing region belong to the same fault.
        match self.current(region) {
            Some(fault) => {
                if fault.actions.last() != Some(&action) {
                    fault.actions.push(action);
                }
            }
            None => self.all.push(Fault {
                region,
                actions: vec![action],
                phase,
                phase_of_restore: phase,
                at,
                was_closed: circuit == CircuitState::Closed,
                opened: None,
                restored: None,
                served: None,
                closed: None,
                requests_before: requests,
                closed_from: (circuit == CircuitState::Closed).then_some(requests),
                most_while_closed: 0,
            }),
        }
        if action.is_harmful()
            && std::mem::replace(&mut self.serving[region], false)
            && !self.serving.contains(&true)
        {
            self.outages.push(Outage {
                from: at,
                first_restore: None,
            });
        }
    }

    /// Call after the region was restored.
    pub(crate) fn end(&mut self, region: usize, phase: usize, at: Instant, requests: u64) {
        let was_out = !std::mem::replace(&mut self.serving[region], true);
        if let Some(outage) = self.outages.last_mut().filter(|_| was_out) {
            outage.first_restore.get_or_insert(at);
        }
        if let Some(fault) = self.current(region) {
            fault.end_closed_period(requests);
            fault.restored = Some((at, requests));
            fault.phase_of_restore = phase;
        }
    }

    pub(crate) fn is_serving(&self, region: usize) -> bool {
        self.serving[region]
    }

    /// Whether an action on the region has not been undone.
    pub(crate) fn is_affected(&self, region: usize) -> bool {
        self.all
            .iter()
            .any(|fault| fault.region == region && fault.restored.is_none())
    }

    pub(crate) fn on_circuit(
        &mut self,
        region: usize,
        to: CircuitState,
        at: Instant,
        requests: u64,
    ) {
        let Some(fault) = self.all.iter_mut().rfind(|fault| fault.region == region) else {
            return;
        };
        match to {
            CircuitState::Open if fault.restored.is_none() => {
                fault.end_closed_period(requests);
                if fault.was_closed {
                    fault.opened.get_or_insert((at, requests));
                }
            }
            // A trial can succeed while the region is failing.
            CircuitState::Closed if fault.restored.is_none() => fault.closed_from = Some(requests),
            CircuitState::Closed if fault.restored.is_some() => {
                fault.closed.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// Records a served read. One that started before the region was restored may have used an
    /// older connection.
    pub(crate) fn on_served(
        &mut self,
        region: Option<usize>,
        started_at: Instant,
        ended_at: Instant,
    ) {
        let fault = self
            .all
            .iter_mut()
            .rfind(|fault| Some(fault.region) == region);
        if let Some(fault) =
            fault.filter(|fault| fault.restored.is_some_and(|(at, _)| started_at >= at))
        {
            fault.served.get_or_insert(ended_at);
        }
    }

    /// Whether a read may have failed: it overlapped a total outage or the recovery after it.
    pub(crate) fn excuses(&self, started_at: Instant, ended_at: Instant) -> bool {
        self.outages
            .iter()
            .any(|outage| outage.overlaps(started_at, ended_at))
    }

    fn current(&mut self, region: usize) -> Option<&mut Fault> {
        self.all
            .iter_mut()
            .rfind(|fault| fault.region == region && fault.restored.is_none())
    }
}
