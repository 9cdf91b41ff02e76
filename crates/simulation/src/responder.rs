//! The response of a region to a get or head, from the version that the region shows.

use std::ops::Range;

use bytes::Bytes;
use chrono::DateTime;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectMeta};

use crate::attempt_log::AttemptEnd;
use crate::fault::Fault;
use crate::object_history::Version;
use crate::region::SimulatedRegion;
use crate::wire;
use crate::world::State;

/// A success.
pub(crate) struct ServedObject {
    pub(crate) meta: ObjectMeta,
    pub(crate) range: Range<u64>,
    pub(crate) bytes: Bytes,
}

impl ServedObject {
    pub(crate) fn decide(
        region: &SimulatedRegion,
        path: &Path,
        options: &GetOptions,
        fault: Option<Fault>,
    ) -> Result<Self, (Error, AttemptEnd)> {
        let (now, state) = (region.world.now(), region.world.state());
        let found = state.history.visible(path.as_ref(), region.index, now);
        let Some((version, whole)) =
            found.and_then(|version| Some((version, version.content.clone()?)))
        else {
            let has_marker = found.is_some() && state.regions[region.index].has_delete_markers;
            let end = if has_marker {
                AttemptEnd::Deleted
            } else {
                AttemptEnd::Missing
            };
            return Err((wire::missing(path), end));
        };
        let mut meta = meta(&state, region.index, path, version);
        let tag = meta.e_tag.clone().unwrap_or_default();
        // A weak ETag never matches `If-Match`.
        let differs = options
            .if_match
            .as_ref()
            .is_some_and(|wanted| *wanted != tag || tag.starts_with("W/"));
        // Not a success: the region lacks the requested version, and another may have it.
        if differs && fault != Some(Fault::IgnoreMatch) {
            return Err((wire::precondition(path), AttemptEnd::Missing));
        }
        if options.if_none_match.as_ref() == Some(&tag) {
            return Err((wire::error_response(304, "", path), AttemptEnd::Served));
        }
        let mut range = match &options.range {
            None => 0..meta.size,
            Some(wanted) => wanted
                .as_range(meta.size)
                .map_err(|_| (wire::unsatisfiable(path), AttemptEnd::Served))?,
        };
        if fault == Some(Fault::OtherRange) && !options.head && range.end > range.start + 1 {
            range.start += 1;
        }
        if fault == Some(Fault::OtherSize) && !options.head {
            meta.size += 7;
        }
        let bytes = whole.slice(range.start as usize..range.end as usize);
        Ok(Self { meta, range, bytes })
    }
}

/// The metadata of a version in a region.
pub(crate) fn meta(state: &State, region: usize, path: &Path, version: &Version) -> ObjectMeta {
    let seconds = UNIX_START + (version.at / 1000) as i64;
    ObjectMeta {
        location: path.clone(),
        last_modified: DateTime::from_timestamp(seconds, 0).unwrap_or_default(),
        size: version
            .content
            .as_ref()
            .map_or(0, |content| content.len() as u64),
        e_tag: Some(state.tag(version, region)),
        version: None,
    }
}

/// The wall-clock time at the begin of a run, in seconds since 1970.
const UNIX_START: i64 = 1_780_000_000;
