//! Existing regions as an environment: faults are injected on the client's side of the network.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use failover_testkit::proxy::Fault;
use object_store::path::Path;

use super::links::{Link, client_side_fault};
use crate::environment::Environment;
use crate::scenario::Action;

/// Without links no fault can be injected.
pub(super) struct ExistingEnvironment {
    pub(super) names: Vec<String>,
    pub(super) links: Vec<Link>,
}

impl ExistingEnvironment {
    fn of_each<T>(&self, count: impl Fn(&Link) -> T) -> Option<Vec<T>> {
        (!self.links.is_empty()).then(|| self.links.iter().map(count).collect())
    }
}

/// Why the action is impossible on existing regions.
pub(super) fn unsupported(action: Action) -> Option<&'static str> {
    match action {
        Action::Restore => None,
        action if client_side_fault(action).is_some() => None,
        action if action.changes_data() => Some(
            "it writes, deletes or pauses replication, which the drill never does with --config",
        ),
        Action::StartUnready => {
            Some("it needs to start a server; `unavailable` is the same fault on the network")
        }
        _ => Some("it needs to kill nodes of a cluster"),
    }
}

#[async_trait]
impl Environment for ExistingEnvironment {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn document(&self) -> String {
        String::new()
    }

    fn unsupported(&self, action: Action) -> Option<&'static str> {
        unsupported(action)
    }

    async fn apply(&self, region: usize, action: Action, usual: Duration) -> Result<(), String> {
        let fault = match action {
            Action::Restore => Fault::Pass,
            action => client_side_fault(action)
                .ok_or("it is not a network fault")?
                .fault(usual),
        };
        self.links
            .get(region)
            .ok_or("this region has no fault proxy")?
            .set(fault);
        Ok(())
    }

    async fn put(&self, _: &Path, _: Bytes) -> Result<(), String> {
        Err("regions of --config are only read".into())
    }

    async fn delete(&self, _: &Path) -> Result<(), String> {
        Err("regions of --config are only read".into())
    }

    async fn replicated(&self, _: &[Path]) -> Result<(), String> {
        Ok(())
    }

    fn requests(&self) -> Option<Vec<u64>> {
        self.of_each(Link::requests)
    }

    fn interrupted(&self) -> Option<u64> {
        self.of_each(Link::interrupted)?.into_iter().sum()
    }

    fn body_bytes(&self) -> Option<u64> {
        Some(self.of_each(Link::body_bytes)?.into_iter().sum())
    }
}
