//! Output on the terminal and as JSON.

use failover_bench::clients::Candidate;
use failover_bench::print_verdict;
use failover_bench::statistics::Median;
use serde_json::{Value, json};

use crate::args::{Args, Cell, TARGET_LOAD};
use crate::rounds::{Round, Rounds, Side};

/// One client under one load.
pub(crate) struct Row {
    pub(crate) cell: Cell,
    pub(crate) candidate: Candidate,
    pub(crate) rounds: Rounds,
}

const MIN_RATE: f64 = 0.99;
const MAX_P99: f64 = 1.03;

pub(crate) fn explain(args: &Args) {
    println!(
        "Each client is compared with plain object_store on one region (`direct`). A round has \
         four measurements: direct, client, client, direct."
    );
    println!(
        "Ratios are client / direct: the median of the rounds with its 95 % interval (order \
         statistics; `-` with fewer than six rounds)."
    );
    println!(
        "CPU: this process, which runs readers and client, plus the proxy. The regions run in \
         another process."
    );
    println!("The row `direct` compares two direct clients: its deviation is noise.");
    if args.quick {
        println!("--quick: these figures are not meaningful.");
    }
}

pub(crate) fn head(cell: Cell) {
    println!("\n== {} x {} readers", cell.object.key, cell.readers);
    println!(
        "{:<10}{:>9}{:>9}{:>9}{:>9}   {:<24}{:<24}{:<24}{:>7}",
        "", "reads/s", "p50 ms", "p99 ms", "CPU us", "throughput", "p99", "CPU per read", "rounds"
    );
}

impl Row {
    fn ratios(&self) -> [Median; 3] {
        let figures: [fn(&Side) -> f64; 3] =
            [|side| side.rate, |side| side.p99_ms, |side| side.cpu_us];
        figures.map(|figure| self.rounds.ratio(figure))
    }

    pub(crate) fn print(&self) {
        let rounds = &self.rounds;
        let [rate, p50, p99] = [
            rounds.median(|side| side.rate),
            rounds.median(|side| side.p50_ms),
            rounds.median(|side| side.p99_ms),
        ];
        let cpu = rounds.median(|side| side.cpu_us);
        let [by_rate, by_p99, by_cpu] = self.ratios().map(with_interval);
        println!(
            "{:<10}{rate:>9.0}{p50:>9.3}{p99:>9.3}{cpu:>9.1}   \
             {by_rate:<24}{by_p99:<24}{by_cpu:<24}{:>7}",
            self.candidate.name(),
            rounds.measured.len()
        );
        if let Some(error) = &rounds.first_error {
            println!(
                "    {} reads failed; the first with: {error}",
                rounds.failed()
            );
        }
    }
}

/// Prints the targets, if their load was measured.
pub(crate) fn targets(rows: &[Row]) {
    let row = |candidate: Candidate| {
        rows.iter()
            .find(|row| row.cell == TARGET_LOAD && row.candidate == candidate)
    };
    let Some(row_of_store) = row(Candidate::Failover) else {
        return;
    };
    println!(
        "\nTargets for `failover`, {} x {} readers, by the median:",
        TARGET_LOAD.object.key, TARGET_LOAD.readers
    );
    let [rate, p99, _] = row_of_store.ratios();
    let noise = row(Candidate::Direct).map(Row::ratios);
    let noise_of = |index: usize| {
        noise.map_or_else(String::new, |noise| {
            format!("; direct / direct {}", with_interval(noise[index]))
        })
    };
    print_verdict(
        rate.value >= MIN_RATE,
        &format!(
            "throughput at least {MIN_RATE} of direct: {}{}",
            with_interval(rate),
            noise_of(0)
        ),
    );
    print_verdict(
        p99.value <= MAX_P99,
        &format!(
            "p99 at most {MAX_P99} of direct: {}{}",
            with_interval(p99),
            noise_of(1)
        ),
    );
}

fn with_interval(median: Median) -> String {
    match median.interval {
        Some((low, high)) => format!("{:.3} ({low:.3}-{high:.3})", median.value),
        None => format!("{:.3} (-)", median.value),
    }
}

pub(crate) fn json(rows: &[Row]) -> String {
    let side = |side: &Side| {
        let Side {
            rate,
            p50_ms,
            p99_ms,
            cpu_us,
        } = side;
        json!({"rate": rate, "p50_ms": p50_ms, "p99_ms": p99_ms, "cpu_us": cpu_us})
    };
    let median = |median: Median| json!({"median": median.value, "interval": median.interval});
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let round = |round: &Round| {
                json!({"direct": side(&round.direct), "client": side(&round.other)})
            };
            let rounds: Vec<_> = row.rounds.measured.iter().map(round).collect();
            let [rate, p99, cpu] = row.ratios().map(median);
            json!({
                "load": row.cell.to_string(),
                "client": row.candidate.name(),
                "failed": row.rounds.failed(),
                "ratios": {"rate": rate, "p99": p99, "cpu": cpu}, "rounds": rounds
            })
        })
        .collect();
    format!("{:#}\n", json!({ "rows": rows }))
}
