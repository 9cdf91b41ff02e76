//! The canary object, and its read from one region.
//!
//! Its body is one line: the milliseconds since 1970-01-01 UTC by the clock of the writer, in
//! decimal digits. Readers compare these numbers with each other, never with their own clock.

use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error, GetOptions, GetResult, PutPayload};

use crate::error::FailoverError;
use crate::error::Failure;
use crate::failover::{Engine, StartAt};
use crate::region::RegionSet;
use crate::request::{Get, Probe, Scope};
use crate::runtime::clock;
use crate::stream::body::ResumableBody;

/// When the canary was written, by its writer's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CanaryTimestamp(pub(crate) u64);

impl CanaryTimestamp {
    pub(crate) fn payload(self) -> PutPayload {
        format!("{}\n", self.0).into()
    }

    fn parse(body: &[u8]) -> Option<Self> {
        std::str::from_utf8(body)
            .ok()?
            .trim()
            .parse()
            .map(Self)
            .ok()
    }
}

/// The result of one probe.
#[derive(Debug)]
pub(super) enum ProbeResult {
    CanaryTimestamp(CanaryTimestamp),
    /// The object contains no timestamp.
    NoTimestamp,
    /// The region responds, and has no canary.
    Missing,
    /// No response, an interrupted one, or a rejection. Its circuit has recorded it.
    Failed(Failure),
    /// The circuit is open, or an override excludes the region: nothing was sent.
    NotAdmitted,
}

/// Reads the canary of one region to its end.
///
/// # Cancel safety
///
/// Dropped at any await point, it frees its permit like any other call.
pub(super) async fn probe_region(engine: Arc<Engine>, key: Path, region: usize) -> ProbeResult {
    let options = GetOptions::default();
    let scope = Scope {
        allowed: RegionSet::one(region),
        first: Some(region),
        home: None,
        avoided: RegionSet::default(),
        deadline: None,
        is_pinned: true,
    };
    let request = Probe(Get {
        path: &key,
        options: &options,
        scope,
        version: None,
    });
    // Publishes the gauges also in a service without requests.
    engine.resolve_metrics();
    let body = match engine
        .execute(&request, StartAt::Rotation, clock::now())
        .await
    {
        // Does not resume in another region: the probe is about this one.
        Ok(served) => read(ResumableBody::wrap(&engine, &request.0, served, false)).await,
        Err(error) => Err(error),
    };
    match body {
        Ok(Some(stamp)) => ProbeResult::CanaryTimestamp(stamp),
        Ok(None) => ProbeResult::NoTimestamp,
        Err(error)
            if matches!(
                FailoverError::find(&error),
                Some(FailoverError::CircuitsOpen { .. })
            ) =>
        {
            ProbeResult::NotAdmitted
        }
        Err(error) => match Failure::of(&error) {
            failure if failure.is_missing() => ProbeResult::Missing,
            failure => ProbeResult::Failed(failure),
        },
    }
}

async fn read(response: GetResult) -> Result<Option<CanaryTimestamp>, Error> {
    if response.meta.size > MAX_CANARY_BYTES {
        return Ok(None);
    }
    Ok(CanaryTimestamp::parse(&response.bytes().await?))
}

/// A larger object under the key is not downloaded.
const MAX_CANARY_BYTES: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamp_is_one_line_of_digits() {
        assert_eq!(
            Vec::from(bytes::Bytes::from(
                CanaryTimestamp(1_763_733_060_123).payload()
            )),
            b"1763733060123\n"
        );
        assert_eq!(
            CanaryTimestamp::parse(b"1763733060123\n"),
            Some(CanaryTimestamp(1_763_733_060_123))
        );
        for invalid in [
            &b""[..],
            b"ok",
            b"-1",
            b"1.5",
            b"99999999999999999999999",
            b"1 2",
            &[0xff],
        ] {
            assert_eq!(CanaryTimestamp::parse(invalid), None, "{invalid:?}");
        }
    }
}
