//! The trace of a life: one line for each thing that happened, in order. Two lives from one seed have the same trace.

use std::collections::VecDeque;
use std::fmt;

use super::dice::mixed;
use super::truth::Ms;

/// Every line in one number, the last lines as text, and all of them where somebody wants to read them.
#[derive(Debug)]
pub(super) struct Trace {
    digest: u64,
    last: VecDeque<String>,
    whole: Option<String>,
}

impl Trace {
    pub(super) fn new(is_kept: bool) -> Self {
        Self { digest: 0, last: VecDeque::with_capacity(KEPT), whole: is_kept.then(String::new) }
    }

    pub(super) fn note(&mut self, now: Ms, what: fmt::Arguments<'_>) {
        let line = format!("{:>7}.{:03} {what}", now / 1000, now % 1000);
        self.digest = line.bytes().fold(self.digest, |digest, byte| digest.wrapping_mul(0x0100_0000_01B3) ^ u64::from(byte));
        if let Some(whole) = &mut self.whole {
            whole.push_str(&line);
            whole.push('\n');
        }
        if self.last.len() == KEPT {
            self.last.pop_front();
        }
        self.last.push_back(line);
    }

    pub(super) fn digest(&self) -> u64 {
        mixed(self.digest)
    }

    pub(super) fn last(&self) -> Vec<String> {
        self.last.iter().cloned().collect()
    }

    pub(super) fn take(&mut self) -> Option<String> {
        self.whole.take()
    }
}

/// Lines that are shown with a violation.
const KEPT: usize = 60;
