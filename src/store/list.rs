//! Listings: failed over until their first item.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::BoxFuture;
use futures::stream::{BoxStream, Stream};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{Error, ListResult, ObjectMeta, Result};

use super::FailoverStore;
use crate::failover::{Route, Served, run};
use crate::health::Permit;
use crate::operation::Operation;
use crate::request::{List, ListWithDelimiter, Listing};
use crate::stall::{Patient, Step};
use crate::time;

pub(super) fn list(store: &FailoverStore, prefix: Option<&Path>, offset: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
    let request = List { prefix: prefix.cloned(), offset: offset.cloned() };
    let core = Arc::clone(&store.core);
    let opening = async move {
        let Served { answer: Listing { first, rest }, region, permit, .. } = run(&core, &request, Route::Rotation).await?;
        // A page may take as long as the first one was given.
        let limit = core.regions.get(region).limits.attempt(Operation::List);
        let region = Arc::clone(&core.regions.get(region).name);
        Ok(Source { region, first, rest: Patient::new(rest, limit), permit: Some(permit) })
    };
    Items::Opening(opening.boxed()).boxed()
}

pub(super) async fn list_with_delimiter(store: &FailoverStore, prefix: Option<&Path>) -> Result<ListResult> {
    let served = run(&store.core, &ListWithDelimiter { prefix }, Route::Rotation).await?;
    served.permit.succeed(time::now());
    Ok(served.answer)
}

/// The items that a caller reads.
enum Items {
    Opening(BoxFuture<'static, Result<Source>>),
    Streaming(Source),
    Done,
}

/// One region's listing.
struct Source {
    region: Arc<str>,
    first: Option<ObjectMeta>,
    rest: Patient<Result<ObjectMeta>>,
    /// Taken with the verdict.
    permit: Option<Permit>,
}

impl Items {
    /// The listing is over, and the region did or did not do what was asked of it.
    fn end(&mut self, at_fault: bool) {
        if let Self::Streaming(source) = self
            && let Some(permit) = source.permit.take()
        {
            let verdict = if at_fault { Permit::fail } else { Permit::succeed };
            verdict(permit, time::now());
        }
    }
}

impl Items {
    fn stalled(&self) -> Error {
        let source = match self {
            Self::Streaming(source) => format!("the listing from {} stalled: no item for {:?}", source.region, source.rest.limit()),
            Self::Opening(_) | Self::Done => "the listing stalled".into(),
        };
        Error::Generic { store: "FailoverStore", source: source.into() }
    }
}

impl Stream for Items {
    type Item = Result<ObjectMeta>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<ObjectMeta>>> {
        loop {
            let step = match &mut *self {
                Self::Done => return Poll::Ready(None),
                Self::Opening(opening) => match std::task::ready!(opening.poll_unpin(cx)) {
                    Ok(source) => {
                        *self = Self::Streaming(source);
                        continue;
                    }
                    Err(error) => {
                        *self = Self::Done;
                        return Poll::Ready(Some(Err(error)));
                    }
                },
                Self::Streaming(source) => match source.first.take() {
                    Some(first) => return Poll::Ready(Some(Ok(first))),
                    None => std::task::ready!(source.rest.poll_step(cx)),
                },
            };
            let item = match step {
                Step::Item(item) => item,
                Step::Stalled => Some(Err(self.stalled())),
            };
            if !matches!(item, Some(Ok(_))) {
                self.end(item.is_some());
                *self = Self::Done;
            }
            return Poll::Ready(item);
        }
    }
}

impl Drop for Items {
    /// A caller that wants no more has been served, unless it was waiting.
    fn drop(&mut self) {
        if matches!(self, Self::Streaming(source) if !source.rest.is_waiting()) {
            self.end(false);
        }
    }
}
