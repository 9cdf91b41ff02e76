//! The most recent events of the store and of the demo servers, kept in memory.
//!
//! An operator usually opens the page after the event that raised the alert, so the page shows
//! stored entries and not only new ones.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use object_store_failover::CircuitState;
use object_store_failover::health::{Event, Transition};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast::{Receiver, Sender, error::RecvError};
use tokio::time::Instant;

use crate::auth::random_id;
use crate::service::Service;

/// Number of stored entries; the page shows no more.
const EVENT_CAPACITY: usize = 200;
/// Minimum time between two entries for requests that reach no region.
const REPEAT_INTERVAL: Duration = Duration::from_secs(600);

/// Severity of an entry; the page colours it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Good,
    Info,
    Warn,
    Bad,
}

/// One entry of the log.
#[derive(Debug, Clone, Serialize)]
pub struct Entry {
    /// Consecutive number, from 1.
    pub number: u64,
    /// Milliseconds since the Unix epoch.
    at: u64,
    level: Level,
    region: Option<String>,
    text: String,
}

#[derive(Debug)]
pub struct EventLog {
    /// Distinguishes this process from an earlier one, whose entry numbers a page may still hold.
    pub run_id: String,
    entries: Mutex<Entries>,
    live: Sender<Arc<Entry>>,
}

#[derive(Debug, Default)]
struct Entries {
    last_number: u64,
    stored: VecDeque<Arc<Entry>>,
}

impl EventLog {
    #[must_use]
    #[expect(clippy::new_without_default, reason = "every log has another run id")]
    pub fn new() -> Self {
        Self {
            run_id: random_id(),
            entries: Mutex::default(),
            live: Sender::new(EVENT_CAPACITY),
        }
    }

    pub fn push(&self, level: Level, region: Option<&str>, text: String) {
        let mut entries = self.entries.lock();
        entries.last_number += 1;
        let entry = Arc::new(Entry {
            number: entries.last_number,
            at: unix_millis(),
            level,
            region: region.map(str::to_owned),
            text,
        });
        if entries.stored.len() == EVENT_CAPACITY {
            entries.stored.pop_front();
        }
        entries.stored.push_back(Arc::clone(&entry));
        // Sent under the lock, so that a new reader gets the entry once: stored or live.
        // An error means that there is no reader.
        let _ = self.live.send(entry);
    }

    /// The stored entries with a higher number, and a receiver of all later entries.
    pub fn entries_after(&self, number: u64) -> (Vec<Arc<Entry>>, Receiver<Arc<Entry>>) {
        let entries = self.entries.lock();
        let stored = entries.stored.iter();
        let newer = stored.filter(|entry| entry.number > number).cloned();
        (newer.collect(), self.live.subscribe())
    }
}

/// Records the store's events until the store is dropped. Lost events give an entry with a count.
pub async fn record_events(service: Arc<Service>, mut events: Receiver<Event>) {
    let log = &service.event_log;
    let mut unreachable = UnreachableReports::default();
    loop {
        match events.recv().await {
            Ok(event) => record_event(log, &event, &mut unreachable),
            Err(RecvError::Lagged(count)) => {
                let text = format!("{count} events lost: they arrived too fast");
                log.push(Level::Warn, None, text);
            }
            Err(RecvError::Closed) => return,
        }
    }
}

/// Limits the entries for requests that reach no region: each failed request emits such an event,
/// and an outage of all regions would push out the entries about its start.
#[derive(Debug, Default)]
struct UnreachableReports {
    last: Option<Instant>,
    suppressed: u64,
}

impl UnreachableReports {
    /// The number of events suppressed since the last entry, if a new entry is due.
    fn take_due(&mut self) -> Option<u64> {
        let now = Instant::now();
        let elapsed = |last: Instant| now.saturating_duration_since(last);
        if self
            .last
            .is_some_and(|last| elapsed(last) < REPEAT_INTERVAL)
        {
            self.suppressed += 1;
            return None;
        }
        self.last = Some(now);
        Some(std::mem::take(&mut self.suppressed))
    }
}

fn record_event(log: &EventLog, event: &Event, unreachable: &mut UnreachableReports) {
    let (level, region, text) = match event {
        // Last-resort attempts change nothing, and there is one a second and region in an outage.
        Event::CircuitChanged { change, .. } if change.is_last_resort() => return,
        Event::CircuitChanged {
            region,
            class,
            change,
        } => {
            let text = format!("{class} circuit {}: {}", change.to, change.reason);
            (transition_level(change), Some(region), text)
        }
        Event::LocalNetworkSuspect { operation } => {
            let Some(suppressed) = unreachable.take_due() else {
                return;
            };
            let repeats = match suppressed {
                0 => String::new(),
                count => format!(" ({count} more since the last entry)"),
            };
            let text =
                format!("{operation}: no region reachable; check this instance's network{repeats}");
            (Level::Bad, None, text)
        }
        Event::RegionAlert {
            region, failures, ..
        } => {
            let text = format!("region failing: {failures} consecutive failures");
            (Level::Bad, Some(region), text)
        }
        Event::OperatorOverride {
            region,
            kind,
            duration,
        } => {
            let duration = duration.map_or_else(String::new, |duration| {
                format!(" for {}", humantime::format_duration(duration))
            });
            let text = format!("override set: {kind}{duration}");
            (Level::Info, Some(region), text)
        }
        Event::OperatorOverrideEnded {
            region,
            kind,
            expired,
        } => {
            // Without `expired` it was cleared or replaced; the event does not distinguish them.
            let reason = if *expired { " (expired)" } else { "" };
            let text = format!("override ended: {kind}{reason}");
            (Level::Info, Some(region), text)
        }
        Event::OperatorReset { region } => (Level::Info, Some(region), "circuits reset".into()),
        other => (Level::Info, None, format!("{other:?}")),
    };
    log.push(level, region.map(|region| &**region), text);
}

fn transition_level(change: &Transition) -> Level {
    match change.to {
        CircuitState::Closed => Level::Good,
        CircuitState::Open => Level::Bad,
        // Half-open, and states that the library may add.
        _ => Level::Warn,
    }
}

/// Milliseconds since the Unix epoch, as JavaScript's `Date` counts.
pub(crate) fn unix_millis() -> u64 {
    let elapsed = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
}
