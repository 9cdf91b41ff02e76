//! The network links to the regions: a fault proxy in front of each server.

use std::net::SocketAddr;
use std::time::Duration;

use failover_testkit::proxy::{Fault, Proxy};
use tokio::runtime::Handle;

use crate::scenario::NetworkFault;

#[derive(Default)]
pub(crate) struct Links(Vec<Proxy>);

impl Links {
    /// One proxy per server, on this runtime.
    pub(crate) fn to(servers: impl IntoIterator<Item = SocketAddr>, runtime: &Handle) -> Self {
        let _there = runtime.enter();
        Self(servers.into_iter().map(Proxy::start).collect())
    }

    /// The address of the proxy, if the region has one.
    pub(crate) fn address(&self, region: usize) -> Option<SocketAddr> {
        self.0.get(region).map(Proxy::address)
    }

    pub(crate) fn inject(&self, region: usize, how: NetworkFault, usual: Duration) {
        self.set(region, how.fault(usual));
    }

    pub(crate) fn restore(&self, region: usize) {
        self.set(region, Fault::Pass);
    }

    /// Requests that reached each proxy; `None` without proxies.
    pub(crate) fn requests(&self) -> Option<Vec<u64>> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|link| link.counts().requests).collect())
    }

    pub(crate) fn interrupted(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| {
            self.0
                .iter()
                .map(|link| link.counts().faults_injected)
                .sum()
        })
    }

    pub(crate) fn body_bytes(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|link| link.counts().body_bytes).sum())
    }

    fn set(&self, region: usize, fault: Fault) {
        if let Some(link) = self.0.get(region) {
            link.set(fault);
        }
    }
}
