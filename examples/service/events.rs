//! `GET /events`: the journal as server-sent events, what is kept first. A page that reconnects is given what it has missed.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::journal::{Entry, Journal};
use crate::service::Service;

pub(crate) async fn events(State(service): State<Arc<Service>>, headers: HeaderMap) -> impl IntoResponse {
    let seen = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| number(&service.journal, id));
    let stop = service.stop.clone().asked();
    Sse::new(frames(&service.journal, seen.unwrap_or(0)).take_until(stop).map(Ok::<_, Infallible>)).keep_alive(KeepAlive::default())
}

fn frames(journal: &Journal, seen: u64) -> impl Stream<Item = Event> + Send + use<> {
    let life = journal.life.clone();
    let (past, live) = journal.since(seen);
    let frame = move |entry: &Entry| {
        let text = serde_json::to_string(entry).unwrap_or_default();
        Event::default().id(format!("{life}:{}", entry.number)).data(text)
    };
    let again = frame.clone();
    stream::iter(past).map(move |entry| again(&entry)).chain(follow(live).map(move |word| match word {
        Ok(entry) => frame(&entry),
        Err(count) => Event::default().event("lagged").data(count.to_string()),
    }))
}

/// Entries as they come, or how many came too fast for this reader.
fn follow(live: Receiver<Arc<Entry>>) -> impl Stream<Item = Result<Arc<Entry>, u64>> + Send {
    stream::unfold(live, |mut live| async {
        match live.recv().await {
            Ok(entry) => Some((Ok(entry), live)),
            Err(RecvError::Lagged(count)) => Some((Err(count), live)),
            Err(RecvError::Closed) => None,
        }
    })
}

/// The number in an id of ours. One of another life says nothing: this process has begun again at 1.
fn number(journal: &Journal, id: &str) -> Option<u64> {
    let (life, number) = id.split_once(':')?;
    if life == journal.life { number.parse().ok() } else { None }
}
