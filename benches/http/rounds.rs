//! The judge: rounds of four slices, in which direct reads go first and last, so that a machine that grows slower harms both alike.

use std::sync::Arc;
use std::time::Duration;

use crate::args::{Cell, Scale};
use crate::rig::clients::Client;
use crate::rig::cpu::Processes;
use crate::rig::load::{Seen, load};
use crate::rig::statistics::Median;

/// What the two slices of one client in one round came to.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    /// Reads per second.
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// Processor time of client and proxy for each read, in microseconds.
    pub(crate) cpu_us: f64,
}

/// Direct, other, other, direct.
pub(crate) struct Round {
    pub(crate) direct: Side,
    pub(crate) other: Side,
}

#[derive(Default)]
pub(crate) struct Rounds {
    pub(crate) played: Vec<Round>,
    failed: usize,
    pub(crate) first_error: Option<String>,
}

/// Connections are opened, and code is warm.
const WARM_UP: Duration = Duration::from_millis(300);

impl Rounds {
    pub(crate) async fn play(direct: &Arc<Client>, other: &Arc<Client>, cell: Cell, scale: Scale, on_round: impl Fn()) -> Self {
        let mut rounds = Self::default();
        for client in [direct, other] {
            let warm = load(client, cell.object, cell.readers, WARM_UP.min(scale.slice)).await;
            rounds.note(&warm);
        }
        let (none, proxies) = (Processes::none(), Processes::below_us());
        for _ in 0..scale.rounds {
            let mut direct_seen = slice(direct, cell, scale, &none).await;
            let mut other_seen = slice(other, cell, scale, &proxies).await;
            other_seen.add(slice(other, cell, scale, &proxies).await);
            direct_seen.add(slice(direct, cell, scale, &none).await);
            rounds.note(&direct_seen.seen);
            rounds.note(&other_seen.seen);
            rounds.played.push(Round { direct: direct_seen.side(), other: other_seen.side() });
            on_round();
        }
        rounds
    }

    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    /// The median of the rounds' ratios: other to direct.
    pub(crate) fn ratio(&self, figure: impl Fn(&Side) -> f64) -> Median {
        Median::of(self.played.iter().map(|round| figure(&round.other) / figure(&round.direct)))
    }

    /// The median of the other client's figures.
    pub(crate) fn median(&self, figure: impl Fn(&Side) -> f64) -> f64 {
        Median::of(self.played.iter().map(|round| figure(&round.other))).value
    }

    fn note(&mut self, seen: &Seen) {
        self.failed += seen.failed();
        self.first_error = self.first_error.take().or_else(|| seen.first_error.clone());
    }
}

struct Slice {
    seen: Seen,
    cpu: Duration,
}

async fn slice(client: &Arc<Client>, cell: Cell, scale: Scale, proxies: &Processes) -> Slice {
    let before = proxies.used();
    let seen = load(client, cell.object, cell.readers, scale.slice).await;
    Slice { seen, cpu: proxies.used().saturating_sub(before) }
}

impl Slice {
    fn add(&mut self, other: Self) {
        self.seen.add(other.seen);
        self.cpu += other.cpu;
    }

    fn side(&self) -> Side {
        let cpu_us = self.cpu.as_secs_f64() * 1e6 / self.seen.reads.len() as f64;
        Side { rate: self.seen.rate(), p50_ms: self.seen.ms(0.5), p99_ms: self.seen.ms(0.99), cpu_us }
    }
}
