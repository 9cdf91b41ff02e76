//! Pre-signed URLs: from a region that is in use, in rotation.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use http::Method;
use object_store::path::Path;
use object_store::signer::{SignedUrlOptions, Signer};
use object_store::{Error, Result};
use url::Url;

use super::FailoverStore;
use crate::failover::scope::Call;
use crate::health::{CircuitClass, Standing};
use crate::operation::Operation;
use crate::region::RegionSet;
use crate::time;

/// A signed URL leads to one region and stays there: whoever holds it has no failover.
///
/// URLs that read come from the regions in turn, those in use before others; URLs that write from where writes go. Regions take part
/// that were given a signer ([`Region::signer`](crate::Region::signer)).
#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Signer for FailoverStore {
    async fn signed_url(&self, method: Method, path: &Path, expires_in: Duration) -> Result<Url> {
        self.signer_for(&method, path)?.signed_url(method, path, expires_in).await
    }

    async fn signed_url_opts(&self, method: Method, path: &Path, expires_in: Duration, options: &SignedUrlOptions) -> Result<Url> {
        self.signer_for(&method, path)?.signed_url_opts(method, path, expires_in, options).await
    }

    async fn signed_urls(&self, method: Method, paths: &[Path], expires_in: Duration) -> Result<Vec<Url>> {
        let mut urls = Vec::with_capacity(paths.len());
        for path in paths {
            urls.push(self.signed_url(method.clone(), path, expires_in).await?);
        }
        Ok(urls)
    }
}

impl FailoverStore {
    fn signer_for(&self, method: &Method, path: &Path) -> Result<Arc<dyn Signer>> {
        let core = &self.core;
        let reads = method == Method::GET || method == Method::HEAD;
        let (operation, class) = if reads { (Operation::Get, CircuitClass::Read) } else { (Operation::Put, CircuitClass::Write) };
        let call = Call { operation, path: Some(path), extensions: None };
        let scope = if reads { core.read_scope(call)? } else { core.write_scope(false, call)? };
        let able: RegionSet = scope.allowed.iter().filter(|region| core.regions.get(*region).signer.is_some()).collect();
        let now = time::now();
        let in_use = |region: &usize| matches!(core.regions.get(*region).health.standing(class, now), Standing::Closed { .. });
        let best: RegionSet = able.iter().filter(in_use).collect();
        let order = core.rotation.next_order(operation, &core.dice);
        let chosen = scope.first.filter(|home| best.contains(*home));
        let chosen = chosen.or_else(|| core.rotation.first_of(order, if best.is_empty() { able } else { best }, &core.dice));
        let signer = chosen.and_then(|region| core.regions.get(region).signer.clone());
        signer.ok_or_else(|| Error::NotSupported { source: "no region that may serve this was given a signer: see Region::signer".into() })
    }
}
