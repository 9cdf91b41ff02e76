//! Responses that survive the failure of their region.
//!
//! A body or listing starts in one region. When that region fails in the middle of the response,
//! the rest comes from another region, and the caller sees one uninterrupted stream:
//!
//! 1. [`ResumableBody`](body::ResumableBody) and [`ResumableListing`](listing::ResumableListing)
//!    are the streams that callers poll. Each is a small state machine: streaming from one region,
//!    opening the next, or done.
//! 2. A [`RegionStream`](region_stream::RegionStream) is the part from one region. It holds the
//!    permit until the verdict is known, and its [`StallGuard`](stall::StallGuard) limits how long
//!    the caller waits for the next item.
//! 3. On an interruption the verdict of the region is recorded and
//!    [`Engine::execute`](crate::failover::Engine::execute) opens the rest in another region. For
//!    bodies an [`ObjectIdentity`](object::ObjectIdentity) makes sure that it is the same object.
//! 4. [`ResumeHistory`](resume::ResumeHistory) decides when to give up.
//!
//! Small bodies that arrive together with their headers need none of this
//! ([`prefetched`]).

pub(crate) mod body;
mod delivered;
pub(crate) mod listing;
pub(crate) mod object;
pub(crate) mod prefetched;
pub(crate) mod region_stream;
pub(crate) mod resume;
pub(crate) mod stall;
