//! Pre-signed URLs, each from one region in use, in rotation.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use object_store::{Error, Result};
use url::Url;

use super::FailoverStore;
use crate::failover::scope::ScopeQuery;
use crate::health::{Availability, CircuitClass};
use crate::region::RegionSet;
use crate::runtime::clock;
use crate::types::Operation;

/// A signed URL leads to one region: requests that use it have no failover.
///
/// URLs for reads come from the regions in turn, regions in use first; URLs for writes from a
/// region that the write policy allows. Only regions with a signer take part
/// ([`Region::signer`](crate::Region::signer)).
#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Signer for FailoverStore {
    async fn signed_url(&self, method: Method, path: &Path, expires_in: Duration) -> Result<Url> {
        self.signer_for(&method, path)?
            .signed_url(method, path, expires_in)
            .await
    }

    async fn signed_url_opts(
        &self,
        method: Method,
        path: &Path,
        expires_in: Duration,
        options: &SignedUrlOptions,
    ) -> Result<Url> {
        self.signer_for(&method, path)?
            .signed_url_opts(method, path, expires_in, options)
            .await
    }

    async fn signed_urls(
        &self,
        method: Method,
        paths: &[Path],
        expires_in: Duration,
    ) -> Result<Vec<Url>> {
        let mut urls = Vec::with_capacity(paths.len());
        for path in paths {
            urls.push(self.signed_url(method.clone(), path, expires_in).await?);
        }
        Ok(urls)
    }
}

impl FailoverStore {
    fn signer_for(&self, method: &Method, path: &Path) -> Result<Arc<dyn Signer>> {
        let engine = &self.engine;
        let is_read = method == Method::GET || method == Method::HEAD;
        let (operation, class) = if is_read {
            (Operation::Get, CircuitClass::Read)
        } else {
            (Operation::Put, CircuitClass::Write)
        };
        let query = ScopeQuery {
            operation,
            path: Some(path),
            extensions: None,
        };
        let scope = if is_read {
            engine.read_scope(query)?
        } else {
            engine.write_scope(false, query)?
        };
        let candidates: RegionSet = scope
            .allowed
            .iter()
            .filter(|region| engine.regions.get(*region).signer.is_some())
            .collect();
        let now = clock::now();
        let in_use = |region: &usize| {
            matches!(
                engine.regions.get(*region).health.availability(class, now),
                Availability::Closed { .. }
            )
        };
        let preferred: RegionSet = candidates.iter().filter(in_use).collect();
        let order = engine.rotation.next_order(operation, &engine.rng);
        let chosen = scope.first.filter(|home| preferred.contains(*home));
        let chosen = chosen.or_else(|| {
            engine.rotation.first_of(
                order,
                if preferred.is_empty() {
                    candidates
                } else {
                    preferred
                },
                &engine.rng,
            )
        });
        let signer = chosen.and_then(|region| engine.regions.get(region).signer.clone());
        signer.ok_or_else(|| Error::NotSupported {
            source: "no region that this request may use has a signer; see Region::signer".into(),
        })
    }
}
