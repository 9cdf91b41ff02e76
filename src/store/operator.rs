//! The operator's hand: takes a region out, brings it back, or looks on. One word at a time is in force on a region: the last one.
//!
//! Each word is an event, a line in the log and a gauge. Those that end by themselves are over at the first request or look after their
//! time; nothing runs in the background.

use std::time::Duration;

use super::FailoverStore;
use crate::health::Override;
use crate::region::RegionState;
use crate::time;

/// No region has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no region is named \"{0}\"")]
pub struct UnknownRegion(pub String);

impl FailoverStore {
    /// Sends no new requests to a region; bodies in flight go on. It is still asked for keys that all others lack. Until it is undone.
    ///
    /// Where home is drained, writes that belong there fail, and reads of `reads.home_prefixes`. Deletes and aborts of uploads have no
    /// circuit, and go there all the same.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn drain(&self, region: &str) -> Result<(), UnknownRegion> {
        self.say(region, Override::Drain, None)
    }

    /// Undoes [`drain`](Self::drain) and [`force_open`](Self::force_open): the circuits decide again. Where neither is in force
    /// nothing happens.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn undrain(&self, region: &str) -> Result<(), UnknownRegion> {
        self.find(region)?.health.end_override(&[Override::Drain, Override::ForceOpen], time::now());
        Ok(())
    }

    /// Shuts a region off, for this time or until it is undone (`None`): it is not even asked when nothing else is left, nor for keys
    /// that all others lack. Where it is home, writes that belong there fail, and reads of `reads.home_prefixes`.
    ///
    /// Deletes and aborts of uploads have no circuit, and go there all the same: who must keep them away takes the region out of the
    /// document, or their right away.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn force_open(&self, region: &str, lasts: Option<Duration>) -> Result<(), UnknownRegion> {
        self.say(region, Override::ForceOpen, lasts)
    }

    /// Keeps a region in use, for this time or until it is [`reset`](Self::reset) (`None`): its circuits are closed at once, and stay
    /// closed. They go on counting: once it ends, the next failure may open them.
    ///
    /// While the region is sick each request that starts there costs a failed attempt, or a whole attempt limit if it hangs.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn force_closed(&self, region: &str, lasts: Option<Duration>) -> Result<(), UnknownRegion> {
        self.say(region, Override::ForceClosed, lasts)
    }

    /// Looks on, for this time or until it is [`reset`](Self::reset) (`None`): the circuits count, open and close as ever, in metrics,
    /// events and [`health`](Self::health), but the region is used whatever they say. For trying out settings on real traffic.
    ///
    /// While the region is sick it costs what [`force_closed`](Self::force_closed) costs.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn metrics_only(&self, region: &str, lasts: Option<Duration>) -> Result<(), UnknownRegion> {
        self.say(region, Override::MetricsOnly, lasts)
    }

    /// Makes a region's circuits forget: they are closed, their counts are zero, the first open time is the first again, and whatever
    /// an operator has said is over. A region that was left alone climbs back to its share (`breaker.ramp`); one that is still sick
    /// costs `breaker.failure_threshold` failed attempts until it is left alone again.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] where no region has this name.
    pub fn reset(&self, region: &str) -> Result<(), UnknownRegion> {
        self.find(region)?.health.reset(time::now());
        Ok(())
    }

    fn say(&self, region: &str, what: Override, lasts: Option<Duration>) -> Result<(), UnknownRegion> {
        self.find(region)?.health.set_override(what, lasts, time::now());
        Ok(())
    }

    fn find(&self, name: &str) -> Result<&RegionState, UnknownRegion> {
        let index = self.core.regions.find(name).ok_or_else(|| UnknownRegion(name.to_owned()))?;
        Ok(self.core.regions.get(index))
    }
}
