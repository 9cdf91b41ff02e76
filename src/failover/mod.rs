//! THE loop: every branch of failover, and nothing else.
//!
//! It starts what the [`Call`] says is due, waits for whatever happens first, and lets the call judge it. The call knows what has
//! happened so far and decides; the race only flies. Reads, writes, resumes of broken bodies and listings all come through here.

pub(crate) mod budget;
mod call;
mod classify;
mod codes;
pub(crate) mod config;
mod flight;
pub(crate) mod hedge;
mod outcome;
mod overtaken;
mod race;
pub(crate) mod scope;
mod slow;
mod told;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use object_store::Result;
use object_store::path::Path;

use crate::event::Events;
use crate::health::Permit;
use crate::limits::CallLimits;
use crate::metrics::Metrics;
use crate::plan::{Order, Rotation};
use crate::region::Regions;
use crate::request::Request;
use crate::time::{Dice, Instant, sleep_until};
use budget::Budget;
use call::Call;
use config::{HomeOut, NotFoundPolicy, RetryConfig};
use hedge::Hedging;
use race::{Landing, Race};
use scope::WriteRule;
pub(crate) use told::{answer, settled, take_down};

/// What every call needs of the store.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) regions: Regions,
    pub(crate) rotation: Rotation,
    pub(crate) limits: CallLimits,
    pub(crate) retry: RetryConfig,
    pub(crate) budget: Budget,
    pub(crate) hedging: Hedging,
    pub(crate) not_found: NotFoundPolicy,
    pub(crate) home: Option<usize>,
    pub(crate) write_rule: WriteRule,
    pub(crate) home_prefixes: Vec<Path>,
    pub(crate) home_out: HomeOut,
    /// The region whose 404 is final: home, where writes go only there or nowhere through us.
    pub(crate) authority: Option<usize>,
    /// How long a call waits for somebody else's early probe.
    pub(crate) patience: Duration,
    /// Every region has circuits that may open, as far as the settings go.
    pub(crate) have_circuits: bool,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) events: Events,
    pub(crate) dice: Dice,
}

/// Where a call begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Route<'a> {
    /// Where the rotation says.
    Rotation,
    /// In this order, like the other parts of the same answer.
    Ordered(Order),
    /// After the region that broke last; those that broke come last themselves, the longest ago first.
    After(&'a [usize]),
}

/// An answer, and who gave it. The permit is still to be brought back: the answer may have a body.
#[derive(Debug)]
pub(crate) struct Served<A> {
    pub(crate) answer: A,
    pub(crate) region: usize,
    pub(crate) permit: Permit,
    /// Attempts that were sent, this one included.
    pub(crate) attempts: u32,
    /// It overtook an attempt that began earlier.
    pub(crate) hedged: bool,
    /// When it came.
    pub(crate) at: Instant,
}

/// Runs one call over the regions until one serves it or all have been tried. Its time runs from `began`.
///
/// # Cancel safety
///
/// Dropped at any await, it frees every permit it holds.
pub(crate) async fn run<R: Request>(core: &Core, request: &R, route: Route<'_>, began: Instant) -> Result<Served<R::Answer>> {
    let mut call = Call::new(core, request, route, began);
    let mut race = Race::new(began);
    let mut timer = pin!(None);
    loop {
        call.start_due(&mut race);
        if race.is_empty() {
            if call.is_overdue() {
                return Err(call.into_deadline_error(&race));
            }
            let Some(pause_ends) = call.next_round() else { return Err(call.into_error()) };
            timer.set(Some(sleep_until(pause_ends)));
            if let Some(pause) = timer.as_mut().as_pin_mut() {
                pause.await;
            }
            call.awoke();
            call.begin_round();
            continue;
        }
        let mut landing = race.next(timer.as_mut(), call.deadline()).await;
        call.awoke();
        landing.check(request);
        match landing {
            Landing::Landed(attempt, Ok(answer)) => return Ok(call.on_served(attempt, answer, &mut race)),
            Landing::Landed(attempt, Err(error)) => {
                if let Some(error) = call.on_error(attempt, error) {
                    return Err(error);
                }
            }
            Landing::TimedOut(attempt) => {
                if let Some(error) = call.on_timeout(attempt) {
                    return Err(error);
                }
            }
            Landing::Impatient(region) => call.on_impatient(region, &mut race),
            Landing::StillWaiting(region) => call.on_still_waiting(region, &mut race),
            Landing::Abandoned(region) => call.on_abandoned(region, &mut race),
            Landing::Granted(region, permit) => call.on_granted(region, permit, &mut race),
            Landing::Paced(region, slot) => call.on_paced(region, slot, &mut race),
            Landing::SentAway(region) => call.on_sent_away(region),
            Landing::DeadlineOver => return Err(call.into_deadline_error(&race)),
        }
    }
}
