//! Where faults are made on our side of the wire: at a TCP proxy before a region that speaks plain `http://`, in the HTTP client for all
//! others.

use std::sync::Arc;
use std::time::Duration;

use object_store_failover::{FailoverConfig, OptionValue, RegionConfig};
use tokio::runtime::Handle;

use super::connector::{Faulty, Tap};
use super::endpoint::Endpoint;
use crate::proxy::{Fault, Proxy};
use crate::scenario::{Act, Spoil};

/// The library's own limit of connecting, where the file names none.
const CONNECT: Duration = Duration::from_secs(2);

/// The line to one region.
pub(super) enum Line {
    Wire(Proxy),
    Client(Arc<Tap>),
}

impl Line {
    /// Lays it: from now on the region of this document is reached through it. A proxy runs on this runtime.
    pub(super) fn lay(region: &mut RegionConfig, endpoint: Option<&Endpoint>, connect: Option<Duration>, runtime: &Handle) -> Self {
        if let Some(endpoint) = endpoint {
            let _there = runtime.enter();
            let proxy = Proxy::start(endpoint.address);
            region.options.insert(endpoint.option.clone(), OptionValue::Text(endpoint.at(proxy.address())));
            return Self::Wire(proxy);
        }
        let tap = Arc::new(Tap::new(region.timeouts.connect.or(connect).unwrap_or(CONNECT)));
        region.connector = Some(Arc::new(Faulty::new(&tap)));
        Self::Client(tap)
    }

    pub(super) fn set(&self, fault: Fault) {
        match self {
            Self::Wire(proxy) => proxy.set(fault),
            Self::Client(tap) => tap.set(fault),
        }
    }

    pub(super) fn requests(&self) -> u64 {
        match self {
            Self::Wire(proxy) => proxy.counts().requests,
            Self::Client(tap) => tap.requests(),
        }
    }

    /// Answers that it has broken; the HTTP client does not count them.
    pub(super) fn struck(&self) -> Option<u64> {
        match self {
            Self::Wire(proxy) => Some(proxy.counts().struck),
            Self::Client(_) => None,
        }
    }

    pub(super) fn body_bytes(&self) -> u64 {
        match self {
            Self::Wire(proxy) => proxy.counts().body_bytes,
            Self::Client(tap) => tap.body_bytes(),
        }
    }
}

/// Regions that have no wire.
pub(super) fn without_a_wire(config: &FailoverConfig) -> Option<String> {
    let region = config.regions.iter().find(|region| matches!(region.url.scheme(), "file" | "memory"))?;
    Some(format!("{} is on {}:, where there is no wire to break", region.name, region.url.scheme()))
}

/// What an act is on our side of the wire; None where it takes a server, or data that is not ours.
pub(super) fn on_our_side(act: Act) -> Option<Spoil> {
    match act {
        Act::Kill => Some(Spoil::Refuse),
        Act::Hang => Some(Spoil::Swallow),
        Act::DisableKey => Some(Spoil::Unauthorized),
        Act::Spoil(spoil) => Some(spoil),
        _ => None,
    }
}
