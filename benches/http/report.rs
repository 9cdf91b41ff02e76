//! What is printed and written.

use serde_json::{Value, json};

use crate::args::{Args, Cell, JUDGED};
use crate::rig::clients::Way;
use crate::rig::statistics::Median;
use crate::rig::verdict;
use crate::rounds::{Rounds, Side};

/// One client under one load.
pub(crate) struct Row {
    pub(crate) cell: Cell,
    pub(crate) way: Way,
    pub(crate) rounds: Rounds,
}

const RATE_AT_LEAST: f64 = 0.99;
const P99_AT_MOST: f64 = 1.03;

pub(crate) fn explain(args: &Args) {
    println!(
        "Each client against plain object_store on one region, which is `direct`. A round is four slices: direct, client, client, direct."
    );
    println!(
        "Ratios are client to direct: the median of the rounds and its 95 % interval (order statistics; `-` where there are too few)."
    );
    println!("CPU: this process, which holds readers and client, and the proxy; the regions are a process of their own.");
    println!("The row `direct` is direct against another direct client: what it spreads is noise.");
    if args.quick {
        println!("--quick: these figures say nothing.");
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
        let figures: [fn(&Side) -> f64; 3] = [|side| side.rate, |side| side.p99_ms, |side| side.cpu_us];
        figures.map(|figure| self.rounds.ratio(figure))
    }

    pub(crate) fn print(&self) {
        let rounds = &self.rounds;
        let [rate, p50, p99] = [rounds.median(|side| side.rate), rounds.median(|side| side.p50_ms), rounds.median(|side| side.p99_ms)];
        let cpu = rounds.median(|side| side.cpu_us);
        let [by_rate, by_p99, by_cpu] = self.ratios().map(shown);
        println!(
            "{:<10}{rate:>9.0}{p50:>9.3}{p99:>9.3}{cpu:>9.1}   {by_rate:<24}{by_p99:<24}{by_cpu:<24}{:>7}",
            self.way.name(),
            rounds.played.len()
        );
        if let Some(error) = &rounds.first_error {
            println!("    {} reads failed; the first: {error}", rounds.failed());
        }
    }
}

/// Of the load that they are about, where it was measured.
pub(crate) fn targets(rows: &[Row]) {
    let row = |way: Way| rows.iter().find(|row| row.cell == JUDGED && row.way == way);
    let Some(ours) = row(Way::Failover) else { return };
    println!("\nTargets for `failover`, {} x {} readers, by the median:", JUDGED.object.key, JUDGED.readers);
    let [rate, p99, _] = ours.ratios();
    let noise = row(Way::Direct).map(Row::ratios);
    let beside = |index: usize| noise.map_or_else(String::new, |noise| format!("; direct against itself {}", shown(noise[index])));
    verdict(rate.value >= RATE_AT_LEAST, &format!("throughput at least {RATE_AT_LEAST} of direct: {}{}", shown(rate), beside(0)));
    verdict(p99.value <= P99_AT_MOST, &format!("p99 at most {P99_AT_MOST} of direct: {}{}", shown(p99), beside(1)));
}

fn shown(median: Median) -> String {
    match median.interval {
        Some((low, high)) => format!("{:.3} ({low:.3}-{high:.3})", median.value),
        None => format!("{:.3} (-)", median.value),
    }
}

pub(crate) fn json(rows: &[Row]) -> String {
    let side = |side: &Side| json!({"rate": side.rate, "p50_ms": side.p50_ms, "p99_ms": side.p99_ms, "cpu_us": side.cpu_us});
    let median = |median: Median| json!({"median": median.value, "interval": median.interval});
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let rounds: Vec<_> =
                row.rounds.played.iter().map(|round| json!({"direct": side(&round.direct), "client": side(&round.other)})).collect();
            let [rate, p99, cpu] = row.ratios().map(median);
            json!({
                "load": row.cell.to_string(), "client": row.way.name(), "failed": row.rounds.failed(),
                "ratios": {"rate": rate, "p99": p99, "cpu": cpu}, "rounds": rounds
            })
        })
        .collect();
    format!("{:#}\n", json!({ "rows": rows }))
}
