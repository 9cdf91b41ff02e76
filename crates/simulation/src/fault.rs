//! Faults of regions, and their latencies.

use std::time::Duration;

use crate::object_history::Ms;
use crate::rng::Rng;

/// What is wrong with a region for a while.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// Connections are refused at once.
    Refuse,
    /// A partition: requests get no response. A write may take effect.
    Swallow,
    /// Responses have this status and code. A write with a 5xx response may take effect, unless
    /// the code is `SlowDown`.
    Respond(u16, &'static str),
    /// Connections are reset before the response. A write may take effect.
    Reset,
    /// Responses take this many times as long.
    Slow(u32),
    /// Requests above this rate per second get `SlowDown`, with `Retry-After` if a time is given.
    Throttle(u32, Option<Duration>),
    /// Bodies end early, as if they were complete. Listings break.
    Truncate,
    /// Bodies and listings break midway.
    Break,
    /// Bodies and listings stop midway and never continue.
    Stall,
    /// Bodies continue after their end.
    Overlong,
    /// Bodies are of another range than requested, and their headers say so.
    OtherRange,
    /// The client rejects the response because of a wrong `Content-Range`.
    BadContentRange,
    /// `If-Match` is ignored.
    IgnoreMatch,
    /// Responses have a wrong object size.
    OtherSize,
}

/// A fault of one region, with its begin and end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaultWindow {
    /// The index of the region.
    pub region: usize,
    /// The begin, in milliseconds since the begin of the run.
    pub from: u64,
    /// The end, exclusive, in milliseconds since the begin of the run.
    pub until: u64,
    /// The fault.
    pub fault: Fault,
    /// The share of requests that it affects, 0 to 1.
    pub share: f64,
}

/// The response time of a region: lognormal with a tail.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Latency {
    /// The median, in milliseconds.
    pub median: f64,
    /// The spread: 0.3 is narrow, 1 is wide.
    pub sigma: f64,
    /// The share of responses that take ten times as long.
    pub tail: f64,
}

impl FaultWindow {
    pub(crate) fn is_on(&self, region: usize, now: Ms) -> bool {
        self.region == region && (self.from..self.until).contains(&now)
    }
}

impl Latency {
    /// The time of one response.
    pub(crate) fn draw(&self, rng: &mut Rng) -> Ms {
        let tail = if rng.chance(self.tail) { 10.0 } else { 1.0 };
        ((rng.lognormal(self.median, self.sigma) * tail) as Ms).clamp(1, MAX_LATENCY_MS)
    }
}

impl Fault {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        let codes = [
            (500, "InternalError"),
            (503, "ServiceUnavailable"),
            (503, "SlowDown"),
            (502, ""),
            (403, "AccessDenied"),
            (404, "NoSuchBucket"),
        ];
        match rng.between(0, 17) {
            0 | 1 => Self::Refuse,
            2 | 3 => Self::Swallow,
            4 | 5 => {
                let (status, code) = rng.pick(&codes);
                Self::Respond(status, code)
            }
            6 | 17 => Self::Reset,
            7 => Self::Slow(rng.between(3, 40) as u32),
            8 => Self::Throttle(
                rng.between(0, 8) as u32,
                rng.pick(&[
                    None,
                    None,
                    Some(Duration::from_secs(1)),
                    Some(Duration::from_secs(3600)),
                ]),
            ),
            9 => Self::Truncate,
            10 | 11 => Self::Break,
            12 => Self::Stall,
            13 => Self::Overlong,
            14 => Self::OtherRange,
            15 => rng.pick(&[Self::BadContentRange, Self::OtherSize]),
            _ => Self::IgnoreMatch,
        }
    }
}

const MAX_LATENCY_MS: Ms = 60_000;
