//! Calls that wait for a last-resort trial in flight: each is admitted or rejected.

use std::sync::Arc;

use tokio::sync::oneshot::Receiver;
use tokio::sync::oneshot::error::TryRecvError;

use super::{LastResort, Model, Permit, RealMutex, explore, half_opens_at_once, join};

type Waiters = Arc<RealMutex<Vec<Receiver<Permit>>>>;

/// Other calls start to wait while the trial ends, in each way it can end.
pub fn every_waiter_is_resolved() {
    for end in TrialEnd::ALL {
        explore(2, move || {
            let (model, waiters) = open_circuit();
            let (trial, thread_waiters) = (model.trial(), Arc::clone(&waiters));
            let ends = model.spawn(move |model| end.apply(trial, &model));
            let waits = model.spawn(move |model| model.ask(&thread_waiters));
            model.ask(&waiters);
            join([ends, waits]);
            model.resolve_all(&waiters);
            model.check();
        });
    }
}

/// A waiter cancels while it is handed its permit.
pub fn cancelled_waiter_is_skipped() {
    for end in TrialEnd::ALL {
        explore(2, move || {
            let (model, waiters) = open_circuit();
            let trial = model.trial();
            model.ask(&waiters);
            let cancelled = waiters.lock().pop();
            model.ask(&waiters);
            let ends = model.spawn(move |model| end.apply(trial, &model));
            model.loom_step();
            drop(cancelled);
            model.ask(&waiters);
            join([ends]);
            model.resolve_all(&waiters);
            model.check();
        });
    }
}

/// A cancelled trial is handed to a waiter, which cancels it too.
pub fn dropped_trial_is_handed_over() {
    explore(3, || {
        let (model, waiters) = open_circuit();
        let trial = model.trial();
        (0..2).for_each(|_| model.ask(&waiters));
        let first = waiters.lock().remove(0);
        let cancels = model.spawn(move |_| drop(trial));
        let successor = model.spawn(move |model| {
            let mut waiter = first;
            model.loom_step();
            drop(waiter.try_recv());
            model.loom_step();
        });
        join([cancels, successor]);
        model.resolve_all(&waiters);
        model.check();
    });
}

/// How a trial ends.
#[derive(Clone, Copy)]
enum TrialEnd {
    /// Headers first, then a success.
    Response,
    Success,
    Failure,
    Cancel,
}

impl TrialEnd {
    const ALL: [Self; 4] = [Self::Response, Self::Success, Self::Failure, Self::Cancel];

    fn apply(self, mut trial: Permit, model: &Model) {
        match self {
            Self::Response => {
                trial.on_response(model.now);
                model.succeed(trial);
            }
            Self::Success => model.succeed(trial),
            Self::Failure => model.fail(trial),
            Self::Cancel => drop(trial),
        }
    }
}

/// A region whose circuit is open, with a trial due.
fn open_circuit() -> (Model, Waiters) {
    let model = Model::new(1, half_opens_at_once());
    model.fail_once(0);
    (model, Waiters::default())
}

impl Model {
    fn trial(&self) -> Permit {
        match self.last_resort(0) {
            LastResort::Admitted(permit) => self.send(permit),
            other => panic!("{other:?}"),
        }
    }

    /// Asks the region as the last resort. An admitted attempt fails, a waiter is added to
    /// `waiters`.
    fn ask(&self, waiters: &Waiters) {
        match self.last_resort(0) {
            LastResort::Admitted(permit) => self.fail(self.send(permit)),
            LastResort::Wait { permit, .. } => waiters.lock().push(permit),
            LastResort::Refused { .. } | LastResort::ForcedOpen => {}
        }
    }

    /// A point at which loom may run another thread. A waiter's channel is tokio's, which loom does
    /// not instrument.
    fn loom_step(&self) {
        let _ = self.state(0);
    }

    /// All threads have ended: every waiter has been resolved, or is once an admitted one succeeds.
    fn resolve_all(&self, waiters: &Waiters) {
        let mut waiting = std::mem::take(&mut *waiters.lock());
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain_mut(|waiter| match waiter.try_recv() {
                Ok(permit) => {
                    self.succeed(self.send(permit));
                    false
                }
                Err(TryRecvError::Closed) => false,
                Err(TryRecvError::Empty) => true,
            });
            assert!(
                waiting.len() < before,
                "{before} waiters that no permit will resolve"
            );
        }
    }
}
