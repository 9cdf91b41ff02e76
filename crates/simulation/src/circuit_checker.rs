//! Checks the attempts at the regions against the circuit transitions that the store reports.

use std::collections::BTreeSet;
use std::sync::Arc;

use object_store_failover::config::BreakerConfig;
use object_store_failover::health::{CircuitClass, CircuitState, Event, TransitionReason};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;

use crate::attempt_log::AttemptEnd;
use crate::object_history::Ms;
use crate::violation::Invariant;

#[derive(Debug)]
pub(crate) struct CircuitChecker {
    names: Vec<Arc<str>>,
    events: Option<broadcast::Receiver<Event>>,
    /// `half_open_max_calls`.
    max_trials: usize,
    /// `success_threshold`.
    success_threshold: usize,
    /// `early_probe_interval`.
    early_probe_interval: Ms,
    circuits: Vec<[ObservedCircuit; 2]>,
}

#[derive(Debug, Default, Clone)]
struct ObservedCircuit {
    /// None before the first transition: closed.
    state: Option<CircuitState>,
    since: Ms,
    /// Attempts that began while the circuit is half-open, and wait for their headers.
    trials: BTreeSet<u64>,
    /// The region has responded since the circuit became half-open. Waiters are then admitted in
    /// addition to the trials.
    has_responded: bool,
    /// Attempts that began while the circuit is half-open and have not ended.
    begun: BTreeSet<u64>,
    /// When the last long attempt was admitted outside of the trials.
    long_at: Option<Ms>,
    /// Responses to those.
    responses: usize,
    changes: u64,
}

impl CircuitChecker {
    pub(crate) fn new(names: Vec<Arc<str>>, breaker: &BreakerConfig) -> Self {
        let circuits = vec![Default::default(); names.len()];
        Self {
            names,
            events: None,
            max_trials: breaker.half_open_max_calls as usize,
            success_threshold: breaker.success_threshold as usize,
            early_probe_interval: breaker.early_probe_interval.as_millis() as Ms,
            circuits,
        }
    }

    pub(crate) fn subscribe(&mut self, events: broadcast::Receiver<Event>) {
        self.events = Some(events);
    }

    /// Applies the transitions since the last call; returns their trace lines and violations.
    pub(crate) fn drain_events(&mut self, now: Ms) -> (Vec<String>, Vec<(Invariant, String)>) {
        let (mut lines, mut found) = (Vec::new(), Vec::new());
        loop {
            let event = match self.events.as_mut().map(broadcast::Receiver::try_recv) {
                Some(Ok(event)) => event,
                Some(Err(TryRecvError::Lagged(_))) => continue,
                None | Some(Err(TryRecvError::Empty | TryRecvError::Closed)) => {
                    return (lines, found);
                }
            };
            let Event::CircuitChanged {
                region,
                class,
                change,
            } = event
            else {
                continue;
            };
            lines.push(format!(
                "{class} circuit of {region}: {} to {}, {}",
                change.from, change.to, change.reason
            ));
            let Some(index) = self.names.iter().position(|name| *name == region) else {
                continue;
            };
            let required = self.success_threshold;
            let circuit = &mut self.circuits[index][slot(class)];
            let responses = circuit.responses;
            if matches!(change.reason, TransitionReason::TrialsSucceeded(_)) && responses < required
            {
                let why = format!(
                    "the {class} circuit of {region} closes after {responses} responses of \
                     {required}"
                );
                found.push((Invariant::ClosedByTrials, why));
            }
            *circuit = ObservedCircuit {
                state: Some(change.to),
                since: now,
                changes: circuit.changes + 1,
                long_at: circuit.long_at,
                ..ObservedCircuit::default()
            };
        }
    }

    pub(crate) fn is_closed(&self, region: usize, class: CircuitClass) -> bool {
        matches!(
            self.circuits[region][slot(class)].state,
            None | Some(CircuitState::Closed)
        )
    }

    /// Transitions of all circuits so far.
    pub(crate) fn changes(&self) -> u64 {
        self.circuits
            .iter()
            .flatten()
            .map(|circuit| circuit.changes)
            .sum()
    }

    /// An attempt arrives; returns a violation if the circuit must not have admitted it.
    pub(crate) fn begin(
        &mut self,
        id: u64,
        region: usize,
        class: CircuitClass,
        is_long: bool,
        now: Ms,
    ) -> Option<(Invariant, String)> {
        let (max_trials, name) = (self.max_trials, &self.names[region]);
        let circuit = &mut self.circuits[region][slot(class)];
        if circuit.state == Some(CircuitState::HalfOpen) {
            circuit.begun.insert(id);
        }
        // A request that takes too long to be a trial is asked in addition to the trials.
        // After a response it may also be a waiter.
        let is_excluded = match circuit.state {
            Some(CircuitState::Open) => true,
            Some(CircuitState::HalfOpen) => !circuit.has_responded,
            // The enum may grow.
            Some(_) | None => false,
        };
        if is_long && is_excluded {
            let next = circuit.long_at.map(|at| at + self.early_probe_interval);
            let may_be_trial =
                circuit.state == Some(CircuitState::HalfOpen) && circuit.trials.len() < max_trials;
            if next.is_none_or(|next| now >= next) {
                if !may_be_trial {
                    circuit.long_at = Some(now);
                }
                return None;
            }
        }
        match circuit.state {
            // An attempt admitted just before the circuit opened may arrive in the same moment.
            Some(CircuitState::Open) if now > circuit.since => Some((
                Invariant::OpenIsExcluded,
                format!("a request to {name} while its {class} circuit is open"),
            )),
            // A waiter that a response admitted, before the body of that response broke, cannot be
            // told from a trial of the same moment.
            Some(CircuitState::HalfOpen) if now == circuit.since && !circuit.trials.is_empty() => {
                None
            }
            Some(CircuitState::HalfOpen) if !circuit.has_responded => {
                circuit.trials.insert(id);
                let trials = circuit.trials.len();
                (trials > max_trials).then(|| {
                    (
                        Invariant::SingleLastResort,
                        format!("{trials} trials at once of {name}, which has not responded yet"),
                    )
                })
            }
            _ => None,
        }
    }

    pub(crate) fn end(&mut self, id: u64, region: usize, class: CircuitClass, end: AttemptEnd) {
        let circuit = &mut self.circuits[region][slot(class)];
        circuit.trials.remove(&id);
        circuit.responses += usize::from(circuit.begun.remove(&id) && end != AttemptEnd::Dropped);
        circuit.has_responded |= end != AttemptEnd::Dropped;
    }
}

/// The index of a class in the pair of circuits of a region.
fn slot(class: CircuitClass) -> usize {
    usize::from(class == CircuitClass::Write)
}
