//! State shared by a proxy and its connections: the current fault, queued faults, counters.

use std::collections::{HashMap, VecDeque};
use std::mem::{Discriminant, discriminant};
use std::ops::Sub;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

use super::fault::Fault;
use crate::lock;

/// Counters since the proxy started. Subtract two of them for an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub connections: u64,
    /// Request heads received, with or without a response.
    pub requests: u64,
    /// Faults that took effect. A fault at a position after a response's end does not.
    pub faults_injected: u64,
    /// Bytes of responses written to clients, including their heads.
    pub bytes: u64,
    /// Bytes of response bodies written to clients.
    pub body_bytes: u64,
}

impl Sub for Counts {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            connections: self.connections - earlier.connections,
            requests: self.requests - earlier.requests,
            faults_injected: self.faults_injected - earlier.faults_injected,
            bytes: self.bytes - earlier.bytes,
            body_bytes: self.body_bytes - earlier.body_bytes,
        }
    }
}

/// The fault that applies until the next one is set.
#[derive(Clone)]
pub(crate) struct CurrentFault {
    pub(crate) fault: Fault,
    pub(crate) version: u64,
}

pub(crate) struct Control {
    current: watch::Sender<CurrentFault>,
    next: Mutex<VecDeque<Fault>>,
    connections: AtomicU64,
    requests: AtomicU64,
    faults_injected: AtomicU64,
    /// Bytes, and body bytes, sent under each kind of fault.
    sent: Mutex<HashMap<Discriminant<Fault>, (u64, u64)>>,
}

impl Default for Control {
    fn default() -> Self {
        Self {
            current: watch::Sender::new(CurrentFault {
                fault: Fault::Pass,
                version: 0,
            }),
            next: Mutex::default(),
            connections: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            faults_injected: AtomicU64::new(0),
            sent: Mutex::default(),
        }
    }
}

impl Control {
    /// Sets the current fault; clears queued faults and those of single responses.
    pub(crate) fn set(&self, fault: Fault) {
        lock(&self.next).clear();
        self.current.send_modify(|current| {
            *current = CurrentFault {
                fault,
                version: current.version + 1,
            }
        });
    }

    pub(crate) fn queue(&self, faults: impl IntoIterator<Item = Fault>) {
        lock(&self.next).extend(faults);
    }

    pub(crate) fn queued(&self) -> usize {
        lock(&self.next).len()
    }

    pub(crate) fn watch(&self) -> watch::Receiver<CurrentFault> {
        self.current.subscribe()
    }

    pub(crate) fn on_connection(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request and returns its queued fault.
    pub(crate) fn on_request(&self) -> Option<Fault> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        lock(&self.next).pop_front()
    }

    pub(crate) fn on_fault_injected(&self) {
        self.faults_injected.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn on_sent(&self, fault: &Fault, bytes: u64, body: u64) {
        let mut sent = lock(&self.sent);
        let sent = sent.entry(discriminant(fault)).or_default();
        *sent = (sent.0 + bytes, sent.1 + body);
    }

    /// All counters; the bytes are limited to one kind of fault, if given.
    pub(crate) fn counts(&self, under: Option<&Fault>) -> Counts {
        let under = under.map(discriminant);
        let sent = lock(&self.sent);
        let counted = sent
            .iter()
            .filter(|(kind, _)| under.is_none_or(|under| under == **kind))
            .map(|(_, sent)| sent);
        let (bytes, body_bytes) =
            counted.fold((0, 0), |sum, sent| (sum.0 + sent.0, sum.1 + sent.1));
        Counts {
            connections: self.connections.load(Ordering::Relaxed),
            requests: self.requests.load(Ordering::Relaxed),
            faults_injected: self.faults_injected.load(Ordering::Relaxed),
            bytes,
            body_bytes,
        }
    }
}
