//! Listings: page by page, each page as the region shows its keys at that moment.

use std::collections::VecDeque;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::client::HttpErrorKind;
use object_store::path::Path;
use object_store::{ObjectMeta, Result};

use super::answer::meta;
use super::fault::Fault;
use super::ledger::Ending;
use super::region::SimulatedRegion;
use super::wire;
use crate::health::CircuitClass;
use crate::time::sleep_until;

struct Listing {
    region: SimulatedRegion,
    prefix: Option<Path>,
    after: Option<Path>,
    page: VecDeque<ObjectMeta>,
    stage: Stage,
}

enum Stage {
    Unasked,
    Going(Option<Fault>),
    Over,
}

pub(super) fn listing(region: SimulatedRegion, prefix: Option<Path>, offset: Option<Path>) -> BoxStream<'static, Result<ObjectMeta>> {
    let listing = Listing { region, prefix, after: offset, page: VecDeque::new(), stage: Stage::Unasked };
    stream::unfold(listing, Listing::next).boxed()
}

impl Listing {
    async fn next(mut self) -> Option<(Result<ObjectMeta>, Self)> {
        loop {
            if let Some(item) = self.page.pop_front() {
                self.after = Some(item.location.clone());
                return Some((Ok(item), self));
            }
            match self.stage {
                Stage::Over => return None,
                Stage::Unasked => match self.region.meet(Some(CircuitClass::Read), "list", &Path::default()).await {
                    Ok((mut attempt, fault)) => {
                        attempt.answer(200, None, Ending::Served);
                        self.stage = Stage::Going(fault);
                    }
                    Err(error) => {
                        self.stage = Stage::Over;
                        return Some((Err(error), self));
                    }
                },
                Stage::Going(Some(Fault::Stall)) if self.is_begun() => std::future::pending().await,
                Stage::Going(Some(Fault::Break | Fault::Cut | Fault::Overlong)) if self.is_begun() => {
                    self.stage = Stage::Over;
                    return Some((Err(wire::transport(HttpErrorKind::Interrupted, "connection reset in a page")), self));
                }
                Stage::Going(_) => {
                    if self.is_begun() {
                        let now = self.region.world.now();
                        sleep_until(self.region.world.moment(now + PAGE_TAKES)).await;
                    }
                    self.turn();
                }
            }
        }
    }

    fn is_begun(&self) -> bool {
        self.after.is_some()
    }

    /// The next page.
    fn turn(&mut self) {
        let (now, state) = (self.region.world.now(), self.region.world.state());
        for (key, version) in state.truth.keys(self.region.index, now) {
            let path = Path::from(key);
            let is_below = |prefix: &Path| path.prefix_match(prefix).is_some_and(|mut rest| rest.next().is_some());
            if self.prefix.as_ref().is_none_or(is_below) && self.after.as_ref().is_none_or(|after| path > *after) {
                self.page.push_back(meta(&state, self.region.index, &path, version));
            }
            if self.page.len() == PAGE {
                return;
            }
        }
        if self.page.is_empty() {
            self.stage = Stage::Over;
        }
    }
}

/// Keys of one page.
const PAGE: usize = 5;
/// Milliseconds until a further page comes.
const PAGE_TAKES: u64 = 12;
