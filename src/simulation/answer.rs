//! What a region answers to a get or head: from what it shows at that moment.

use std::ops::Range;

use bytes::Bytes;
use chrono::DateTime;
use object_store::path::Path;
use object_store::{Error, GetOptions, ObjectMeta};

use super::fault::Fault;
use super::ledger::Ending;
use super::region::SimulatedRegion;
use super::truth::Version;
use super::wire;
use super::world::State;

/// A success.
pub(super) struct Serving {
    pub(super) meta: ObjectMeta,
    pub(super) range: Range<u64>,
    pub(super) bytes: Bytes,
}

impl Serving {
    pub(super) fn decide(
        region: &SimulatedRegion,
        path: &Path,
        options: &GetOptions,
        fault: Option<Fault>,
    ) -> Result<Self, (Error, Ending)> {
        let (now, state) = (region.world.now(), region.world.state());
        let found = state.truth.shown(path.as_ref(), region.index, now);
        let Some((version, whole)) = found.and_then(|version| Some((version, version.content.clone()?))) else {
            let deleted = found.is_some() && state.sites[region.index].has_markers;
            return Err((wire::missing(path), if deleted { Ending::Deleted } else { Ending::Missing }));
        };
        let mut meta = meta(&state, region.index, path, version);
        let tag = meta.e_tag.clone().unwrap_or_default();
        // A weak tag never matches `If-Match`.
        let differs = options.if_match.as_ref().is_some_and(|wanted| *wanted != tag || tag.starts_with("W/"));
        if differs && fault != Some(Fault::IgnoreMatch) {
            return Err((wire::precondition(path), Ending::Missing));
        }
        if options.if_none_match.as_ref() == Some(&tag) {
            return Err((wire::answer(304, "", path), Ending::Served));
        }
        let mut range = match &options.range {
            None => 0..meta.size,
            Some(wanted) => wanted.as_range(meta.size).map_err(|_| (wire::unsatisfiable(path, wanted), Ending::Served))?,
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

/// The metadata of a version, as the region has it.
pub(super) fn meta(state: &State, region: usize, path: &Path, version: &Version) -> ObjectMeta {
    let (seconds, e_tag) = (FIRST_SECOND + (version.at / 1000) as i64, state.tag(version, region));
    ObjectMeta {
        location: path.clone(),
        last_modified: DateTime::from_timestamp(seconds, 0).unwrap_or_default(),
        size: version.content.as_ref().map_or(0, |content| content.len() as u64),
        e_tag: Some(e_tag),
        version: None,
    }
}

/// The calendar of a simulation begins here: some day in 2026.
const FIRST_SECOND: i64 = 1_780_000_000;
