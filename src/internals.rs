//! Access to the engine for `object_store_failover_simulation` (feature `_internals`).
//!
//! Not part of the public API: it changes without notice. The simulation requires this crate at
//! exactly its own version.

use std::sync::Arc;
use std::time::Duration;

use object_store::client::HttpErrorKind;

use crate::error::Evidence;
use crate::failover::config::{self, HomeOut, NotFoundPolicy};
use crate::region::Region;
use crate::request;
use crate::store::FailoverStore;
use crate::transport::connections::Connections;
use crate::transport::{WireRecorder, current};
use crate::types::Operation;

/// Where writes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WriteRule {
    /// The store only reads.
    Nowhere,
    /// To home only.
    Home,
    /// To any region; conditional writes to home only.
    Anywhere,
}

/// The policies of a store, as resolved by the builder.
#[derive(Debug, Clone, Copy)]
pub struct Policies {
    /// The index of the home region.
    pub home: Option<usize>,
    /// The index of the region whose 404 alone decides.
    pub authority: Option<usize>,
    /// What makes a 404 final.
    pub not_found: NotFoundPolicy,
    /// Where writes go.
    pub writes: WriteRule,
    /// What a read under `home_prefixes` does while home is excluded.
    pub home_out: HomeOut,
}

/// The resolved policies of `store`.
#[must_use]
pub fn policies(store: &FailoverStore) -> Policies {
    let engine = store.engine();
    Policies {
        home: engine.home,
        authority: engine.authority,
        not_found: engine.not_found,
        writes: match engine.write_rule {
            config::WriteRule::Nowhere => WriteRule::Nowhere,
            config::WriteRule::Home => WriteRule::Home,
            config::WriteRule::Anywhere => WriteRule::Anywhere,
        },
        home_out: engine.home_out,
    }
}

/// The limit of a call that may use `regions` regions.
#[must_use]
pub fn total_timeout(store: &FailoverStore, operation: Operation, regions: usize) -> Duration {
    store.engine().timeouts.total(operation, regions)
}

/// The rounds of a call that may use `regions` regions.
#[must_use]
pub fn rounds(store: &FailoverStore, operation: Operation, regions: usize) -> u32 {
    store.engine().retry.rounds(operation, regions)
}

/// The slots taken under `throttle.max_in_flight` of a region, which is `limit`.
#[must_use]
pub fn slots_taken(store: &FailoverStore, region: usize, limit: u32) -> usize {
    store
        .engine()
        .regions
        .get(region)
        .throttle
        .slots_taken(limit)
}

/// The time that a payload of `bytes` adds to the limits of a write.
#[must_use]
pub fn transfer_time(bytes: usize) -> Duration {
    request::transfer_time(bytes)
}

/// Treats the region's store as one that records its wire, like a store built from a document.
pub fn set_records_wire(region: &mut Region, name: &str) {
    region.connections = Some(Connections::of(name, None));
}

/// The wire recorder of one attempt.
#[derive(Debug, Clone)]
pub struct Recorder(Arc<WireRecorder>);

/// The response of a simulated region on the wire, or the reason why there is none.
#[derive(Debug, Clone, Default)]
pub struct WireResponse {
    /// The status; None without a response.
    pub status: Option<u16>,
    /// The provider's error code.
    pub code: Option<String>,
    /// The 404 has a delete marker.
    pub delete_marker: bool,
    /// The value of `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The transport error; None with a response.
    pub transport: Option<HttpErrorKind>,
}

impl Recorder {
    /// The recorder of the attempt that is being polled; None outside of an attempt that records.
    #[must_use]
    pub fn current() -> Option<Self> {
        current().map(Self)
    }

    /// Records that a request was sent.
    pub fn on_request(&self) {
        self.0.on_simulated_request();
    }

    /// Records the response to it.
    pub fn on_response(&self, response: WireResponse) {
        let WireResponse {
            status,
            code,
            delete_marker,
            retry_after,
            transport,
        } = response;
        self.0.on_simulated_response(Evidence {
            status,
            code,
            delete_marker,
            retry_after,
            transport,
            ..Evidence::default()
        });
    }
}
