//! The trace of a run: one line per event, in order. Two runs of one seed have the same trace.

use std::collections::VecDeque;
use std::fmt;

use crate::object_history::Ms;
use crate::rng::mix;

/// A digest of all lines, the last lines as text, and all lines if the trace is kept.
#[derive(Debug)]
pub(crate) struct Trace {
    digest: u64,
    last: VecDeque<String>,
    whole: Option<String>,
}

impl Trace {
    pub(crate) fn new(is_kept: bool) -> Self {
        Self {
            digest: 0,
            last: VecDeque::with_capacity(CONTEXT_LINES),
            whole: is_kept.then(String::new),
        }
    }

    pub(crate) fn record(&mut self, now: Ms, what: fmt::Arguments<'_>) {
        let line = format!("{:>7}.{:03} {what}", now / 1000, now % 1000);
        self.digest = line.bytes().fold(self.digest, |digest, byte| {
            digest.wrapping_mul(0x0100_0000_01B3) ^ u64::from(byte)
        });
        if let Some(whole) = &mut self.whole {
            whole.push_str(&line);
            whole.push('\n');
        }
        if self.last.len() == CONTEXT_LINES {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    pub(crate) fn digest(&self) -> u64 {
        mix(self.digest)
    }

    pub(crate) fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    pub(crate) fn take(&mut self) -> Option<String> {
        self.whole.take()
    }
}

/// Lines that a violation shows.
const CONTEXT_LINES: usize = 60;
