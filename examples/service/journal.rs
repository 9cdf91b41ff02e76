//! What happened, kept for those who come later: whoever is woken by an alert opens the page after the fact.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use humantime_serde::re::humantime;
use object_store_failover::{CircuitState, Event};
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};

use crate::clock::{Instant, now, wall_millis};
use crate::guard::unguessable;
use crate::service::Service;

/// Some hours of an unquiet night, half an hour of an outage of everything; a page shows no more.
const KEPT: usize = 200;
/// What each failed request could say again is said as often as this.
const AGAIN: Duration = Duration::from_secs(600);

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
    let mut suspicion = Suspicion::default();
    loop {
        match events.recv().await {
            Ok(event) => write(&service.journal, &event, &mut suspicion),
            Err(RecvError::Lagged(count)) => service.journal.note(Level::Warn, None, format!("{count} events came too fast and are lost")),
            Err(RecvError::Closed) => return,
        }
    }
}

/// That no region can be reached comes with each request. One line says it, and the next one how often it was so meanwhile: an outage of
/// everything must not wash away how it began.
#[derive(Default)]
struct Suspicion {
    told: Option<Instant>,
    untold: u64,
}

impl Suspicion {
    /// How many were not told before this one, where it is to be told.
    fn rises(&mut self) -> Option<u64> {
        let now = now();
        if self.told.is_some_and(|told| now.saturating_duration_since(told) < AGAIN) {
            self.untold += 1;
            return None;
        }
        self.told = Some(now);
        Some(std::mem::take(&mut self.untold))
    }
}

fn write(journal: &Journal, event: &Event, suspicion: &mut Suspicion) {
    match event {
        // Once a second and region while none is left: it changes nothing.
        Event::CircuitChanged { change, .. } if change.is_early_probing() => {}
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
            let Some(untold) = suspicion.rises() else { return };
            let often = if untold == 0 { String::new() } else { format!(" ({untold} times more since the last line)") };
            let text = format!("{operation}: no region could be reached: is the fault on our side of the network?{often}");
            journal.note(Level::Bad, None, text);
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
