//! One request on its way to a region and back: told to the ledger when it begins and when it ends, also where its caller drops it.

use std::sync::Arc;

use object_store::Result;
use parking_lot::Mutex;

use super::fault::Fault;
use super::ledger::Ending;
use super::truth::Ms;
use super::wire::Wire;
use super::world::{World, Write};
use crate::health::CircuitClass;

tokio::task_local! {
    /// The number of the operation that is being polled.
    pub(super) static CALL: u64;
}

/// An attempt whose answer is awaited, or whose body is read.
#[derive(Debug)]
pub(super) struct InTheAir {
    pub(super) world: Arc<World>,
    pub(super) region: usize,
    pub(super) wire: Wire,
    pub(super) fault: Option<Fault>,
    /// When its answer comes, where nothing befalls it.
    pub(super) answers_at: Ms,
    id: u64,
    arrived: Ms,
}

impl InTheAir {
    pub(super) fn begin(world: &Arc<World>, region: usize, class: Option<CircuitClass>, what: &str) -> Self {
        let (now, mut state) = (world.now(), world.state());
        let call = CALL.try_with(|call| *call).unwrap_or_default();
        let id = state.ledger.begin(call, region, class, what, now);
        let fault = state.fault(region, now);
        let site = &mut state.sites[region];
        let slower = if let Some(Fault::Slow(factor)) = fault { Ms::from(factor) } else { 1 };
        let takes = site.latency.draw(&mut site.dice) * slower;
        drop(state);
        Self { world: Arc::clone(world), region, wire: Wire::open(), fault, answers_at: now + takes, id, arrived: now }
    }

    /// The write arrives at its region, where it does, and takes effect there.
    pub(super) fn arrive(&self, write: Write) -> Option<Arc<Mutex<Option<Result<u64>>>>> {
        let mut state = self.world.state();
        let arrives = match self.fault {
            Some(
                Fault::Refuse | Fault::Throttle(..) | Fault::BadContentRange | Fault::Answer(403 | 404, _) | Fault::Answer(_, "SlowDown"),
            ) => false,
            Some(Fault::Swallow | Fault::Reset | Fault::Answer(..)) => state.sites[self.region].dice.chance(0.5),
            _ => true,
        };
        let at = self.arrived + (self.answers_at - self.arrived).div_ceil(2);
        arrives.then(|| state.arrive(at, self.region, write))
    }

    /// The head of its answer.
    pub(super) fn answer(&mut self, status: u16, code: Option<&str>, ending: Ending) {
        self.wire.answered(status, code, ending == Ending::Deleted, None);
        self.end(ending);
    }

    pub(super) fn end(&mut self, ending: Ending) {
        self.world.state().ledger.end(self.id, ending, self.world.now());
    }

    /// Something about its body.
    pub(super) fn note(&self, what: &str) {
        let (now, id, region) = (self.world.now(), self.id, self.region);
        self.world.state().ledger.trace.note(now, format_args!("attempt {id} at region {region}: {what}"));
    }
}

impl Drop for InTheAir {
    fn drop(&mut self) {
        self.end(Ending::Dropped);
    }
}

impl Ending {
    pub(super) fn of_refusal(fault: Option<Fault>) -> Self {
        match fault {
            Some(Fault::Throttle(..) | Fault::Answer(_, "SlowDown")) => Self::Throttled,
            Some(Fault::Answer(404, _)) => Self::NoBucket,
            _ => Self::Failed,
        }
    }
}
