//! Listings, page by page. Each page has the keys that the region shows at that moment.

use std::collections::VecDeque;

use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::client::HttpErrorKind;
use object_store::path::Path;
use object_store::{ObjectMeta, Result};
use object_store_failover::health::CircuitClass;
use tokio::time::sleep_until;

use crate::attempt_log::AttemptEnd;
use crate::fault::Fault;
use crate::object_history::Ms;
use crate::region::SimulatedRegion;
use crate::responder::meta;
use crate::wire;

struct Listing {
    region: SimulatedRegion,
    prefix: Option<Path>,
    after: Option<Path>,
    page: VecDeque<ObjectMeta>,
    phase: Phase,
}

enum Phase {
    NotStarted,
    Running(Option<Fault>),
    Ended,
}

pub(crate) fn listing(
    region: SimulatedRegion,
    prefix: Option<Path>,
    offset: Option<Path>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    let listing = Listing {
        region,
        prefix,
        after: offset,
        page: VecDeque::new(),
        phase: Phase::NotStarted,
    };
    stream::unfold(listing, Listing::next).boxed()
}

impl Listing {
    async fn next(mut self) -> Option<(Result<ObjectMeta>, Self)> {
        loop {
            if let Some(item) = self.page.pop_front() {
                self.after = Some(item.location.clone());
                return Some((Ok(item), self));
            }
            match self.phase {
                Phase::Ended => return None,
                Phase::NotStarted => {
                    let (class, root) = (Some(CircuitClass::Read), Path::default());
                    match self.region.request(class, "list", &root).await {
                        Ok((mut attempt, fault)) => {
                            attempt.respond(200, None, AttemptEnd::Served);
                            self.phase = Phase::Running(fault);
                        }
                        Err(error) => {
                            self.phase = Phase::Ended;
                            return Some((Err(error), self));
                        }
                    }
                }
                Phase::Running(Some(Fault::Stall)) if self.has_position() => {
                    std::future::pending().await
                }
                Phase::Running(Some(Fault::Break | Fault::Truncate | Fault::Overlong))
                    if self.has_position() =>
                {
                    self.phase = Phase::Ended;
                    let error =
                        wire::transport(HttpErrorKind::Interrupted, "connection reset in a page");
                    return Some((Err(error), self));
                }
                Phase::Running(_) => {
                    if self.has_position() {
                        let world = &self.region.world;
                        sleep_until(world.instant(world.now() + PAGE_DELAY_MS)).await;
                    }
                    self.load_page();
                }
            }
        }
    }

    /// It has given an item, or starts after an offset.
    fn has_position(&self) -> bool {
        self.after.is_some()
    }

    fn load_page(&mut self) {
        let (now, state) = (self.region.world.now(), self.region.world.state());
        for (key, version) in state.history.keys(self.region.index, now) {
            let path = Path::from(key);
            let is_below = |prefix: &Path| {
                path.prefix_match(prefix)
                    .is_some_and(|mut rest| rest.next().is_some())
            };
            if self.prefix.as_ref().is_none_or(is_below)
                && self.after.as_ref().is_none_or(|after| path > *after)
            {
                self.page
                    .push_back(meta(&state, self.region.index, &path, version));
            }
            if self.page.len() == PAGE_KEYS {
                return;
            }
        }
        if self.page.is_empty() {
            self.phase = Phase::Ended;
        }
    }
}

const PAGE_KEYS: usize = 5;
/// Before every page but the first.
const PAGE_DELAY_MS: Ms = 12;
