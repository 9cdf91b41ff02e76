//! The regions of a run, and the client over them that is put to the test.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store_failover::{CircuitState, FailoverConfig, FailoverStore};

use super::Ground;
use crate::clients::Peer;

pub(crate) struct Stage {
    pub(crate) ground: Box<dyn Ground>,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) names: Vec<Arc<str>>,
    client: Client,
}

/// What the readers read through.
enum Client {
    Failover(FailoverStore),
    /// Another, which tells nothing of its regions. It ends with the run.
    Peer(Peer),
}

impl Stage {
    /// A `FailoverStore` over the regions, with these settings: a document without its regions.
    pub(crate) fn build(ground: Box<dyn Ground>, settings: &str) -> Result<Self, String> {
        let document = format!("{settings}{}", ground.document());
        let config: FailoverConfig = toml::from_str(&document).map_err(|error| format!("the drill's own settings: {error}"))?;
        let store = config.build().map_err(|error| error.to_string())?;
        Ok(Self::over(ground, store))
    }

    pub(crate) fn over(ground: Box<dyn Ground>, store: FailoverStore) -> Self {
        let names = store.health().regions.iter().map(|region| Arc::clone(&region.name)).collect();
        Self { ground, store: Arc::new(store.clone()), names, client: Client::Failover(store) }
    }

    /// Another client over the same regions.
    pub(crate) fn through(ground: Box<dyn Ground>, peer: Peer) -> Self {
        let names = ground.names().into_iter().map(Arc::from).collect();
        Self { ground, store: Arc::clone(&peer.store), names, client: Client::Peer(peer) }
    }

    pub(crate) fn failover(&self) -> Option<&FailoverStore> {
        match &self.client {
            Client::Failover(store) => Some(store),
            Client::Peer(_) => None,
        }
    }

    /// What stands between the readers and the regions, if it is another client.
    pub(crate) fn program(&self) -> Option<&str> {
        match &self.client {
            Client::Failover(_) => None,
            Client::Peer(peer) => Some(peer.version()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Requests that have reached each region by its own count, or attempts by the store's count.
    pub(crate) fn requests(&self) -> Vec<u64> {
        self.ground.requests().unwrap_or_else(|| self.attempts())
    }

    /// Attempts that the store has made on each region, whether or not anything has arrived there.
    pub(crate) fn attempts(&self) -> Vec<u64> {
        match self.failover() {
            Some(store) => store.health().regions.iter().map(|region| region.attempts).collect(),
            None => self.ground.requests().unwrap_or_else(|| vec![0; self.len()]),
        }
    }

    /// All closed where nobody tells.
    pub(crate) fn circuits(&self) -> Vec<CircuitState> {
        match self.failover() {
            Some(store) => store.health().regions.iter().map(|region| region.read.state).collect(),
            None => vec![CircuitState::Closed; self.len()],
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| **known == *name)
    }
}
