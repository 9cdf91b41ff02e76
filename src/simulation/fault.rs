//! What can befall a region, and how it feels to those who ask it.

use std::time::Duration;

use super::dice::Dice;
use super::truth::Ms;

/// What befalls a region for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Nobody listens: connections are refused at once.
    Refuse,
    /// A partition: requests are swallowed and nothing comes back. A write may have arrived.
    Swallow,
    /// It answers with this status and code. A write that is answered with a 5xx may have been done, unless the code says `SlowDown`.
    Answer(u16, &'static str),
    /// Connections are reset before the answer. A write may have been done.
    Reset,
    /// Everything takes so many times as long.
    Slow(u32),
    /// More requests per second than this are turned away with `SlowDown`, and with a wish to be left alone where one is named.
    Throttle(u32, Option<Duration>),
    /// Bodies and listings end early, as if that were all.
    Cut,
    /// Bodies and listings break midway.
    Break,
    /// Bodies and listings stop midway and never go on.
    Stall,
    /// Bodies go on after their end.
    Overlong,
    /// Bodies are of another range than was asked for, and say so.
    OtherRange,
    /// object_store itself has refused a wrong `Content-Range`.
    BadContentRange,
    /// `If-Match` is ignored.
    IgnoreMatch,
    /// Answers name a wrong size of the object.
    OtherSize,
}

/// A fault from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spell {
    /// The index of the region.
    pub region: usize,
    /// When it begins, in milliseconds since the life began.
    pub from: u64,
    /// When it is over.
    pub until: u64,
    /// What it is.
    pub fault: Fault,
    /// The share of requests that meet it, 0 to 1.
    pub share: f64,
}

/// How long a region takes to answer: lognormal, with a tail.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Latency {
    /// Half of all answers take longer, in milliseconds.
    pub median: f64,
    /// How wide they are spread around it: 0.3 is calm, 1 is wild.
    pub sigma: f64,
    /// The share of answers that take ten times as long on top.
    pub tail: f64,
}

impl Spell {
    pub(super) fn is_on(&self, region: usize, now: Ms) -> bool {
        self.region == region && (self.from..self.until).contains(&now)
    }
}

impl Latency {
    /// How long one answer takes.
    pub(super) fn draw(&self, dice: &mut Dice) -> Ms {
        let tail = if dice.chance(self.tail) { 10.0 } else { 1.0 };
        ((dice.lognormal(self.median, self.sigma) * tail) as Ms).clamp(1, LONGEST)
    }
}

impl Fault {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let codes = [
            (500, "InternalError"),
            (503, "ServiceUnavailable"),
            (503, "SlowDown"),
            (502, ""),
            (403, "AccessDenied"),
            (404, "NoSuchBucket"),
        ];
        match dice.between(0, 17) {
            0 | 1 => Self::Refuse,
            2 | 3 => Self::Swallow,
            4 | 5 => {
                let (status, code) = dice.pick(&codes);
                Self::Answer(status, code)
            }
            6 | 17 => Self::Reset,
            7 => Self::Slow(dice.between(3, 40) as u32),
            8 => Self::Throttle(
                dice.between(0, 8) as u32,
                dice.pick(&[None, None, Some(Duration::from_secs(1)), Some(Duration::from_secs(3600))]),
            ),
            9 => Self::Cut,
            10 | 11 => Self::Break,
            12 => Self::Stall,
            13 => Self::Overlong,
            14 => Self::OtherRange,
            15 => dice.pick(&[Self::BadContentRange, Self::OtherSize]),
            _ => Self::IgnoreMatch,
        }
    }
}

/// No answer takes longer than a minute by itself.
const LONGEST: Ms = 60_000;
