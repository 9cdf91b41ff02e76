//! One request to a region, from its arrival to its end. The log learns of both, also if the
//! caller drops it.

use std::sync::Arc;

use object_store::Result;
use object_store_failover::health::CircuitClass;
use parking_lot::Mutex;

use crate::attempt_log::AttemptEnd;
use crate::fault::Fault;
use crate::object_history::Ms;
use crate::wire::SimulatedWire;
use crate::world::{World, Write};

tokio::task_local! {
    /// The number of the operation that is being polled.
    pub(crate) static CALL: u64;
}

/// An attempt that waits for its response, or whose body is read.
#[derive(Debug)]
pub(crate) struct InFlightRequest {
    pub(crate) world: Arc<World>,
    pub(crate) region: usize,
    pub(crate) wire: SimulatedWire,
    pub(crate) fault: Option<Fault>,
    /// When the response arrives, unless a fault prevents it.
    pub(crate) responds_at: Ms,
    id: u64,
    arrived: Ms,
}

impl InFlightRequest {
    pub(crate) fn begin(
        world: &Arc<World>,
        region: usize,
        class: Option<CircuitClass>,
        what: &str,
    ) -> Self {
        let (now, mut state) = (world.now(), world.state());
        let call = CALL.try_with(|call| *call).unwrap_or_default();
        let id = state.log.begin(call, region, class, what, now);
        let fault = state.fault(region, now);
        let slowdown = if let Some(Fault::Slow(factor)) = fault {
            Ms::from(factor)
        } else {
            1
        };
        let model = &mut state.regions[region];
        let latency = model.latency.draw(&mut model.rng) * slowdown;
        drop(state);
        Self {
            world: Arc::clone(world),
            region,
            wire: SimulatedWire::open(),
            fault,
            responds_at: now + latency,
            id,
            arrived: now,
        }
    }

    /// The write reaches its region, unless the fault prevents it: it takes effect halfway to the
    /// response. Returns where its result will be.
    pub(crate) fn arrive(&self, write: Write) -> Option<Arc<Mutex<Option<Result<u64>>>>> {
        let mut state = self.world.state();
        let arrives = match self.fault {
            Some(
                Fault::Refuse
                | Fault::Throttle(..)
                | Fault::BadContentRange
                | Fault::Respond(403 | 404, _)
                | Fault::Respond(_, "SlowDown"),
            ) => false,
            // The outcome is unknown to the caller: half of these writes take effect.
            Some(Fault::Swallow | Fault::Reset | Fault::Respond(..)) => {
                state.regions[self.region].rng.chance(0.5)
            }
            _ => true,
        };
        let at = self.arrived + (self.responds_at - self.arrived).div_ceil(2);
        arrives.then(|| state.arrive(at, self.region, write))
    }

    /// The response headers.
    pub(crate) fn respond(&mut self, status: u16, code: Option<&str>, end: AttemptEnd) {
        self.wire
            .on_response(status, code, end == AttemptEnd::Deleted, None);
        self.end(end);
    }

    pub(crate) fn end(&mut self, end: AttemptEnd) {
        self.world.state().log.end(self.id, end, self.world.now());
    }

    /// Adds a line about the body to the trace.
    pub(crate) fn record(&self, what: &str) {
        let (now, id, region) = (self.world.now(), self.id, self.region);
        self.world
            .state()
            .log
            .trace
            .record(now, format_args!("attempt {id} at region {region}: {what}"));
    }
}

impl Drop for InFlightRequest {
    fn drop(&mut self) {
        self.end(AttemptEnd::Dropped);
    }
}

impl AttemptEnd {
    pub(crate) fn of_rejection(fault: Option<Fault>) -> Self {
        match fault {
            Some(Fault::Throttle(..) | Fault::Respond(_, "SlowDown")) => Self::Throttled,
            Some(Fault::Respond(404, _)) => Self::NoBucket,
            _ => Self::Failed,
        }
    }
}
