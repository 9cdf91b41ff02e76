//! Credentials that come by requests of their own.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::{CredentialProvider, Result};

use super::CURRENT;

/// Credentials that come by requests of their own: none of these is part of the attempt that needs them.
pub(crate) struct Uncounted<T>(pub(crate) Arc<dyn CredentialProvider<Credential = T>>);

#[async_trait]
impl<T: fmt::Debug + Send + Sync> CredentialProvider for Uncounted<T> {
    type Credential = T;

    async fn get_credential(&self) -> Result<Arc<T>> {
        CURRENT.scope(None, self.0.get_credential()).await
    }
}

impl<T> fmt::Debug for Uncounted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uncounted").finish_non_exhaustive()
    }
}
