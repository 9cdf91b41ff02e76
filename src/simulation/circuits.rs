//! What the store's circuits do, as its events tell it, held against what arrives at the regions.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;

use super::ledger::Ending;
use super::truth::Ms;
use super::violation::Invariant;
use crate::event::Event;
use crate::health::{CircuitClass, CircuitState, Reason};

#[derive(Debug)]
pub(super) struct Circuits {
    names: Vec<Arc<str>>,
    events: Option<broadcast::Receiver<Event>>,
    /// Trials that a half-open circuit lets in at a time, and how many have to succeed.
    slots: usize,
    wanted: usize,
    circuits: Vec<[Circuit; 2]>,
}

#[derive(Debug, Default, Clone)]
struct Circuit {
    state: Option<CircuitState>,
    since: Ms,
    /// Attempts that began while it is half-open, and wait for their headers.
    trials: BTreeSet<u64>,
    /// The region has answered since it became half-open: those who waited may follow outside the limit.
    has_answered: bool,
    /// Attempts that began while it is half-open, and those of them that the region has answered.
    begun: BTreeSet<u64>,
    answers: usize,
    changes: u64,
}

impl Circuits {
    pub(super) fn new(names: Vec<Arc<str>>, slots: usize, wanted: usize) -> Self {
        let circuits = vec![Default::default(); names.len()];
        Self { names, events: None, slots, wanted, circuits }
    }

    pub(super) fn listen(&mut self, events: broadcast::Receiver<Event>) {
        self.events = Some(events);
    }

    /// Takes note of what has happened, and says it, and what of it must not be.
    pub(super) fn hear(&mut self, now: Ms) -> (Vec<String>, Vec<(Invariant, String)>) {
        let (mut lines, mut wrong) = (Vec::new(), Vec::new());
        loop {
            let event = match self.events.as_mut().map(broadcast::Receiver::try_recv) {
                Some(Ok(event)) => event,
                Some(Err(TryRecvError::Lagged(_))) => continue,
                None | Some(Err(TryRecvError::Empty | TryRecvError::Closed)) => return (lines, wrong),
            };
            if let Event::CircuitChanged { region, class, change } = event {
                lines.push(format!("{class} circuit of {region}: {} to {}, {}", change.from, change.to, change.reason));
                if let Some(index) = self.names.iter().position(|name| *name == region) {
                    let answers = self.circuits[index][class.index()].answers;
                    if matches!(change.reason, Reason::TrialsSucceeded(_)) && answers < self.wanted {
                        let why = format!("the {class} circuit of {region} closes after {answers} answers, and wants {}", self.wanted);
                        wrong.push((Invariant::ClosedByTrials, why));
                    }
                    let changes = self.circuits[index][class.index()].changes + 1;
                    self.circuits[index][class.index()] = Circuit { state: Some(change.to), since: now, changes, ..Circuit::default() };
                }
            }
        }
    }

    pub(super) fn is_closed(&self, region: usize, class: CircuitClass) -> bool {
        matches!(self.circuits[region][class.index()].state, None | Some(CircuitState::Closed))
    }

    /// So many times any circuit has changed.
    pub(super) fn changes(&self) -> u64 {
        self.circuits.iter().flatten().map(|circuit| circuit.changes).sum()
    }

    /// An attempt arrives; what must not be.
    pub(super) fn begin(&mut self, id: u64, region: usize, class: CircuitClass, now: Ms) -> Option<(Invariant, String)> {
        let (slots, name) = (self.slots, &self.names[region]);
        let circuit = &mut self.circuits[region][class.index()];
        if circuit.state == Some(CircuitState::HalfOpen) {
            circuit.begun.insert(id);
        }
        match circuit.state {
            // Who was let in at the moment when it opened may still come.
            Some(CircuitState::Open) if now > circuit.since => {
                Some((Invariant::OpenIsLeftAlone, format!("{name} is asked while its {class} circuit is open")))
            }
            // Nor can one who was let go on by an answer, before its body broke, be told from a trial of the same moment.
            Some(CircuitState::HalfOpen) if now == circuit.since && !circuit.trials.is_empty() => None,
            Some(CircuitState::HalfOpen) if !circuit.has_answered => {
                circuit.trials.insert(id);
                let trials = circuit.trials.len();
                (trials > slots).then(|| (Invariant::OneProbe, format!("{trials} trials at once of {name}, which has not answered yet")))
            }
            _ => None,
        }
    }

    pub(super) fn end(&mut self, id: u64, region: usize, class: CircuitClass, ending: Ending) {
        let circuit = &mut self.circuits[region][class.index()];
        circuit.trials.remove(&id);
        circuit.answers += usize::from(circuit.begun.remove(&id) && ending != Ending::Dropped);
        circuit.has_answered |= ending != Ending::Dropped;
    }
}
