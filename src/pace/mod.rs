//! Pace: how much one region is asked for, per second and at a time. It knows nothing of HTTP.
//!
//! Two limits on rates, one for reads and one for writes, because providers have two; and one on what is under way, because that is
//! one pool of connections. A region that throttles gets less, in the lane whose call it throttled; one that says how long it wants
//! to be left alone (`Retry-After`) is, by both.
//!
//! Asking comes before waiting: [`Pace::try_enter`] answers at once, so that a call can go to another region, and only a call that
//! has no other waits, in [`Pace::enter`]. Whoever asks may overtake those who wait.
//!
//! A call takes a place among those under way first and its turn in the lane second, and holds neither while it waits for the other:
//! a turn without a place would be lost, and a place without a turn keeps a writer's delay from becoming a reader's.
//!
//! Where nothing is configured there is no limit, and a call costs one branch. A region's wish to be left alone is remembered all the
//! same, for those who choose between regions ([`Pace::held_until`]); nobody waits for it.

pub(crate) mod config;
mod hold;
mod lane;
mod line;
mod tempo;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::config::ThrottleConfig;
use self::hold::Hold;
use self::lane::Lane;
use self::tempo::STEP_TIME;
use crate::time::{self, Instant};

/// The pace of one region.
#[derive(Debug)]
pub(crate) struct Pace {
    hold: Hold,
    limits: Option<Limits>,
}

#[derive(Debug)]
struct Limits {
    lanes: [Lane; 2],
    places: Option<Arc<Semaphore>>,
    adaptive: bool,
}

/// Which of a region's two lanes a call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Read,
    Write,
}

/// What a region's pace answers to a call.
#[derive(Debug)]
#[must_use = "who may go has taken a place"]
pub(crate) enum Entry {
    Go(Slot),
    /// Not before then, and then only if nobody else takes that place.
    #[cfg_attr(not(test), expect(dead_code, reason = "those who wait look again; it is there to be shown"))]
    Full {
        ready_at: Instant,
    },
    /// Too much is under way, and nobody knows when that ends.
    Crowded,
}

/// A place among those under way, free again when it is dropped: to be kept to a body's last byte.
#[derive(Debug)]
#[must_use = "a place that is dropped at once limits nothing"]
pub(crate) struct Slot {
    _place: Option<OwnedSemaphorePermit>,
}

impl Pace {
    /// Without settings nothing is limited.
    pub(crate) fn new(config: Option<&ThrottleConfig>, now: Instant) -> Self {
        Self { hold: Hold::new(now), limits: config.map(|config| Limits::new(config, now)) }
    }

    /// Until when the region has asked to be left alone, limited or not.
    pub(crate) fn held_until(&self, now: Instant) -> Option<Instant> {
        self.hold.until(now)
    }

    /// Places that are taken, where there is a limit on what is under way; `limit` is that limit.
    #[cfg(feature = "simulation")]
    pub(crate) fn places_taken(&self, limit: u32) -> usize {
        let places = self.limits.as_ref().and_then(|limits| limits.places.as_ref());
        places.map_or(0, |places| (limit as usize).min(Semaphore::MAX_PERMITS) - places.available_permits())
    }

    /// Leave to make one call now, if there is room.
    pub(crate) fn try_enter(&self, kind: Kind, now: Instant) -> Entry {
        let Some(limits) = &self.limits else { return Entry::Go(Slot { _place: None }) };
        if let Some(ready_at) = self.hold.until(now) {
            return Entry::Full { ready_at };
        }
        let Some(slot) = limits.try_slot() else { return Entry::Crowded };
        match limits.lane(kind).take(0) {
            Ok(()) => Entry::Go(slot),
            Err(ready_at) => Entry::Full { ready_at },
        }
    }

    /// Leave to make one call, as soon as there is room. Dropped before, it has taken nothing.
    pub(crate) fn enter(self: &Arc<Self>, kind: Kind) -> BoxFuture<'static, Slot> {
        let pace = Arc::clone(self);
        async move {
            match &pace.limits {
                Some(limits) => pace.wait(limits, kind).await,
                None => Slot { _place: None },
            }
        }
        .boxed()
    }

    /// The region throttled a call of this kind, and may have said how long it wants to be left alone.
    pub(crate) fn on_throttle(&self, kind: Kind, now: Instant, retry_after: Option<Duration>) {
        if let Some(limits) = self.limits.as_ref().filter(|limits| limits.adaptive) {
            limits.lane(kind).slow(now);
        }
        retry_after.into_iter().for_each(|asked| self.on_retry_after(now, asked));
    }

    /// The region wants to be left alone for this long, whatever else it said.
    pub(crate) fn on_retry_after(&self, now: Instant, asked: Duration) {
        let until = time::after(now, asked.min(RETRY_AFTER_MAX));
        self.hold.extend(until);
        // Nothing is saved up meanwhile: it would all go at the end.
        for lane in self.limits.iter().flat_map(|limits| &limits.lanes) {
            lane.stop(now, until);
        }
    }

    async fn wait(&self, limits: &Limits, kind: Kind) -> Slot {
        let lane = limits.lane(kind);
        let turn = lane.line.join();
        loop {
            let slot = limits.slot().await;
            let now = time::now();
            let taken = self.hold.until(now).map_or_else(|| lane.take(turn.ahead() / 2), Err);
            let Err(ready_at) = taken else { return slot };
            drop(slot);
            // A step later the pace may have risen.
            time::sleep_until(ready_at.min(now + STEP_TIME)).await;
        }
    }
}

impl Limits {
    fn new(config: &ThrottleConfig, now: Instant) -> Self {
        let places = |limit: u32| Arc::new(Semaphore::new((limit as usize).min(Semaphore::MAX_PERMITS)));
        Self {
            lanes: [config.reads_per_second, config.writes_per_second].map(|per_second| Lane::new(per_second, now)),
            places: config.max_in_flight.map(places),
            adaptive: config.adaptive,
        }
    }

    fn lane(&self, kind: Kind) -> &Lane {
        &self.lanes[kind as usize]
    }

    /// A place, where one is free and nobody waits for it.
    fn try_slot(&self) -> Option<Slot> {
        let place = match &self.places {
            Some(places) => Some(Arc::clone(places).try_acquire_owned().ok()?),
            None => None,
        };
        Some(Slot { _place: place })
    }

    /// A place, in the order in which they were asked for.
    async fn slot(&self) -> Slot {
        let place = match &self.places {
            Some(places) => Some(Arc::clone(places).acquire_owned().await.expect("nobody closes it")),
            None => None,
        };
        Slot { _place: place }
    }
}

/// The longest wish to be left alone that is granted: a third of a call's time, and no word of a server takes a region away for long.
pub(crate) const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);
