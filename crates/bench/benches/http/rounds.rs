//! Rounds of four measurements, with direct reads first and last, so that a machine whose speed
//! drifts affects both clients equally.

use std::sync::Arc;
use std::time::Duration;

use failover_bench::clients::Client;
use failover_bench::cpu::Processes;
use failover_bench::load::{Seen, load};
use failover_bench::statistics::Median;

use crate::args::{Cell, Scale};

/// The figures of one client in one round.
#[derive(Clone, Copy)]
pub(crate) struct Side {
    /// Reads per second.
    pub(crate) rate: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    /// CPU time of client and proxy per read, in microseconds.
    pub(crate) cpu_us: f64,
}

/// Direct, other, other, direct.
pub(crate) struct Round {
    pub(crate) direct: Side,
    pub(crate) other: Side,
}

#[derive(Default)]
pub(crate) struct Rounds {
    pub(crate) measured: Vec<Round>,
    failed: usize,
    pub(crate) first_error: Option<String>,
}

/// Opens the connections.
const WARM_UP: Duration = Duration::from_millis(300);

impl Rounds {
    pub(crate) async fn measure(
        direct: &Arc<Client>,
        other: &Arc<Client>,
        cell: Cell,
        scale: Scale,
        on_round: impl Fn(),
    ) -> Self {
        let mut rounds = Self::default();
        for client in [direct, other] {
            let warm = load(client, cell.object, cell.readers, WARM_UP.min(scale.slice)).await;
            rounds.add_failures(&warm);
        }
        let (none, proxies) = (Processes::none(), Processes::of_proxies());
        for _ in 0..scale.rounds {
            let mut direct_seen = measure_slice(direct, cell, scale, &none).await;
            let mut other_seen = measure_slice(other, cell, scale, &proxies).await;
            other_seen.add(measure_slice(other, cell, scale, &proxies).await);
            direct_seen.add(measure_slice(direct, cell, scale, &none).await);
            rounds.add_failures(&direct_seen.seen);
            rounds.add_failures(&other_seen.seen);
            rounds.measured.push(Round {
                direct: direct_seen.side(),
                other: other_seen.side(),
            });
            on_round();
        }
        rounds
    }

    pub(crate) fn failed(&self) -> usize {
        self.failed
    }

    /// The median over the rounds of the ratio other / direct.
    pub(crate) fn ratio(&self, figure: impl Fn(&Side) -> f64) -> Median {
        Median::of(
            self.measured
                .iter()
                .map(|round| figure(&round.other) / figure(&round.direct)),
        )
    }

    /// The median over the rounds of the other client.
    pub(crate) fn median(&self, figure: impl Fn(&Side) -> f64) -> f64 {
        Median::of(self.measured.iter().map(|round| figure(&round.other))).value
    }

    fn add_failures(&mut self, seen: &Seen) {
        self.failed += seen.failed();
        self.first_error = self.first_error.take().or_else(|| seen.first_error.clone());
    }
}

struct Slice {
    seen: Seen,
    cpu: Duration,
}

async fn measure_slice(
    client: &Arc<Client>,
    cell: Cell,
    scale: Scale,
    proxies: &Processes,
) -> Slice {
    let before = proxies.used();
    let seen = load(client, cell.object, cell.readers, scale.slice).await;
    Slice {
        seen,
        cpu: proxies.used().saturating_sub(before),
    }
}

impl Slice {
    fn add(&mut self, other: Self) {
        self.seen.add(other.seen);
        self.cpu += other.cpu;
    }

    fn side(&self) -> Side {
        let cpu_us = self.cpu.as_secs_f64() * 1e6 / self.seen.reads.len() as f64;
        Side {
            rate: self.seen.rate(),
            p50_ms: self.seen.ms(0.5),
            p99_ms: self.seen.ms(0.99),
            cpu_us,
        }
    }
}
