//! The regions of a run, and the client under test.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store_failover::{CircuitState, FailoverConfig, FailoverStore};

use super::Environment;
use crate::clients::Peer;

pub(crate) struct Deployment {
    pub(crate) environment: Box<dyn Environment>,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) names: Vec<Arc<str>>,
    client: Client,
}

/// The client that the readers use.
enum Client {
    Failover(FailoverStore),
    /// Another client, without data about its regions. It ends with the run.
    Peer(Peer),
}

impl Deployment {
    /// A `FailoverStore` over the regions; `settings` is a configuration document without regions.
    pub(crate) fn build(environment: Box<dyn Environment>, settings: &str) -> Result<Self, String> {
        let document = format!("{settings}{}", environment.document());
        let config = FailoverConfig::from_toml(&document)
            .map_err(|error| format!("the drill's own settings: {error}"))?;
        let store = config.build().map_err(|error| error.to_string())?;
        Ok(Self::over(environment, store))
    }

    pub(crate) fn over(environment: Box<dyn Environment>, store: FailoverStore) -> Self {
        let names = store
            .health()
            .regions
            .iter()
            .map(|region| Arc::clone(&region.name))
            .collect();
        Self {
            environment,
            store: Arc::new(store.clone()),
            names,
            client: Client::Failover(store),
        }
    }

    /// Another client over the same regions.
    pub(crate) fn through(environment: Box<dyn Environment>, peer: Peer) -> Self {
        let names = environment.names().into_iter().map(Arc::from).collect();
        Self {
            environment,
            store: Arc::clone(&peer.store),
            names,
            client: Client::Peer(peer),
        }
    }

    pub(crate) fn failover(&self) -> Option<&FailoverStore> {
        match &self.client {
            Client::Failover(store) => Some(store),
            Client::Peer(_) => None,
        }
    }

    /// Name and version of the client, unless it is a `FailoverStore`.
    pub(crate) fn program(&self) -> Option<&str> {
        match &self.client {
            Client::Failover(_) => None,
            Client::Peer(peer) => Some(peer.version()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Requests that reached each region, or the store's attempts if the environment counts
    /// nothing.
    pub(crate) fn requests(&self) -> Vec<u64> {
        self.environment
            .requests()
            .unwrap_or_else(|| self.attempts())
    }

    /// Attempts of the store on each region, including those that did not reach it.
    pub(crate) fn attempts(&self) -> Vec<u64> {
        match self.failover() {
            Some(store) => store
                .health()
                .regions
                .iter()
                .map(|region| region.attempts)
                .collect(),
            None => self
                .environment
                .requests()
                .unwrap_or_else(|| vec![0; self.len()]),
        }
    }

    /// The read circuits. All closed if the client has none.
    pub(crate) fn circuits(&self) -> Vec<CircuitState> {
        match self.failover() {
            Some(store) => store
                .health()
                .regions
                .iter()
                .map(|region| region.read.state)
                .collect(),
            None => vec![CircuitState::Closed; self.len()],
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| **known == *name)
    }
}
