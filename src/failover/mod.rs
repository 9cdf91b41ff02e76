//! The engine: one loop that holds every branch of failover.
//!
//! request -> plan -> admit -> attempt -> classify -> record -> next. The [`Call`] knows what has
//! happened so far and decides; the [`Race`] only polls attempts. Reads, writes, resumed bodies and
//! listings all use [`Engine::execute`].

mod attempt;
pub(crate) mod budget;
mod call;
pub(crate) mod config;
mod detached;
mod engine;
pub(crate) mod hedge;
mod outcome;
mod race;
pub(crate) mod scope;
mod slow_regions;
mod telemetry;

use std::pin::pin;

use object_store::Result;

use self::call::Call;
pub(crate) use self::engine::Engine;
use self::race::{Race, RaceEvent};
pub(crate) use self::telemetry::{finish_request, record_failure, request_result};
use crate::health::Permit;
use crate::plan::Order;
use crate::request::Request;
use crate::runtime::clock::Instant;

/// Where a call begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum StartAt<'a> {
    /// At the region whose turn it is.
    Rotation,
    /// In this order, like the other parts of the same response.
    Order(Order),
    /// After the region that failed last. These regions failed in the same response, the longest
    /// ago first; they come after all others.
    AfterFailed(&'a [usize]),
}

/// A response, and the region that sent it.
#[derive(Debug)]
pub(crate) struct Served<A> {
    pub(crate) response: A,
    pub(crate) region: usize,
    /// Still open: the verdict waits for the end of the body.
    pub(crate) permit: Permit,
    /// Attempts that were sent, this one included.
    pub(crate) attempts: u32,
    /// It overtook an attempt that started earlier.
    pub(crate) hedged: bool,
    /// When the response arrived.
    pub(crate) at: Instant,
}

impl Engine {
    /// Runs one call over the regions until one serves it or all have been tried. The deadline
    /// counts from `started_at`.
    ///
    /// # Cancel safety
    ///
    /// Dropped at any await point, it frees every permit that it holds.
    pub(crate) async fn execute<R: Request>(
        &self,
        request: &R,
        start: StartAt<'_>,
        started_at: Instant,
    ) -> Result<Served<R::Response>> {
        let mut call = Call::plan(self, request, start, started_at);
        let mut race = Race::new(started_at);
        let mut timer = pin!(None);
        loop {
            // Next: admits regions and starts attempts until one is worth waiting for.
            call.start_attempts(&mut race);
            if race.is_empty() {
                if call.is_overdue() {
                    return Err(call.into_deadline_error(&race));
                }
                let Some(resume_at) = call.next_round() else {
                    return Err(call.into_error());
                };
                race::sleep_until(timer.as_mut(), resume_at).await;
                call.update_now();
                call.begin_round();
                continue;
            }
            let mut event = race.next(timer.as_mut(), call.deadline()).await;
            call.update_now();
            event.validate(request);
            match event {
                RaceEvent::Completed(attempt, Ok(response)) => {
                    return Ok(call.on_success(attempt, response, &mut race));
                }
                RaceEvent::Completed(attempt, Err(error)) => {
                    let failure = call.classify(&attempt, &error);
                    call.record(attempt, failure, error)?;
                }
                RaceEvent::TimedOut(attempt) => call.record_timeout(attempt)?,
                RaceEvent::Slow(region) => call.on_slow(region, &mut race),
                RaceEvent::WaitTick(region) => call.on_wait_tick(region, &mut race),
                RaceEvent::RegionSilent(region) => call.on_region_silent(region, &mut race),
                RaceEvent::Admitted(region, permit) => call.on_admitted(region, permit, &mut race),
                RaceEvent::Rejected(region) => call.on_rejected(region, &mut race),
                RaceEvent::ThrottleReady(region, permit) => {
                    call.on_throttle_ready(region, permit, &mut race);
                }
                RaceEvent::Late(late) => call.on_late(late),
                RaceEvent::DeadlineExceeded => return Err(call.into_deadline_error(&race)),
            }
        }
    }
}
