//! `GET /events`: the event log as server-sent events, stored entries first.
//!
//! A client that reconnects sends `Last-Event-ID` and gets the entries that it has missed.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt, stream};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::event_log::{Entry, EventLog};
use crate::service::Service;

pub async fn events(State(service): State<Arc<Service>>, headers: HeaderMap) -> impl IntoResponse {
    let last_seen = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .and_then(|id| parse_id(&service.event_log, id))
        .unwrap_or(0);
    let stop = service.stop.clone().requested();
    // Without `take_until` an open page would keep the graceful shutdown from finishing.
    let frames = frames(&service.event_log, last_seen).take_until(stop);
    Sse::new(frames.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::default())
}

fn frames(log: &EventLog, last_seen: u64) -> impl Stream<Item = Event> + Send + use<> {
    let run_id = log.run_id.clone();
    let (stored, live) = log.entries_after(last_seen);
    let frame = move |entry: &Entry| {
        let text = serde_json::to_string(entry).unwrap_or_default();
        Event::default()
            .id(format!("{run_id}:{}", entry.number))
            .data(text)
    };
    let stored_frame = frame.clone();
    stream::iter(stored)
        .map(move |entry| stored_frame(&entry))
        .chain(follow(live).map(move |item| match item {
            Ok(entry) => frame(&entry),
            Err(missed) => Event::default().event("lagged").data(missed.to_string()),
        }))
}

/// New entries, or the number of entries that this client was too slow to receive.
fn follow(live: Receiver<Arc<Entry>>) -> impl Stream<Item = Result<Arc<Entry>, u64>> + Send {
    stream::unfold(live, |mut live| async {
        match live.recv().await {
            Ok(entry) => Some((Ok(entry), live)),
            Err(RecvError::Lagged(missed)) => Some((Err(missed), live)),
            Err(RecvError::Closed) => None,
        }
    })
}

/// The entry number of an event id. None for an id of another run: numbers restart at 1.
fn parse_id(log: &EventLog, id: &str) -> Option<u64> {
    let (run_id, number) = id.split_once(':')?;
    if run_id == log.run_id {
        number.parse().ok()
    } else {
        None
    }
}
