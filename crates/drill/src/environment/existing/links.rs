//! Links to existing regions: a TCP proxy in front of a region with a plain `http://` endpoint, the
//! HTTP client for all others.

use std::sync::Arc;
use std::time::Duration;

use failover_testkit::proxy::{Fault, Proxy};
use object_store_failover::config::OptionValue;
use object_store_failover::{FailoverConfig, RegionConfig};
use tokio::runtime::Handle;

use super::connector::{FaultSwitch, FaultyConnector};
use super::endpoint::Endpoint;
use crate::scenario::{Action, NetworkFault};

/// The library's default connect limit.
const CONNECT: Duration = Duration::from_secs(2);

/// The link to one region, where faults are injected.
pub(super) enum Link {
    Proxy(Proxy),
    Client(Arc<FaultSwitch>),
}

impl Link {
    /// Routes the region of the document through a new link. A proxy runs on `runtime`.
    pub(super) fn install(
        region: &mut RegionConfig,
        endpoint: Option<&Endpoint>,
        connect: Option<Duration>,
        runtime: &Handle,
    ) -> Self {
        if let Some(endpoint) = endpoint {
            let _there = runtime.enter();
            let proxy = Proxy::start(endpoint.address);
            region.options.insert(
                endpoint.option.clone(),
                OptionValue::Text(endpoint.at(proxy.address())),
            );
            return Self::Proxy(proxy);
        }
        let switch = Arc::new(FaultSwitch::new(
            region.timeouts.connect.or(connect).unwrap_or(CONNECT),
        ));
        region.connector = Some(Arc::new(FaultyConnector::new(&switch)));
        Self::Client(switch)
    }

    pub(super) fn set(&self, fault: Fault) {
        match self {
            Self::Proxy(proxy) => proxy.set(fault),
            Self::Client(switch) => switch.set(fault),
        }
    }

    pub(super) fn requests(&self) -> u64 {
        match self {
            Self::Proxy(proxy) => proxy.counts().requests,
            Self::Client(switch) => switch.requests(),
        }
    }

    /// Responses that were interrupted; the HTTP client does not count them.
    pub(super) fn interrupted(&self) -> Option<u64> {
        match self {
            Self::Proxy(proxy) => Some(proxy.counts().faults_injected),
            Self::Client(_) => None,
        }
    }

    pub(super) fn body_bytes(&self) -> u64 {
        match self {
            Self::Proxy(proxy) => proxy.counts().body_bytes,
            Self::Client(switch) => switch.body_bytes(),
        }
    }
}

/// Why the configuration cannot be drilled: a region that uses no network.
pub(super) fn without_network(config: &FailoverConfig) -> Option<String> {
    let region = config
        .regions
        .iter()
        .find(|region| matches!(region.url.scheme(), "file" | "memory"))?;
    Some(format!(
        "{} is on {}: and uses no network, so no fault can be injected",
        region.name,
        region.url.scheme()
    ))
}

/// The network fault that replaces an action; `None` if the action needs a server or changes data.
pub(super) fn client_side_fault(action: Action) -> Option<NetworkFault> {
    match action {
        Action::Kill => Some(NetworkFault::Refuse),
        Action::Hang => Some(NetworkFault::Swallow),
        Action::DisableKey => Some(NetworkFault::Unauthorized),
        Action::Network(fault) => Some(fault),
        _ => None,
    }
}
