//! Operator overrides: exclude a region, keep it in use, or only observe its circuits. Each region
//! has at most one override; a new one replaces it.
//!
//! Each change is an event, a log line and a gauge. An expired override ends at the first request
//! or snapshot after its time; there is no background task.

use std::time::Duration;

use super::FailoverStore;
use crate::health::Override;
use crate::region::RegionState;
use crate::runtime::clock;

/// No region has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no region is named \"{0}\"")]
pub struct UnknownRegion(pub String);

impl FailoverStore {
    /// Sends no new requests to a region, until [`undrain`](Self::undrain). Bodies in flight
    /// continue. It is still asked for keys that all other regions lack.
    ///
    /// If home is drained, writes that belong there fail, and so do reads under
    /// `reads.home_prefixes`. Deletes and aborts of uploads have no circuit and are still sent.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] if no region has this name.
    pub fn drain(&self, region: &str) -> Result<(), UnknownRegion> {
        self.set_override(region, Override::Drain, None)
    }

    /// Ends [`drain`](Self::drain) and [`force_open`](Self::force_open): the circuits decide again.
    /// No effect if neither is set.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] if no region has this name.
    pub fn undrain(&self, region: &str) -> Result<(), UnknownRegion> {
        self.find(region)?
            .health
            .end_override(&[Override::Drain, Override::ForceOpen], clock::now());
        Ok(())
    }

    /// Excludes a region completely, for this time or until [`undrain`](Self::undrain) (`None`): it
    /// is not asked as a last resort either, nor for keys that all others lack. If it is home,
    /// writes that belong there fail, and so do reads under `reads.home_prefixes`.
    ///
    /// Deletes and aborts of uploads have no circuit and are still sent. To prevent them remove the
    /// region from the configuration, or its permission to delete.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] if no region has this name.
    pub fn force_open(
        &self,
        region: &str,
        duration: Option<Duration>,
    ) -> Result<(), UnknownRegion> {
        self.set_override(region, Override::ForceOpen, duration)
    }

    /// Keeps a region in use, for this time or until [`reset`](Self::reset) (`None`): its circuits
    /// close at once and stay closed. They continue to count failures: after the override the next
    /// failure may open them.
    ///
    /// While the region fails, each request that starts there costs a failed attempt, or one
    /// attempt limit if it hangs.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] if no region has this name.
    pub fn force_closed(
        &self,
        region: &str,
        duration: Option<Duration>,
    ) -> Result<(), UnknownRegion> {
        self.set_override(region, Override::ForceClosed, duration)
    }

    /// Only observes a region, for this time or until [`reset`](Self::reset) (`None`): its circuits
    /// open and close as usual in metrics, events and [`health`](Self::health), but the region is
    /// used whatever their state. For evaluating settings with production traffic.
    ///
    /// While the region fails, the cost is that of [`force_closed`](Self::force_closed).
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] if no region has this name.
    pub fn metrics_only(
        &self,
        region: &str,
        duration: Option<Duration>,
    ) -> Result<(), UnknownRegion> {
        self.set_override(region, Override::MetricsOnly, duration)
    }

    /// Resets a region's circuits to their initial state: closed, with zero counts and the first
    /// open time. Ends its override. A region that was excluded ramps up to its share
    /// (`breaker.ramp`); one that still fails costs `breaker.failure_threshold` failed attempts
    /// until its circuit opens again.
    ///
    /// # Errors
    ///
    /// [`UnknownRegion`] if no region has this name.
    pub fn reset(&self, region: &str) -> Result<(), UnknownRegion> {
        self.find(region)?.health.reset(clock::now());
        Ok(())
    }

    fn set_override(
        &self,
        region: &str,
        kind: Override,
        duration: Option<Duration>,
    ) -> Result<(), UnknownRegion> {
        self.find(region)?
            .health
            .set_override(kind, duration, clock::now());
        Ok(())
    }

    fn find(&self, name: &str) -> Result<&RegionState, UnknownRegion> {
        let index = self
            .engine
            .regions
            .find(name)
            .ok_or_else(|| UnknownRegion(name.to_owned()))?;
        Ok(self.engine.regions.get(index))
    }
}
