//! The lines to the regions, where a scenario spoils those: a proxy before each server.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::runtime::Handle;

use crate::proxy::{Fault, Proxy};
use crate::scenario::Spoil;

#[derive(Default)]
pub(crate) struct Lines(Vec<Proxy>);

impl Lines {
    /// One to each server; they run on this runtime.
    pub(crate) fn to(servers: impl IntoIterator<Item = SocketAddr>, runtime: &Handle) -> Self {
        let _there = runtime.enter();
        Self(servers.into_iter().map(Proxy::start).collect())
    }

    /// Where to connect, if there is a line to this region.
    pub(crate) fn address(&self, region: usize) -> Option<SocketAddr> {
        self.0.get(region).map(Proxy::address)
    }

    pub(crate) fn spoil(&self, region: usize, how: Spoil, usual: Duration) {
        self.set(region, how.fault(usual));
    }

    pub(crate) fn mend(&self, region: usize) {
        self.set(region, Fault::Pass);
    }

    /// Requests that have reached each line; None where there is none.
    pub(crate) fn requests(&self) -> Option<Vec<u64>> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|line| line.counts().requests).collect())
    }

    pub(crate) fn struck(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|line| line.counts().struck).sum())
    }

    pub(crate) fn body_bytes(&self) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|line| line.counts().body_bytes).sum())
    }

    fn set(&self, region: usize, fault: Fault) {
        if let Some(line) = self.0.get(region) {
            line.set(fault);
        }
    }
}
