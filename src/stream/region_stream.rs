//! The part of a response that one region streams, with the stall limit and the permit that waits
//! for the verdict.

use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::stream::BoxStream;

use crate::health::{Permit, SilenceSignal, WaitingFor};
use crate::runtime::clock;
use crate::stream::stall::{StallEvent, StallGuard};

pub(crate) struct RegionStream<T> {
    stream: StallGuard<T>,
    pub(crate) region: usize,
    pub(crate) permit: Permit,
    silence: SilenceState,
}

/// Whether waiting for this stream counts as silence of its region.
enum SilenceState {
    /// It does not: the next page of a listing may take long.
    Ignored,
    /// It does. The signal resolves when the circuit opens for silence.
    Counts(Option<SilenceSignal>),
    /// The circuit opened for silence, but this wait is still short: bytes may arrive all the same.
    Suspect,
}

impl<T> RegionStream<T> {
    /// A stream whose pauses do not count as silence; only the limit ends a wait.
    pub(crate) fn without_silence_detection(
        stream: BoxStream<'static, T>,
        limit: Duration,
        region: usize,
        permit: Permit,
    ) -> Self {
        Self {
            stream: StallGuard::new(stream, limit, limit),
            region,
            permit,
            silence: SilenceState::Ignored,
        }
    }

    /// A stream whose pauses count as silence of the region.
    pub(crate) fn with_silence_detection(
        stream: BoxStream<'static, T>,
        limit: Duration,
        region: usize,
        permit: Permit,
    ) -> Self {
        let stream = StallGuard::new(stream, limit, permit.health().silence());
        Self {
            stream,
            region,
            permit,
            silence: SilenceState::Counts(None),
        }
    }

    /// The caller is waiting for the next item.
    pub(crate) fn is_waiting(&self) -> bool {
        self.stream.is_waiting()
    }

    pub(crate) fn limit(&self) -> Duration {
        self.stream.limit()
    }

    /// The next event. Each start and end of a wait is reported to the permit: the clock of a trial
    /// runs only while its caller waits.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<StallEvent<T>> {
        loop {
            let was_waiting = self.stream.is_waiting();
            let poll = self.stream.poll_step(cx);
            if self.stream.take_delayed() {
                self.permit.restart_wait(clock::now());
            }
            match (was_waiting, self.stream.is_waiting()) {
                (false, true) => self.permit.on_body_wait(self.counts(), clock::now()),
                (true, false) => self.on_item(),
                _ => {}
            }
            match poll {
                Poll::Ready(StallEvent::WaitTick) => {
                    self.permit.report_wait(clock::now());
                    // The wait has now lasted a full tick, which confirms the silence.
                    if matches!(self.silence, SilenceState::Suspect) {
                        self.silence = SilenceState::Ignored;
                        return Poll::Ready(StallEvent::RegionSilent);
                    }
                }
                Poll::Pending if self.poll_silence_signal(cx) => {
                    return Poll::Ready(StallEvent::RegionSilent);
                }
                poll => return poll,
            }
        }
    }

    /// Pauses count as silence of the region.
    fn counts(&self) -> bool {
        !matches!(self.silence, SilenceState::Ignored)
    }

    fn on_item(&mut self) {
        self.permit.on_body_progress(clock::now());
        if !matches!(self.silence, SilenceState::Ignored) {
            self.silence = SilenceState::Counts(None);
        }
    }

    /// The circuit opened for silence since the caller started to wait, and this stream is silent
    /// too.
    fn poll_silence_signal(&mut self, cx: &mut Context<'_>) -> bool {
        let SilenceState::Counts(silence_signal) = &mut self.silence else {
            return false;
        };
        let silence_signal = silence_signal
            .get_or_insert_with(|| self.permit.health().silence_signal(WaitingFor::Bytes));
        if silence_signal.poll_unpin(cx).is_pending() {
            return false;
        }
        let is_silent_here = self.stream.waited(clock::now()) >= self.permit.health().silence();
        self.silence = if is_silent_here {
            SilenceState::Ignored
        } else {
            SilenceState::Suspect
        };
        is_silent_here
    }
}
