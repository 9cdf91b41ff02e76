//! A region's store as it was built, and what else it can do.

use std::sync::Arc;

use object_store::ObjectStore;
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::signer::Signer;

use crate::connections::Connections;

pub(super) struct Built {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) signer: Option<Arc<dyn Signer>>,
    /// Those of its clients, where it tells what these do on the wire.
    pub(super) connections: Option<Connections>,
}

impl Built {
    /// The part of a store of this machine that lies below `prefix`.
    pub(super) fn local<T: ObjectStore>(prefix: Path, store: T) -> Self {
        Self { store: below(prefix, store), signer: None, connections: None }
    }

    /// The part of a provider's store that lies below `prefix`, and that signs no URLs.
    #[cfg(feature = "http")]
    pub(super) fn remote<T: ObjectStore>(prefix: Path, store: T, connections: Connections) -> Self {
        Self { store: below(prefix, store), signer: None, connections: Some(connections) }
    }

    /// The part of a provider's store that lies below `prefix`; it signs URLs.
    #[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
    pub(super) fn signing<T: ObjectStore + Signer>(prefix: Path, store: T, connections: Connections) -> Self {
        if prefix.is_root() {
            Self::both(Arc::new(store), connections)
        } else {
            Self::both(Arc::new(PrefixStore::new(store, prefix)), connections)
        }
    }

    #[cfg(any(feature = "aws", feature = "azure", feature = "gcp"))]
    fn both<T: ObjectStore + Signer>(store: Arc<T>, connections: Connections) -> Self {
        Self { signer: Some(Arc::clone(&store) as Arc<dyn Signer>), store, connections: Some(connections) }
    }
}

fn below<T: ObjectStore>(prefix: Path, store: T) -> Arc<dyn ObjectStore> {
    if prefix.is_root() { Arc::new(store) } else { Arc::new(PrefixStore::new(store, prefix)) }
}
