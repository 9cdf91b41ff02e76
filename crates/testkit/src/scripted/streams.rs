//! What a mode does to a body and to a listing.

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::client::HttpErrorKind;
use object_store::path::Path;
use object_store::{ObjectMeta, Result};

use super::Mode;
use super::fault::transport;

type BodyStream = BoxStream<'static, Result<bytes::Bytes>>;

/// Splits a body into small chunks, so that it can break at any byte.
pub(super) fn split_body(body: BodyStream) -> BodyStream {
    let pieces = |whole: bytes::Bytes| {
        let size = if whole.len() <= 64 { 1 } else { 64 * 1024 };
        stream::iter(
            (0..whole.len())
                .step_by(size)
                .map(move |at| Ok(whole.slice(at..whole.len().min(at + size))))
                .collect::<Vec<_>>(),
        )
    };
    body.map_ok(pieces).try_flatten().boxed()
}

pub(super) fn apply_to_body(body: BodyStream, mode: Mode) -> BodyStream {
    let until = |limit: u64| {
        let mut seen = 0;
        body_prefix(move |bytes: &bytes::Bytes| {
            seen += bytes.len() as u64;
            seen <= limit
        })
    };
    match mode {
        Mode::BreakAfter(limit) => {
            let broken = stream::once(async {
                Err(transport(
                    HttpErrorKind::Interrupted,
                    "connection reset in the body",
                ))
            });
            until(limit)(body).chain(broken).boxed()
        }
        Mode::StallAfter(limit) => until(limit)(body).chain(stream::pending()).boxed(),
        Mode::CutAfter(limit) => until(limit)(body).boxed(),
        Mode::Drip(pause) => body
            .then(move |piece| async move {
                tokio::time::sleep(pause).await;
                piece
            })
            .boxed(),
        Mode::Overlong => body
            .chain(stream::once(async { Ok("and more".into()) }))
            .boxed(),
        _ => body,
    }
}

/// The chunks of a body while `fits` holds.
fn body_prefix(
    mut fits: impl FnMut(&bytes::Bytes) -> bool + Send + 'static,
) -> impl FnOnce(BodyStream) -> BodyStream {
    move |body| {
        body.take_while(move |piece| std::future::ready(piece.as_ref().map_or(true, &mut fits)))
            .boxed()
    }
}

pub(super) fn apply_to_listing(
    mode: Mode,
    items: BoxStream<'static, Result<ObjectMeta>>,
) -> BoxStream<'static, Result<ObjectMeta>> {
    match mode {
        Mode::Fail(fault) => {
            stream::once(async move { Err(fault.error(&Path::default())) }).boxed()
        }
        Mode::Hang => stream::pending().boxed(),
        Mode::Slow(time) => stream::once(tokio::time::sleep(time))
            .flat_map(|()| stream::empty())
            .chain(items)
            .boxed(),
        Mode::BreakAfter(count) => items
            .take(count as usize)
            .chain(stream::once(async {
                Err(transport(HttpErrorKind::Interrupted, "connection reset"))
            }))
            .boxed(),
        Mode::FailAfter(count, fault) => items
            .take(count as usize)
            .chain(stream::once(
                async move { Err(fault.error(&Path::default())) },
            ))
            .boxed(),
        Mode::StallAfter(count) => items.take(count as usize).chain(stream::pending()).boxed(),
        _ => items,
    }
}
