//! What was done to the regions, and what the store made of it.

use std::time::Duration;

use object_store_failover::CircuitState;

use crate::clock::Instant;
use crate::scenario::Act;

/// After a total outage, reads are to be served again this soon after the first region's return.
pub(crate) const RECOVERY: Duration = Duration::from_secs(2);

/// One region's trouble, from its beginning to the return of the region and what followed.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) region: usize,
    pub(crate) act: Act,
    /// The phase in which it began, and in which the region returned.
    pub(crate) phase: usize,
    pub(crate) phase_of_return: usize,
    pub(crate) at: Instant,
    /// A circuit that was open already says nothing of how soon one opens.
    pub(crate) was_closed: bool,
    seen_before: u64,
    /// When the circuit opened first, and how many requests the region had seen by then.
    pub(crate) opened: Option<(Instant, u64)>,
    pub(crate) returned: Option<(Instant, u64)>,
    /// The end of the first read that the region served after its return.
    pub(crate) served: Option<Instant>,
    pub(crate) closed: Option<Instant>,
}

/// All regions out at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    pub(crate) from: Instant,
    pub(crate) first_return: Option<Instant>,
    /// The end of the first read served after that.
    pub(crate) served: Option<Instant>,
}

/// Everything that was done in this run.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) all: Vec<Fault>,
    pub(crate) outages: Vec<Outage>,
    alive: Vec<bool>,
}

impl Fault {
    /// Requests to the region between the fault and the first opening of its circuit, or its return if that came first.
    pub(crate) fn until_left_alone(&self) -> Option<u64> {
        let (_, seen) = self.opened.or(self.returned)?;
        Some(seen.saturating_sub(self.seen_before))
    }

    /// Requests between the opening of its circuit and its return.
    pub(crate) fn trials(&self) -> Option<u64> {
        let ((_, opened), (_, returned)) = (self.opened?, self.returned?);
        Some(returned.saturating_sub(opened))
    }
}

impl Outage {
    /// Whether a read met it, or the time that the store has to recover from it.
    fn met(&self, began: Instant, ended: Instant) -> bool {
        ended >= self.from && self.first_return.is_none_or(|back| began <= back + RECOVERY)
    }
}

impl Faults {
    pub(crate) fn new(regions: usize) -> Self {
        Self { all: Vec::new(), outages: Vec::new(), alive: vec![true; regions] }
    }

    /// To be called before the fault is made: what a region sees meanwhile is charged to the store rather than forgiven.
    pub(crate) fn begin(&mut self, region: usize, act: Act, phase: usize, at: Instant, seen: u64, circuit: CircuitState) {
        let was_closed = circuit == CircuitState::Closed;
        let (opened, returned, served, closed) = (None, None, None, None);
        self.all.push(Fault {
            region,
            act,
            phase,
            phase_of_return: phase,
            at,
            was_closed,
            seen_before: seen,
            opened,
            returned,
            served,
            closed,
        });
        self.alive[region] = false;
        if !self.alive.contains(&true) {
            self.outages.push(Outage { from: at, first_return: None, served: None });
        }
    }

    /// To be called when the region is back.
    pub(crate) fn end(&mut self, region: usize, phase: usize, at: Instant, seen: u64) {
        if let Some(outage) = self.outages.last_mut() {
            outage.first_return.get_or_insert(at);
        }
        if let Some(fault) = self.all.iter_mut().rfind(|fault| fault.region == region && fault.returned.is_none()) {
            fault.returned = Some((at, seen));
            fault.phase_of_return = phase;
        }
        self.alive[region] = true;
    }

    pub(crate) fn is_alive(&self, region: usize) -> bool {
        self.alive[region]
    }

    /// How the region's present or last fault began.
    pub(crate) fn last(&self, region: usize) -> Option<&Fault> {
        self.all.iter().rfind(|fault| fault.region == region)
    }

    pub(crate) fn on_circuit(&mut self, region: usize, to: CircuitState, at: Instant, seen: u64) {
        let Some(fault) = self.all.iter_mut().rfind(|fault| fault.region == region) else {
            return;
        };
        match to {
            CircuitState::Open if fault.returned.is_none() && fault.was_closed => {
                fault.opened.get_or_insert((at, seen));
            }
            CircuitState::Closed if fault.returned.is_some() => {
                fault.closed.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// A read was served. What began before a return may have been served by a connection from before the fault.
    pub(crate) fn on_served(&mut self, region: Option<usize>, began: Instant, ended: Instant) {
        if let Some(outage) = self.outages.last_mut().filter(|outage| outage.first_return.is_some_and(|back| ended >= back)) {
            outage.served.get_or_insert(ended);
        }
        let fault = self.all.iter_mut().rfind(|fault| Some(fault.region) == region);
        if let Some(fault) = fault.filter(|fault| fault.returned.is_some_and(|(at, _)| began >= at)) {
            fault.served.get_or_insert(ended);
        }
    }

    /// Whether a read that failed may have: no region was alive during some of it, or the first had only just returned.
    pub(crate) fn excuse(&self, began: Instant, ended: Instant) -> bool {
        self.outages.iter().any(|outage| outage.met(began, ended))
    }
}
