//! One response in flight: how much has been sent, and what its fault does with the next bytes.

use std::time::Duration;

use tokio::time::Instant;

use super::control::CurrentFault;
use super::fault::Fault;

#[derive(Default)]
pub(crate) struct ResponseProgress {
    /// The queued fault of this response, and the version of the current fault that it replaces.
    queued: Option<(Fault, u64)>,
    /// When its first bytes arrived from the server.
    started_at: Option<Instant>,
    /// How many bytes of the `\r\n\r\n` at the end of the head have been sent.
    head_end_matched: usize,
    /// How many bytes of the body have been sent.
    body: u64,
    /// When a trickling body continues.
    resume_at: Option<Instant>,
    /// Whether its fault has taken effect.
    injected: bool,
}

pub(crate) enum Step {
    /// Send so many bytes.
    Send(usize),
    /// Send nothing before this instant.
    Wait(Instant),
    /// Send nothing under this fault.
    Freeze,
    Reset,
    Close,
}

impl ResponseProgress {
    /// The response to a request that has just arrived.
    pub(crate) fn new(queued: Option<(Fault, u64)>) -> Self {
        Self {
            queued,
            ..Self::default()
        }
    }

    /// The fault that applies: the queued one, until the current fault is set again.
    pub(crate) fn fault(&self, current: &CurrentFault) -> Fault {
        match &self.queued {
            Some((fault, version)) if *version == current.version => fault.clone(),
            _ => current.fault.clone(),
        }
    }

    /// What to do with the next bytes.
    pub(crate) fn step(&mut self, fault: &Fault, bytes: &[u8], now: Instant) -> Step {
        let started_at = *self.started_at.get_or_insert(now);
        match fault {
            Fault::Pass | Fault::Respond(_) => Step::Send(bytes.len()),
            Fault::Swallow | Fault::Blackhole => Step::Freeze,
            Fault::Refuse | Fault::Lose => Step::Reset,
            Fault::Delay(delay) if now < started_at + *delay => Step::Wait(started_at + *delay),
            Fault::Delay(_) => Step::Send(bytes.len()),
            Fault::Trickle(rate) => self.trickle((*rate).max(1), bytes, now),
            Fault::ResetAfter(limit) => self.pass_up_to(*limit, bytes, Step::Reset),
            Fault::StallAfter(limit) => self.pass_up_to(*limit, bytes, Step::Freeze),
            Fault::CloseAfter(limit) => self.pass_up_to(*limit, bytes, Step::Close),
        }
    }

    /// Records sent bytes and returns how many of them belong to the body.
    pub(crate) fn on_sent(&mut self, bytes: &[u8]) -> u64 {
        let (head, head_end_matched) = self.head_length(bytes);
        let body = (bytes.len() - head) as u64;
        self.head_end_matched = head_end_matched;
        self.body += body;
        body
    }

    /// Whether its fault takes effect for the first time.
    pub(crate) fn first_injection(&mut self) -> bool {
        !std::mem::replace(&mut self.injected, true)
    }

    fn pass_up_to(&self, limit: u64, bytes: &[u8], then: Step) -> Step {
        let (head, _) = self.head_length(bytes);
        let remaining = usize::try_from(limit.saturating_sub(self.body)).unwrap_or(usize::MAX);
        match head + remaining.min(bytes.len() - head) {
            0 => then,
            some => Step::Send(some),
        }
    }

    fn trickle(&mut self, rate: u64, bytes: &[u8], now: Instant) -> Step {
        let (head, _) = self.head_length(bytes);
        if head > 0 {
            return Step::Send(head);
        }
        let resume_at = self.resume_at.unwrap_or(now);
        if now < resume_at {
            return Step::Wait(resume_at);
        }
        let chunk = bytes
            .len()
            .min(usize::try_from((rate / CHUNKS_PER_SECOND).max(1)).unwrap_or(usize::MAX));
        self.resume_at = Some(resume_at + Duration::from_secs_f64(chunk as f64 / rate as f64));
        Step::Send(chunk)
    }

    /// How many of these bytes belong to the head, and how much of its end they match.
    fn head_length(&self, bytes: &[u8]) -> (usize, usize) {
        let mut head_end_matched = self.head_end_matched;
        for (at, byte) in bytes.iter().enumerate() {
            head_end_matched = match (head_end_matched, byte) {
                (4, _) => return (at, 4),
                (0 | 2, b'\r') | (1 | 3, b'\n') => head_end_matched + 1,
                (_, b'\r') => 1,
                _ => 0,
            };
        }
        (bytes.len(), head_end_matched)
    }
}

/// A trickling body is sent in so many chunks a second.
const CHUNKS_PER_SECOND: u64 = 20;
