//! Accumulated waiting without a response, over all attempts of a region.
//!
//! Callers with timeouts shorter than the attempt limit cancel before an attempt fails, and a busy
//! service sends thousands of reads to a hanging region before the first attempt times out.
//! Attempts therefore report their waiting time periodically, and when they are given up. A
//! response resets the sum. If the sum is large enough while another region responds, the circuit
//! opens.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::futures::OwnedNotified;

use super::RegionHealth;
use super::breaker::Ticket;
use super::config::BreakerConfig;
use crate::runtime::clock::Instant;
use crate::runtime::sync::atomic::Ordering;
use crate::types::CircuitClass;

/// What an attempt waits for. A region may send headers and then no body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitingFor {
    Headers,
    Bytes,
}

/// The current wait of one attempt.
#[derive(Debug, Clone, Copy)]
pub(super) struct PendingWait {
    pub(super) what: WaitingFor,
    pub(super) since: Instant,
    /// End of the time that is already part of the sum.
    pub(super) reported_until: Instant,
    /// At least one report is part of the sum.
    pub(super) reported: bool,
}

impl PendingWait {
    pub(super) fn new(what: WaitingFor, now: Instant) -> Self {
        Self {
            what,
            since: now,
            reported_until: now,
            reported: false,
        }
    }
}

/// Waiting at one region since its last activity.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// Start of the earliest of these waits.
    since: Option<Instant>,
    /// Time of the last report.
    last_report: Option<Instant>,
    attempts: u32,
    waited: Duration,
}

impl Silence {
    /// Adds the unreported part of `wait`. `last_activity` is the region's last response or byte.
    pub(super) fn add_wait(
        &mut self,
        wait: &mut PendingWait,
        last_activity: Instant,
        config: &BreakerConfig,
        now: Instant,
    ) {
        let is_answered = self.since.is_some_and(|since| since < last_activity);
        let is_old = self
            .last_report
            .is_some_and(|reported| now.saturating_duration_since(reported) > config.window);
        if is_answered || is_old {
            *self = Self::default();
        }
        // A report that comes too late is no evidence against the region: the future was not
        // polled, or the process was suspended.
        if now.saturating_duration_since(wait.reported_until) > config.silence.saturating_mul(2) {
            wait.reported_until = now;
            return;
        }
        let from = wait.reported_until.max(last_activity);
        if now <= from {
            return;
        }
        let is_counted = wait.reported && wait.reported_until > last_activity;
        self.attempts += u32::from(!is_counted);
        self.waited = self.waited.saturating_add(now - from);
        let since = wait.since.max(last_activity);
        self.since = Some(self.since.map_or(since, |first| first.min(since)));
        self.last_report = Some(now);
        (wait.reported_until, wait.reported) = (now, true);
    }

    /// Start of the silence, if it is long enough to open the circuit.
    pub(super) fn exceeded_since(&self, config: &BreakerConfig, now: Instant) -> Option<Instant> {
        let since = self.since?;
        // The sum alone is no criterion: 1000 attempts wait 5 s in total within 5 ms. The silence
        // itself must have lasted too.
        let is_exceeded = self.attempts >= config.failure_threshold
            && self.waited >= config.silence.saturating_mul(config.failure_threshold)
            && now.saturating_duration_since(since) >= config.silence;
        is_exceeded.then_some(since)
    }

    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Resolves when a circuit of the region opens for silence.
pub(crate) type SilenceSignal = Pin<Box<OwnedNotified>>;

impl RegionHealth {
    /// Median time to response headers of gets and heads. None with too few samples.
    pub(crate) fn p50(&self) -> Option<Duration> {
        self.latency.p50()
    }

    /// 95th percentile of the same.
    pub(crate) fn p95(&self) -> Option<Duration> {
        self.latency.p95()
    }

    /// Interval at which waiting attempts report.
    pub(crate) fn silence(&self) -> Duration {
        self.config.silence
    }

    /// How long a read waits for its trial before it starts an attempt in another region.
    ///
    /// It doubles with each trial that was cancelled without a response, up to `silence`. A trial
    /// that loses its race dies with the runtime of its call: where each call has a runtime of its
    /// own, a far region could never close its circuit otherwise.
    pub(crate) fn trial_patience(&self) -> Duration {
        let patience = self.config.trial_patience;
        let doublings = self.cancelled_trials.load(Ordering::Relaxed).min(16);
        let longest = self.config.silence.max(patience);
        patience.saturating_mul(1 << doublings).min(longest)
    }

    pub(crate) fn silence_signal(&self, what: WaitingFor) -> SilenceSignal {
        Box::pin(Arc::clone(&self.silence_signals[what as usize]).notified_owned())
    }

    /// The region throttled a request within this time.
    pub(crate) fn is_throttling(&self, within: Duration, now: Instant) -> bool {
        self.last_throttled.is_within(within, now)
    }

    /// The region has responded since then, or no attempt has been waiting all that time.
    pub(crate) fn is_responding(&self, since: Instant) -> bool {
        let is_waited_for =
            self.counters.waiting.load(Ordering::Relaxed) > 0 && self.waiting_since.get() <= since;
        !is_waited_for || self.peers.last_response(self.index) > since
    }

    pub(super) fn on_throttled(&self, now: Instant) {
        self.last_throttled.set(now);
        self.peers.on_throttled(now);
    }

    /// The region sent response headers to a get or head, or a byte of a body.
    pub(super) fn on_activity(&self, what: WaitingFor, now: Instant) {
        match what {
            WaitingFor::Headers => self.peers.on_response(self.index, now),
            WaitingFor::Bytes => self.last_byte.set(now),
        }
    }

    /// Adds a wait until now. If that opens the circuit, all waiting attempts are notified.
    pub(super) fn on_wait(
        self: &Arc<Self>,
        class: CircuitClass,
        ticket: Ticket,
        wait: &mut PendingWait,
        now: Instant,
    ) {
        let last_activity = match wait.what {
            WaitingFor::Headers => self.peers.last_response(self.index),
            WaitingFor::Bytes => self.last_byte.get(),
        };
        let is_excluded = self.update_circuit(class, now, |circuit| {
            if !ticket.is_regular() || !circuit.breaker.is_current(ticket) {
                return (false, None);
            }
            let silence = &mut circuit.silences[wait.what as usize];
            silence.add_wait(wait, last_activity, &self.config, now);
            let since = silence
                .exceeded_since(&self.config, now)
                .filter(|since| self.peers.other_region_responded_since(self.index, *since));
            let waited = silence.waited();
            let change = since.and_then(|_| circuit.breaker.on_silence(ticket, waited, now));
            // Attempts keep waiting if an override admits all requests anyway.
            let is_excluded = change.is_some() && !circuit.active_override.forces_admission();
            (is_excluded, change)
        });
        if is_excluded {
            self.silence_signals[wait.what as usize].notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::clock::now;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    #[test]
    fn silence_needs_attempts_and_sum_and_duration() {
        let (start, config) = (now(), BreakerConfig::default());
        let last_activity = start;
        let at = |t: f64| start + secs(t);
        let mut silence = Silence::default();
        let mut one = PendingWait::new(WaitingFor::Headers, at(0.1));
        (1..=9).for_each(|t| silence.add_wait(&mut one, last_activity, &config, at(f64::from(t))));
        assert_eq!(
            silence.exceeded_since(&config, at(9.0)),
            None,
            "one attempt"
        );
        let mut others: Vec<_> = (0..4)
            .map(|_| PendingWait::new(WaitingFor::Headers, at(8.9)))
            .collect();
        others
            .iter_mut()
            .for_each(|wait| silence.add_wait(wait, last_activity, &config, at(9.0)));
        assert_eq!(silence.exceeded_since(&config, at(9.0)), Some(at(0.1)));

        let mut many = Silence::default();
        let mut waits: Vec<_> = (0..1_000)
            .map(|_| PendingWait::new(WaitingFor::Headers, at(1.0)))
            .collect();
        waits
            .iter_mut()
            .for_each(|wait| many.add_wait(wait, last_activity, &config, at(1.5)));
        assert_eq!(many.exceeded_since(&config, at(1.5)), None, "half a second");
        waits
            .iter_mut()
            .for_each(|wait| many.add_wait(wait, last_activity, &config, at(2.0)));
        assert!(many.exceeded_since(&config, at(2.0)).is_some());
    }

    #[test]
    fn activity_resets_silence() {
        let (start, config) = (now(), BreakerConfig::default());
        let at = |t: f64| start + secs(t);
        let mut silence = Silence::default();
        let mut waits: Vec<_> = (0..10)
            .map(|_| PendingWait::new(WaitingFor::Headers, at(0.0)))
            .collect();
        waits
            .iter_mut()
            .for_each(|wait| silence.add_wait(wait, start, &config, at(0.9)));
        waits
            .iter_mut()
            .for_each(|wait| silence.add_wait(wait, at(0.95), &config, at(1.2)));
        assert_eq!(silence.waited(), secs(0.25) * 10);
        assert_eq!(silence.exceeded_since(&config, at(1.2)), None);
    }

    #[test]
    fn late_reports_are_ignored_and_old_ones_expire() {
        let (start, config) = (now(), BreakerConfig::default());
        let at = |t: f64| start + secs(t);
        let mut silence = Silence::default();
        for _ in 0..20 {
            silence.add_wait(
                &mut PendingWait::new(WaitingFor::Headers, at(0.0)),
                start,
                &config,
                at(3.0),
            );
        }
        assert_eq!(silence.waited(), Duration::ZERO, "reported too late");
        for t in 0..5 {
            silence.add_wait(
                &mut PendingWait::new(WaitingFor::Headers, at(11.0 * f64::from(t))),
                start,
                &config,
                at(11.0 * f64::from(t) + 1.9),
            );
        }
        assert_eq!(silence.waited(), secs(1.9), "one report every 11 s");
    }

    #[test]
    fn repeated_reports_count_one_attempt() {
        let (start, config) = (now(), BreakerConfig::default());
        let at = |t: f64| start + secs(t);
        let mut silence = Silence::default();
        let mut wait = PendingWait::new(WaitingFor::Headers, start);
        (1..20).for_each(|t| silence.add_wait(&mut wait, start, &config, at(f64::from(t))));
        assert_eq!(silence.exceeded_since(&config, at(19.0)), None);
        assert_eq!(silence.waited(), secs(19.0));
    }
}
