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
    /// What was done to it, one after the other.
    pub(crate) acts: Vec<Act>,
    /// The phase in which it began, and in which the region returned.
    pub(crate) phase: usize,
    pub(crate) phase_of_return: usize,
    pub(crate) at: Instant,
    /// A circuit that was open already says nothing of how soon one opens.
    pub(crate) was_closed: bool,
    /// When the circuit opened first, and how many requests the region had seen by then.
    pub(crate) opened: Option<(Instant, u64)>,
    pub(crate) returned: Option<(Instant, u64)>,
    /// The end of the first read that the region served after its return.
    pub(crate) served: Option<Instant>,
    pub(crate) closed: Option<Instant>,
    seen_before: u64,
    /// What the region had seen when its circuit was last known to be closed, if it is.
    closed_from: Option<u64>,
    /// The most that it saw in one stretch of a closed circuit.
    most_while_closed: u64,
}

/// All regions out at the same time.
#[derive(Debug, Clone)]
pub(crate) struct Outage {
    pub(crate) from: Instant,
    pub(crate) first_return: Option<Instant>,
}

/// Everything that was done in this run.
#[derive(Debug)]
pub(crate) struct Faults {
    pub(crate) all: Vec<Fault>,
    pub(crate) outages: Vec<Outage>,
    alive: Vec<bool>,
}

impl Fault {
    /// Whether the region could not serve as it should.
    pub(crate) fn is_harm(&self) -> bool {
        self.acts.iter().any(|act| act.is_harm())
    }

    /// What it was, in words.
    pub(crate) fn told(&self) -> String {
        self.acts.iter().map(|act| act.state()).collect::<Vec<_>>().join(", then ")
    }

    /// The most requests to the region between a moment when its circuit was closed and the next opening, or the return.
    pub(crate) fn until_left_alone(&self) -> Option<u64> {
        self.opened.or(self.returned).map(|_| self.most_while_closed)
    }

    fn end_stretch(&mut self, seen: u64) {
        if let Some(from) = self.closed_from.take() {
            self.most_while_closed = self.most_while_closed.max(seen.saturating_sub(from));
        }
    }

    /// Requests between the opening of its circuit and its return.
    pub(crate) fn trials(&self) -> Option<u64> {
        let ((_, opened), (_, returned)) = (self.opened?, self.returned?);
        Some(returned.saturating_sub(opened))
    }

    /// All requests between the fault and the return.
    pub(crate) fn requests(&self) -> Option<u64> {
        Some(self.returned?.1.saturating_sub(self.seen_before))
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
        // What did no harm ends where harm begins: the time to detect that is not to be told from here.
        if let Some(fault) = self.current(region).filter(|fault| !fault.is_harm() && act.is_harm()) {
            fault.returned = Some((at, seen));
            fault.phase_of_return = phase;
        }
        // A region that is in trouble already is in more of it.
        match self.current(region) {
            Some(fault) => {
                if fault.acts.last() != Some(&act) {
                    fault.acts.push(act);
                }
            }
            None => self.all.push(Fault {
                region,
                acts: vec![act],
                phase,
                phase_of_return: phase,
                at,
                was_closed: circuit == CircuitState::Closed,
                opened: None,
                returned: None,
                served: None,
                closed: None,
                seen_before: seen,
                closed_from: (circuit == CircuitState::Closed).then_some(seen),
                most_while_closed: 0,
            }),
        }
        if act.is_harm() && std::mem::replace(&mut self.alive[region], false) && !self.alive.contains(&true) {
            self.outages.push(Outage { from: at, first_return: None });
        }
    }

    /// To be called when the region is back.
    pub(crate) fn end(&mut self, region: usize, phase: usize, at: Instant, seen: u64) {
        let was_out = !std::mem::replace(&mut self.alive[region], true);
        if let Some(outage) = self.outages.last_mut().filter(|_| was_out) {
            outage.first_return.get_or_insert(at);
        }
        if let Some(fault) = self.current(region) {
            fault.end_stretch(seen);
            fault.returned = Some((at, seen));
            fault.phase_of_return = phase;
        }
    }

    pub(crate) fn is_alive(&self, region: usize) -> bool {
        self.alive[region]
    }

    /// Whether something was done to the region that has not been undone.
    pub(crate) fn is_touched(&self, region: usize) -> bool {
        self.all.iter().any(|fault| fault.region == region && fault.returned.is_none())
    }

    pub(crate) fn on_circuit(&mut self, region: usize, to: CircuitState, at: Instant, seen: u64) {
        let Some(fault) = self.all.iter_mut().rfind(|fault| fault.region == region) else {
            return;
        };
        match to {
            CircuitState::Open if fault.returned.is_none() => {
                fault.end_stretch(seen);
                if fault.was_closed {
                    fault.opened.get_or_insert((at, seen));
                }
            }
            // On trials that happened to go well, while the region is still sick.
            CircuitState::Closed if fault.returned.is_none() => fault.closed_from = Some(seen),
            CircuitState::Closed if fault.returned.is_some() => {
                fault.closed.get_or_insert(at);
            }
            _ => {}
        }
    }

    /// A read was served. What began before a return may have been served by a connection from before the fault.
    pub(crate) fn on_served(&mut self, region: Option<usize>, began: Instant, ended: Instant) {
        let fault = self.all.iter_mut().rfind(|fault| Some(fault.region) == region);
        if let Some(fault) = fault.filter(|fault| fault.returned.is_some_and(|(at, _)| began >= at)) {
            fault.served.get_or_insert(ended);
        }
    }

    /// Whether a read that failed may have: no region was alive during some of it, or the first had only just returned.
    pub(crate) fn excuse(&self, began: Instant, ended: Instant) -> bool {
        self.outages.iter().any(|outage| outage.met(began, ended))
    }

    fn current(&mut self, region: usize) -> Option<&mut Fault> {
        self.all.iter_mut().rfind(|fault| fault.region == region && fault.returned.is_none())
    }
}
