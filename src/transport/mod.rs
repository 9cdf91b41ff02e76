//! What happens on the wire of stores that the crate builds.
//!
//! object_store hides the status of a failed request behind private types. A store built from a
//! document has a connector of this crate (`connector.rs`) below it. The connector sees every
//! request and response and writes what it sees into the [`WireRecorder`] of the attempt that made
//! the request.

#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod body;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod client;
pub(crate) mod connections;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
pub(crate) mod connector;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
pub(crate) mod credentials;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod list_page;
mod recorder;
#[cfg(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http"))]
mod retry_after;
#[cfg(all(test, feature = "aws"))]
mod tests;

#[cfg(any(
    feature = "aws",
    feature = "azure",
    feature = "gcp",
    feature = "http",
    feature = "_internals"
))]
pub(crate) use recorder::current;
pub(crate) use recorder::{WireRecorder, watch, watch_some};
