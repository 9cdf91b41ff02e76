//! Listings, checked against the object history.

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, Result};
use object_store_failover::Operation;

use crate::checks::CheckedCall;
use crate::operations::{copy_of, describe};
use crate::violation::Invariant;

impl CheckedCall<'_> {
    pub(crate) async fn list(&self, prefix: Option<&str>, offset: Option<&str>) -> String {
        let (prefix, offset) = (prefix.map(Path::from), offset.map(Path::from));
        let mut items = match &offset {
            Some(offset) => self.run.store.list_with_offset(prefix.as_ref(), offset),
            None => self.run.store.list(prefix.as_ref()),
        };
        let first = items.next().await;
        self.on_head(Operation::List, self.run.expectations.regions);
        let mut found: Vec<Path> = Vec::new();
        let rest: Result<Vec<ObjectMeta>> = match first {
            None => Ok(Vec::new()),
            Some(Err(error)) => Err(error),
            Some(Ok(first)) => {
                found.push(first.location);
                items.by_ref().try_collect().await
            }
        };
        let failed = rest.as_ref().err().map(copy_of);
        found.extend(rest.into_iter().flatten().map(|item| item.location));
        self.check_listing(&found, failed.is_none(), prefix.as_ref(), offset.as_ref());
        failed.map_or_else(
            || format!("{} keys", found.len()),
            |error| describe::<String>(&Err(error)),
        )
    }

    fn check_listing(
        &self,
        found: &[Path],
        is_complete: bool,
        prefix: Option<&Path>,
        offset: Option<&Path>,
    ) {
        let (now, state) = (self.now(), self.run.world.state());
        let all: Vec<usize> = (0..self.run.expectations.regions).collect();
        let is_in = |path: &Path| {
            prefix.is_none_or(|prefix| {
                path.prefix_match(prefix)
                    .is_some_and(|mut rest| rest.next().is_some())
            }) && offset.is_none_or(|offset| path > offset)
        };
        let is_everywhere = |key: &String| {
            all.iter().all(|region| {
                state
                    .history
                    .present_throughout(key, *region, self.since, now, |_| true)
            })
        };
        let missing = state.history.all_keys().find(|key| {
            let path = Path::from(key.as_str());
            is_complete && is_in(&path) && !found.contains(&path) && is_everywhere(key)
        });
        let exists = |path: &Path| {
            state
                .history
                .visible_within(path.as_ref(), &all, self.since, now)
                .iter()
                .any(|version| version.content.is_some())
        };
        let invented = found.iter().find(|path| !is_in(path) || !exists(path));
        let why = match (missing, invented) {
            (Some(key), _) => Some(format!("{key} is missing, which all regions show")),
            (_, Some(path)) => Some(format!("{path} is listed, and no region shows it")),
            _ if !found.windows(2).all(|pair| pair[0] < pair[1]) => {
                Some(format!("out of order: {found:?}"))
            }
            _ => None,
        };
        drop(state);
        why.into_iter()
            .for_each(|why| self.add_violation(Invariant::NoWrongListing, why));
    }
}
