//! One region's health: it takes verdicts and answers "may I?". It knows nothing of HTTP.
//!
//! Each region has two circuits, one for reads and one for writes, each behind a lock that is held for a few instructions and
//! never across an await. What leaves the lock is a [`Permit`]: it must come back with a verdict, and if it is dropped it frees
//! its place and teaches nothing.

mod account;
#[cfg(any(test, feature = "_bench"))]
#[doc(hidden)]
pub mod alone;
mod breaker;
pub(crate) mod config;
mod control;
mod fleet;
mod glance;
mod latency;
mod listening;
#[cfg(failover_loom)]
pub mod models;
mod news;
mod permit;
mod queue;
mod showing;
mod silence;
mod snapshot;
mod transition;
mod window;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

pub(crate) use breaker::Standing;
use breaker::{Breaker, EarlyAnswer, Ticket};
use config::BreakerConfig;
use control::Control;
pub use control::Override;
pub(crate) use fleet::Fleet;
use fleet::Stamp;
use glance::Glance;
use latency::Latency;
pub(crate) use listening::Abandonment;
pub(crate) use news::{News, OverrideEnd, Watch};
pub(crate) use permit::Permit;
use permit::Tally;
use showing::Shown;
pub(crate) use silence::For;
use silence::Silence;
pub(crate) use snapshot::Vitals;
pub use snapshot::{CircuitSnapshot, OverrideSnapshot};
pub use transition::{CircuitClass, CircuitState, Reason, Transition};

use crate::metrics::Metrics;
use crate::sync::{Mutex, MutexGuard};
use crate::time::{Dice, Instant};

#[derive(Debug)]
pub(crate) struct Health {
    circuits: [Mutex<Circuit>; 2],
    /// Of each circuit, what is seen without its lock.
    glances: [Glance; 2],
    /// Held by an operator who speaks to both circuits, one after the other; never taken under a circuit's lock. What he says is told
    /// under it, so that events come in the order of the words.
    hand: Mutex<()>,
    fleet: Arc<Fleet>,
    watch: Arc<dyn Watch>,
    metrics: Arc<Metrics>,
    tally: Tally,
    /// Its place in the fleet.
    index: usize,
    config: Arc<BreakerConfig>,
    latency: Latency,
    /// When a body last brought a byte, and when the region was last too busy.
    delivered: Stamp,
    throttled: Stamp,
    /// Since when somebody has been waiting for headers without a pause, if anybody is.
    busy_since: Stamp,
    /// Wakes those who wait, for headers or for bytes, for a region that has been left alone for that silence.
    abandoned: [Arc<Notify>; 2],
}

#[derive(Debug)]
struct Circuit {
    breaker: Breaker,
    control: Control,
    waiters: VecDeque<oneshot::Sender<Permit>>,
    /// For headers and for bytes.
    silences: [Silence; 2],
    /// The last recovery of the fleet that this circuit has heard of.
    recoveries_seen: u64,
    /// What the fleet was last told of this circuit: in use, and plainly so.
    closed: bool,
    settled: bool,
    unguarded: bool,
    /// Since when it has been in its state.
    since: Instant,
    /// Since when it has not been closed: trials that fail in between change nothing about that.
    ailing_since: Option<Instant>,
    /// What its gauges say, once there are any.
    shown: Option<Shown>,
}

/// What a region that is asked as the last resort answers.
#[derive(Debug)]
pub(crate) enum LastResort {
    Admitted(Permit),
    /// A probe is in flight; whoever waits gets a permit once it is answered, or hears nothing more once it has failed.
    Wait {
        place: oneshot::Receiver<Permit>,
        /// Since when the probe has had no answer.
        silent_since: Instant,
    },
    Refused {
        retry_after: Duration,
    },
    /// An operator has shut it off, and decides when it comes back.
    ShutOff,
}

impl Circuit {
    fn entered(&mut self, state: CircuitState, now: Instant) {
        self.since = now;
        self.ailing_since = (state != CircuitState::Closed).then(|| self.ailing_since.unwrap_or(now));
    }
}

impl Health {
    pub(crate) fn new(
        index: usize,
        config: &Arc<BreakerConfig>,
        fleet: &Arc<Fleet>,
        watch: Arc<dyn Watch>,
        metrics: &Arc<Metrics>,
        dice: &Dice,
        now: Instant,
    ) -> Self {
        let circuit = |class| {
            fleet.on_closed(class);
            Mutex::new(Circuit {
                breaker: Breaker::new(Arc::clone(config), dice.fork(), now),
                control: Control::default(),
                waiters: VecDeque::new(),
                silences: Default::default(),
                recoveries_seen: fleet.recoveries(class),
                closed: true,
                settled: true,
                unguarded: false,
                since: now,
                ailing_since: None,
                shown: None,
            })
        };
        let health = Self {
            circuits: CircuitClass::ALL.map(circuit),
            glances: CircuitClass::ALL.map(|_| Glance::new(now)),
            hand: Mutex::default(),
            fleet: Arc::clone(fleet),
            watch,
            metrics: Arc::clone(metrics),
            tally: Tally::default(),
            index,
            config: Arc::clone(config),
            latency: Latency::new(now),
            delivered: Stamp::new(now),
            throttled: Stamp::new(now),
            busy_since: Stamp::new(now),
            abandoned: Default::default(),
        };
        CircuitClass::ALL.into_iter().for_each(|class| health.with(class, now, |_| ((), None)));
        health
    }

    /// Whether the region may be used, without using it.
    pub(crate) fn standing(&self, class: CircuitClass, now: Instant) -> Standing {
        self.with(class, now, |circuit| match circuit.control.active() {
            Some(Override::Drain) => (Standing::Drained, None),
            Some(Override::ForceOpen) => (Standing::ForcedOpen, None),
            Some(Override::ForceClosed | Override::MetricsOnly) => (Standing::Closed { share: 1.0 }, None),
            None => (circuit.breaker.standing(now), None),
        })
    }

    /// A permit where the circuit is closed or has a slot for a trial.
    pub(crate) fn admit(self: &Arc<Self>, class: CircuitClass, now: Instant) -> Option<Permit> {
        let (ticket, is_unguarded) = self.ticket(class, now)?;
        Some(if is_unguarded { Permit::unguarded(self, class, ticket) } else { Permit::with(self, class, ticket) })
    }

    /// A ticket, where there is leave; `true` where an operator lets everybody in, whether or not the circuit has a ticket.
    fn ticket(&self, class: CircuitClass, now: Instant) -> Option<(Option<Ticket>, bool)> {
        if let Some(ticket) = self.glances[class.index()].admit() {
            return Some((Some(ticket), false));
        }
        self.with(class, now, |circuit| {
            let is_unguarded = circuit.control.admits_all();
            if circuit.control.active().is_some() && !is_unguarded {
                return (None, None);
            }
            let (ticket, change) = circuit.breaker.admit(now);
            ((ticket.is_some() || is_unguarded).then_some((ticket, is_unguarded)), change)
        })
    }

    /// A permit for a request that has no other region left, or a place in the queue for one.
    pub(crate) fn admit_last_resort(self: &Arc<Self>, class: CircuitClass, nothing_else_left: bool, now: Instant) -> LastResort {
        let (sender, place) = oneshot::channel();
        let answer = self.with(class, now, |circuit| {
            if circuit.control.active().is_some() {
                return (None, None);
            }
            let (answer, change) = circuit.breaker.admit_early(now);
            if nothing_else_left && matches!(answer, EarlyAnswer::Admitted(_)) {
                self.fleet.on_probed_early(now);
            }
            if matches!(answer, EarlyAnswer::InFlight { .. }) {
                circuit.waiters.push_back(sender);
            }
            (Some(answer), change)
        });
        match answer {
            Some(EarlyAnswer::Admitted(ticket)) => LastResort::Admitted(Permit::new(self, class, ticket)),
            Some(EarlyAnswer::InFlight { since }) => LastResort::Wait { place, silent_since: since },
            Some(EarlyAnswer::Refused { retry_after }) => LastResort::Refused { retry_after },
            // An operator's word: either nobody is let in, or everybody.
            None => self.admit(class, now).map_or(LastResort::ShutOff, LastResort::Admitted),
        }
    }

    /// A permit that admits whatever the circuit says and brings no verdict: for a search that may ask everyone.
    pub(crate) fn admit_unjudged(self: &Arc<Self>, class: CircuitClass) -> Permit {
        Permit::unjudged(self, class)
    }

    /// Runs `act` under the lock, keeps the fleet's counts and the gauges true, and tells of a transition once the lock is released.
    fn with<T>(&self, class: CircuitClass, now: Instant, act: impl FnOnce(&mut Circuit) -> (T, Option<Transition>)) -> T {
        let (mut circuit, glance) = (self.circuits[class.index()].lock(), &self.glances[class.index()]);
        circuit.breaker.count_successes(glance.fetch());
        let ended = circuit.heed_time(now);
        let heard = self.hear_of_recovery(&mut circuit, class, now);
        let (result, change) = act(&mut circuit);
        self.count(&mut circuit, class, now);
        if change.is_some() {
            circuit.silences.iter_mut().for_each(Silence::clear);
        }
        if let Some(last) = change.or(heard) {
            circuit.entered(last.to, now);
        }
        glance.write(&circuit.breaker, circuit.settled);
        self.show(&mut circuit, class);
        drop(circuit);
        for change in heard.into_iter().chain(change) {
            let step = (change.from.index(), change.to.index());
            self.metrics.on_transition(self.index, class.index(), step, change.is_early_probing());
            self.watch.on_news(self.index, News::Circuit(class, change));
        }
        ended.into_iter().for_each(|ended| self.on_expired(ended, class, now));
        result
    }

    fn hear_of_recovery(&self, circuit: &mut Circuit, class: CircuitClass, now: Instant) -> Option<Transition> {
        let recoveries = self.fleet.recoveries(class);
        let news = recoveries != circuit.recoveries_seen;
        circuit.recoveries_seen = recoveries;
        if news { circuit.breaker.on_peer_recovered(now) } else { None }
    }

    fn count(&self, circuit: &mut MutexGuard<'_, Circuit>, class: CircuitClass, now: Instant) {
        let (free, unguarded) = (circuit.control.active().is_none(), circuit.control.admits_all());
        let closed = unguarded || (free && circuit.breaker.state() == CircuitState::Closed);
        match (circuit.closed, closed) {
            (false, true) => {
                self.fleet.on_closed(class);
                circuit.recoveries_seen = self.fleet.recoveries(class);
            }
            (true, false) => self.fleet.on_left_closed(class),
            _ => {}
        }
        if circuit.closed != closed && class == CircuitClass::Read {
            self.fleet.set_in_use(self.index, closed);
        }
        circuit.closed = closed;
        let calm = free && circuit.breaker.standing(now) == Standing::Closed { share: 1.0 };
        match (circuit.settled, calm) {
            (true, false) => self.fleet.on_unsettled(class),
            (false, true) => self.fleet.on_settled(class),
            _ => {}
        }
        circuit.settled = calm;
        if circuit.unguarded != unguarded {
            self.fleet.on_unguarded(class, unguarded);
        }
        circuit.unguarded = unguarded;
    }
}
