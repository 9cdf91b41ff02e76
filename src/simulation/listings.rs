//! Listings, as a caller would make them, held against the truth.

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, Result};

use super::checks::Asked;
use super::operate::{copy_of, told};
use super::violation::Invariant;
use crate::operation::Operation;

impl Asked<'_> {
    pub(super) async fn list(&self, prefix: Option<&str>, offset: Option<&str>) -> String {
        let (prefix, offset) = (prefix.map(Path::from), offset.map(Path::from));
        let mut items = match &offset {
            Some(offset) => self.stage.store.list_with_offset(prefix.as_ref(), offset),
            None => self.stage.store.list(prefix.as_ref()),
        };
        let first = items.next().await;
        self.on_head(Operation::List, self.stage.rules.regions);
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
        failed.map_or_else(|| format!("{} keys", found.len()), |error| told::<String>(&Err(error)))
    }

    fn check_listing(&self, found: &[Path], is_whole: bool, prefix: Option<&Path>, offset: Option<&Path>) {
        let (now, state) = (self.now(), self.stage.world.state());
        let all: Vec<usize> = (0..self.stage.rules.regions).collect();
        let is_in = |path: &Path| {
            prefix.is_none_or(|prefix| path.prefix_match(prefix).is_some_and(|mut rest| rest.next().is_some()))
                && offset.is_none_or(|offset| path > offset)
        };
        let held = |key: &String| all.iter().all(|region| state.truth.held(key, *region, self.since, now, |_| true));
        let missing = state.truth.all_keys().find(|key| {
            let path = Path::from(key.as_str());
            is_whole && is_in(&path) && !found.contains(&path) && held(key)
        });
        let exists =
            |path: &Path| state.truth.shown_within(path.as_ref(), &all, self.since, now).iter().any(|version| version.content.is_some());
        let invented = found.iter().find(|path| !is_in(path) || !exists(path));
        let why = match (missing, invented) {
            (Some(key), _) => Some(format!("{key} is left out, which all regions show")),
            (_, Some(path)) => Some(format!("{path} is listed, and nobody shows it")),
            _ if !found.windows(2).all(|pair| pair[0] < pair[1]) => Some(format!("out of order: {found:?}")),
            _ => None,
        };
        drop(state);
        why.into_iter().for_each(|why| self.violate(Invariant::NoWrongListing, why));
    }
}
