//! A store that was built from a document, with its signer and connections.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::signer::Signer;

use crate::transport::connections::Connections;

pub(super) struct BuiltStore {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) signer: Option<Arc<dyn Signer>>,
    /// The connections of its clients, if it has any; such a store records the wire.
    pub(super) connections: Option<Connections>,
}

impl BuiltStore {
    /// A store without network, restricted to `prefix`.
    pub(super) fn local<T: ObjectStore>(prefix: Path, store: T) -> Self {
        Self {
            store: below(prefix, store),
            signer: None,
            connections: None,
        }
    }

    /// A store of a provider, restricted to `prefix`, without signed URLs.
    #[cfg(feature = "http")]
    pub(super) fn remote<T: ObjectStore>(prefix: Path, store: T, connections: Connections) -> Self {
        Self {
            store: below(prefix, store),
            signer: None,
            connections: Some(connections),
        }
    }

    /// A store of a provider, restricted to `prefix`, that signs URLs.
    #[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
    pub(super) fn signing<T: ObjectStore + Signer>(
        prefix: Path,
        store: T,
        connections: Connections,
    ) -> Self {
        if prefix.is_root() {
            Self::from_signer(Arc::new(store), connections)
        } else {
            Self::from_signer(Arc::new(PrefixStore::new(store, prefix)), connections)
        }
    }

    #[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
    fn from_signer<T: ObjectStore + Signer>(store: Arc<T>, connections: Connections) -> Self {
        Self {
            signer: Some(Arc::clone(&store) as Arc<dyn Signer>),
            store,
            connections: Some(connections),
        }
    }
}

fn below<T: ObjectStore>(prefix: Path, store: T) -> Arc<dyn ObjectStore> {
    if prefix.is_root() {
        Arc::new(store)
    } else {
        Arc::new(PrefixStore::new(store, prefix))
    }
}
