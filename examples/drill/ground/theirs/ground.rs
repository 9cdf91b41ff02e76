//! Regions that are not ours, as a place to play: what is done to them is done on our side of the wire.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;

use super::lines::{Line, on_our_side};
use crate::ground::Ground;
use crate::proxy::Fault;
use crate::scenario::Act;

/// Without lines they are watched only.
pub(super) struct Wired {
    pub(super) names: Vec<String>,
    pub(super) lines: Vec<Line>,
}

impl Wired {
    fn of_each<T>(&self, count: impl Fn(&Line) -> T) -> Option<Vec<T>> {
        (!self.lines.is_empty()).then(|| self.lines.iter().map(count).collect())
    }
}

/// Why this cannot be done to regions that are not ours.
pub(super) fn why_not(act: Act) -> Option<&'static str> {
    match act {
        Act::Revive => None,
        act if on_our_side(act).is_some() => None,
        act if act.is_of_data() => Some("it writes, deletes and pauses replication, which is never done to regions of --config"),
        Act::StartUnready => Some("it needs a server of its own, to start it: on the wire `unavailable` is the same"),
        _ => Some("it needs a cluster of its own, to kill its nodes"),
    }
}

#[async_trait]
impl Ground for Wired {
    fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn document(&self) -> String {
        String::new()
    }

    fn why_not(&self, act: Act) -> Option<&'static str> {
        why_not(act)
    }

    async fn act(&self, region: usize, act: Act, usual: Duration) -> Result<(), String> {
        let fault = match act {
            Act::Revive => Fault::Pass,
            act => on_our_side(act).ok_or("it is not done on the wire")?.fault(usual),
        };
        self.lines.get(region).ok_or("there is no line to this region")?.set(fault);
        Ok(())
    }

    async fn put(&self, _: &Path, _: Bytes) -> Result<(), String> {
        Err("these regions are read, never written".into())
    }

    async fn delete(&self, _: &Path) -> Result<(), String> {
        Err("these regions are read, never written".into())
    }

    async fn replicated(&self, _: &[Path]) -> Result<(), String> {
        Ok(())
    }

    fn requests(&self) -> Option<Vec<u64>> {
        self.of_each(Line::requests)
    }

    fn struck(&self) -> Option<u64> {
        self.of_each(Line::struck)?.into_iter().sum()
    }

    fn body_bytes(&self) -> Option<u64> {
        Some(self.of_each(Line::body_bytes)?.into_iter().sum())
    }
}
