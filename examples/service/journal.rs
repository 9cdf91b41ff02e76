//! What happened, kept for those who come later: whoever is woken by an alert opens the page after the fact.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use humantime_serde::re::humantime;
use object_store_failover::{CircuitState, Event};
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};

use crate::clock::wall_millis;
use crate::guard::unguessable;
use crate::service::Service;

/// Some hours of an unquiet night; a page shows no more.
const KEPT: usize = 200;

/// How bad it is, for the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    Good,
    Info,
    Warn,
    Bad,
}

/// One line of the log.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    /// Milliseconds since 1970.
    at: u64,
    level: Level,
    region: Option<String>,
    text: String,
}

pub(crate) struct Journal {
    /// Tells this process from the one before it, whose numbers a page may still have.
    pub(crate) life: String,
    lines: Mutex<Lines>,
    live: Sender<Arc<Entry>>,
}

#[derive(Default)]
struct Lines {
    written: u64,
    kept: VecDeque<Arc<Entry>>,
}

impl Journal {
    pub(crate) fn new() -> Self {
        Self { life: unguessable(), lines: Mutex::default(), live: Sender::new(KEPT) }
    }

    pub(crate) fn note(&self, level: Level, region: Option<&str>, text: String) {
        let mut lines = self.lines();
        lines.written += 1;
        let entry = Arc::new(Entry { number: lines.written, at: wall_millis(), level, region: region.map(str::to_owned), text });
        if lines.kept.len() == KEPT {
            lines.kept.pop_front();
        }
        lines.kept.push_back(Arc::clone(&entry));
        // Under the lock, so that a reader who comes now gets it once: as kept, or live. Nobody reading is no error.
        let _ = self.live.send(entry);
    }

    /// What is kept after this number, and all that follows.
    pub(crate) fn since(&self, number: u64) -> (Vec<Arc<Entry>>, Receiver<Arc<Entry>>) {
        let lines = self.lines();
        let past = lines.kept.iter().filter(|entry| entry.number > number).map(Arc::clone).collect();
        (past, self.live.subscribe())
    }

    /// A panic elsewhere must not silence the log.
    fn lines(&self) -> MutexGuard<'_, Lines> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes down the store's events, until the store is gone. A journal that lags behind says what it has missed.
pub(crate) async fn keep(service: Arc<Service>, mut events: Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(event) => write(&service.journal, &event),
            Err(RecvError::Lagged(count)) => service.journal.note(Level::Warn, None, format!("{count} events came too fast and are lost")),
            Err(RecvError::Closed) => return,
        }
    }
}

fn write(journal: &Journal, event: &Event) {
    match event {
        Event::CircuitChanged { region, class, change } => {
            let level = match change.to {
                CircuitState::Closed => Level::Good,
                CircuitState::Open => Level::Bad,
                // Half-open, and whatever the crate may add.
                _ => Level::Warn,
            };
            journal.note(level, Some(region), format!("{class} circuit {}: {}", change.to, change.reason));
        }
        Event::LocalNetworkSuspect { operation } => {
            journal.note(Level::Bad, None, format!("{operation}: no region could be reached: is the fault on our side of the network?"));
        }
        Event::RegionAlert { region, failures, .. } => {
            journal.note(Level::Bad, Some(region), format!("alert: {failures} attempts in a row have failed"));
        }
        Event::OperatorOverride { region, kind, lasts } => {
            let time = lasts.map_or_else(String::new, |time| format!(" for {}", humantime::format_duration(time)));
            journal.note(Level::Info, Some(region), format!("operator: {kind}{time}"));
        }
        Event::OperatorOverrideEnded { region, kind, expired } => {
            let why = if *expired { "its time is over" } else { "undone" };
            journal.note(Level::Info, Some(region), format!("operator: no longer {kind}, {why}"));
        }
        Event::OperatorReset { region } => journal.note(Level::Info, Some(region), "operator: reset".into()),
        other => journal.note(Level::Info, None, format!("{other:?}")),
    }
}
