//! Silence counts: waiting that brought nothing, added up over a region's attempts.
//!
//! Callers with limits shorter than ours go away before an attempt has failed, and a busy service sends thousands of reads into
//! a region that hangs before the first attempt limit is over. So attempts tell how long they have waited: every so often while
//! they wait, and when they are given up. Each answer sets the sum back to zero.

use std::time::Duration;

use super::config::BreakerConfig;
use crate::time::Instant;

/// What is waited for: a region may answer and then deliver nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    Headers,
    Bytes,
}

/// One attempt that waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wait {
    pub(super) what: For,
    pub(super) since: Instant,
    /// What it has told already.
    pub(super) told_until: Instant,
    /// It has told something.
    pub(super) told: bool,
}

impl Wait {
    pub(super) fn new(what: For, now: Instant) -> Self {
        Self { what, since: now, told_until: now, told: false }
    }
}

/// The waiting at one region since it last gave a sign of life.
#[derive(Debug, Default)]
pub(super) struct Silence {
    /// When the first of these waits began.
    began: Option<Instant>,
    /// When somebody told of it last.
    told: Option<Instant>,
    attempts: u32,
    waited: Duration,
}

impl Silence {
    /// A wait goes on, or was given up; `heard` is when the region last gave a sign of life.
    ///
    /// Whoever tells much later than it should have was not listening itself: nobody polled it, or the whole process stood still. That
    /// says nothing about the region. What was told long ago says nothing about now.
    pub(super) fn add(&mut self, wait: &mut Wait, heard: Instant, config: &BreakerConfig, now: Instant) {
        if self.began.is_some_and(|began| began < heard)
            || self.told.is_some_and(|told| now.saturating_duration_since(told) > config.window)
        {
            *self = Self::default();
        }
        if now.saturating_duration_since(wait.told_until) > config.silence.saturating_mul(2) {
            wait.told_until = now;
            return;
        }
        let from = wait.told_until.max(heard);
        if now <= from {
            return;
        }
        let known = wait.told && wait.told_until > heard;
        self.attempts += u32::from(!known);
        self.waited = self.waited.saturating_add(now - from);
        let began = wait.since.max(heard);
        self.began = Some(self.began.map_or(began, |first| first.min(began)));
        self.told = Some(now);
        (wait.told_until, wait.told) = (now, true);
    }

    /// Long enough to leave the region alone, if it is not everybody's silence; since when.
    ///
    /// Besides the sum, the silence itself must have lasted: a thousand attempts together wait five seconds within five milliseconds.
    pub(super) fn is_enough(&self, config: &BreakerConfig, now: Instant) -> Option<Instant> {
        let began = self.began?;
        let enough = self.attempts >= config.failure_threshold
            && self.waited >= config.silence.saturating_mul(config.failure_threshold)
            && now.saturating_duration_since(began) >= config.silence;
        enough.then_some(began)
    }

    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::now;

    fn secs(secs: f64) -> Duration {
        Duration::from_secs_f64(secs)
    }

    #[test]
    fn it_takes_as_many_attempts_and_as_much_waiting_and_a_while() {
        let (start, config) = (now(), BreakerConfig::default());
        let heard = start;
        let at = |t: f64| start + secs(t);
        let mut silence = Silence::default();
        let mut one = Wait::new(For::Headers, at(0.1));
        (1..=9).for_each(|t| silence.add(&mut one, heard, &config, at(f64::from(t))));
        assert_eq!(silence.is_enough(&config, at(9.0)), None, "one attempt is not five");
        let mut others: Vec<_> = (0..4).map(|_| Wait::new(For::Headers, at(8.9))).collect();
        others.iter_mut().for_each(|wait| silence.add(wait, heard, &config, at(9.0)));
        assert_eq!(silence.is_enough(&config, at(9.0)), Some(at(0.1)));

        let mut crowd = Silence::default();
        let mut waits: Vec<_> = (0..1_000).map(|_| Wait::new(For::Headers, at(1.0))).collect();
        waits.iter_mut().for_each(|wait| crowd.add(wait, heard, &config, at(1.5)));
        assert_eq!(crowd.is_enough(&config, at(1.5)), None, "half a second is no silence");
        waits.iter_mut().for_each(|wait| crowd.add(wait, heard, &config, at(2.0)));
        assert!(crowd.is_enough(&config, at(2.0)).is_some());
    }

    #[test]
    fn a_sign_of_life_sets_it_back_to_zero() {
        let (start, config) = (now(), BreakerConfig::default());
        let at = |t: f64| start + secs(t);
        let mut silence = Silence::default();
        let mut waits: Vec<_> = (0..10).map(|_| Wait::new(For::Headers, at(0.0))).collect();
        waits.iter_mut().for_each(|wait| silence.add(wait, start, &config, at(0.9)));
        waits.iter_mut().for_each(|wait| silence.add(wait, at(0.95), &config, at(1.2)));
        assert_eq!(silence.waited(), secs(0.25) * 10);
        assert_eq!(silence.is_enough(&config, at(1.2)), None);
    }

    #[test]
    fn who_did_not_listen_has_nothing_to_tell_and_old_tales_are_forgotten() {
        let (start, config) = (now(), BreakerConfig::default());
        let at = |t: f64| start + secs(t);
        let mut silence = Silence::default();
        for _ in 0..20 {
            silence.add(&mut Wait::new(For::Headers, at(0.0)), start, &config, at(3.0));
        }
        assert_eq!(silence.waited(), Duration::ZERO, "nobody polled them");
        for t in 0..5 {
            silence.add(&mut Wait::new(For::Headers, at(11.0 * f64::from(t))), start, &config, at(11.0 * f64::from(t) + 1.9));
        }
        assert_eq!(silence.waited(), secs(1.9), "one every eleven seconds");
    }

    #[test]
    fn an_attempt_that_tells_twice_is_one_attempt() {
        let (start, config) = (now(), BreakerConfig::default());
        let at = |t: f64| start + secs(t);
        let mut silence = Silence::default();
        let mut wait = Wait::new(For::Headers, start);
        (1..20).for_each(|t| silence.add(&mut wait, start, &config, at(f64::from(t))));
        assert_eq!(silence.is_enough(&config, at(19.0)), None);
        assert_eq!(silence.waited(), secs(19.0));
    }
}
