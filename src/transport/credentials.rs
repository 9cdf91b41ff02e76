//! Credentials that are fetched by requests of their own.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use object_store::{CredentialProvider, Result};

use super::recorder::CURRENT;

/// Runs the requests for credentials without the recorder of the attempt that needs them.
pub(crate) struct UnrecordedCredentials<T>(pub(crate) Arc<dyn CredentialProvider<Credential = T>>);

#[async_trait]
impl<T: fmt::Debug + Send + Sync> CredentialProvider for UnrecordedCredentials<T> {
    type Credential = T;

    async fn get_credential(&self) -> Result<Arc<T>> {
        CURRENT.scope(None, self.0.get_credential()).await
    }
}

impl<T> fmt::Debug for UnrecordedCredentials<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnrecordedCredentials")
            .finish_non_exhaustive()
    }
}
