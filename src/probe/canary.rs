//! The canary: what stands in it, and what one region says when it is asked for it.
//!
//! Its body is one line: the milliseconds since 1970-01-01 UTC by the writer's clock, in decimal digits. Readers compare these numbers with
//! each other and never with a clock of their own.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error, GetOptions, GetResult, PutPayload};

use crate::body::Body;
use crate::error::FailoverError;
use crate::failover::{Core, Route, run};
use crate::failure::Failure;
use crate::region::RegionSet;
use crate::request::{Get, Probe, Scope};
use crate::time;

/// When the canary was written, by its writer's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stamp(pub(crate) u64);

impl Stamp {
    pub(crate) fn payload(self) -> PutPayload {
        format!("{}\n", self.0).into()
    }

    fn parse(body: &[u8]) -> Option<Self> {
        std::str::from_utf8(body).ok()?.trim().parse().map(Self).ok()
    }
}

/// What a region says.
#[derive(Debug)]
pub(super) enum Seen {
    Stamp(Stamp),
    /// It serves an object that bears no time.
    Unstamped,
    /// It lives, and has no canary.
    Missing,
    /// No answer, half an answer, or a refusal; its circuit has heard of it where it is to blame.
    Failed(Failure),
    /// Its circuit is open, or an operator has taken it out: nothing was sent.
    LeftAlone,
}

/// Asks one region for the canary, and reads it to the end.
///
/// # Cancel safety
///
/// Dropped at any await, it frees its permit; as any caller's that goes away.
pub(super) async fn ask(core: Arc<Core>, key: Path, region: usize) -> Seen {
    let options = GetOptions::default();
    let scope = Scope { allowed: RegionSet::one(region), first: Some(region), deadline: None, is_pinned: true };
    let request = Probe(Get { path: &key, options: &options, scope, version: None });
    // The gauges of a service that nobody asks anything stand as well.
    core.wake_metrics();
    let body = match run(&core, &request, Route::Rotation, time::now()).await {
        // It is whole or nothing: no other region can speak for this one.
        Ok(served) => read(Body::guard(&core, &request.0, served, false)).await,
        Err(error) => Err(error),
    };
    match body {
        Ok(Some(stamp)) => Seen::Stamp(stamp),
        Ok(None) => Seen::Unstamped,
        Err(error) if matches!(FailoverError::find(&error), Some(FailoverError::CircuitsOpen { .. })) => Seen::LeftAlone,
        Err(error) => match Failure::of(&error) {
            failure if failure.is_absence() => Seen::Missing,
            failure => Seen::Failed(failure),
        },
    }
}

async fn read(answer: GetResult) -> Result<Option<Stamp>, Error> {
    if answer.meta.size > LARGEST {
        return Ok(None);
    }
    Ok(Stamp::parse(&answer.bytes().await?))
}

/// Whatever lies there instead of a canary is not downloaded every few seconds.
const LARGEST: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_one_line_of_digits_and_everything_else_is_none() {
        assert_eq!(Vec::from(bytes::Bytes::from(Stamp(1_763_733_060_123).payload())), b"1763733060123\n");
        assert_eq!(Stamp::parse(b"1763733060123\n"), Some(Stamp(1_763_733_060_123)));
        for none in [&b""[..], b"ok", b"-1", b"1.5", b"99999999999999999999999", b"1 2", &[0xff]] {
            assert_eq!(Stamp::parse(none), None, "{none:?}");
        }
    }
}
