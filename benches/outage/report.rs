//! What is printed and written.

use object_store_failover::{BreakerConfig, HedgeCounts};
use serde_json::{Value, json};

use crate::args::Args;
use crate::figures::{Figures, Second};
use crate::rig::clients::Way;
use crate::rig::verdict;
use crate::scenario::{READERS, Scenario, Times};

/// One client in one scenario.
pub(crate) struct Row {
    pub(crate) way: Way,
    pub(crate) scenario: Scenario,
    pub(crate) figures: Figures,
    /// Of the reads that began when the region was back.
    pub(crate) after: Option<Figures>,
    pub(crate) by_second: Vec<Second>,
    pub(crate) hedges: Option<HedgeCounts>,
    pub(crate) first_error: Option<String>,
}

const KILLED_WORST_MS: f64 = 50.0;
const HANGING_WORST_MS: f64 = 1050.0;
const THROUGHPUT: f64 = 0.95;
const HEDGED_WORST: f64 = 2.0;

pub(crate) fn explain(args: &Args, times: &Times) {
    let [from, until, whole] = [times.from, times.until, times.whole].map(|time| time.as_secs_f64());
    println!("{READERS} readers of 1 KiB for {whole} s; the first of three regions breaks at {from} s and is back at {until} s.");
    println!("killed: SIGKILL, connections closed and refused. hanging: SIGSTOP, connections taken and never answered.");
    println!(
        "Every client's limits are 1 s, but for `direct`, which is object_store as it comes. It and `direct-tight` know the first region only."
    );
    println!("worst: any read, also a failed one. lost: what reads took beyond the p99 of the client's healthy time, summed.");
    println!(
        "throughput: reads answered a second, against the client's healthy time. after: the reads that began when the region was back."
    );
    if args.quick {
        println!("--quick: these figures say nothing.");
    }
    println!(
        "\n{:<13}{:<16}{:>9}{:>8}{:>11}{:>10}{:>10}{:>12}{:>9}",
        "", "", "reads", "failed", "worst ms", ">100 ms", "lost s", "throughput", "p99 ms"
    );
}

impl Row {
    pub(crate) fn print(&self) {
        let (way, scenario) = (self.way.name(), self.scenario.name());
        line(way, scenario, &self.figures);
        if let Some(after) = &self.after {
            line(way, &format!("{scenario}, after"), after);
        }
        if let Some(HedgeCounts { sent, won, lost, refused, .. }) = self.hedges {
            println!("    hedges: {sent} sent, {won} won, {lost} lost, {refused} refused by the budget");
        }
        if let Some(error) = &self.first_error {
            println!("    the first that failed: {error}");
        }
    }
}

fn line(way: &str, scenario: &str, figures: &Figures) {
    let Figures { reads, failed, worst_ms, slow, lost_s, throughput, p99_ms, .. } = figures;
    println!("{way:<13}{scenario:<16}{reads:>9}{failed:>8}{worst_ms:>11.1}{slow:>10}{lost_s:>10.2}{throughput:>12.3}{p99_ms:>9.2}");
}

pub(crate) fn targets(rows: &[Row]) {
    println!();
    for way in [Way::Failover, Way::Hedged] {
        let figures = |scenario| rows.iter().find(|row| row.way == way && row.scenario == scenario).map(|row| &row.figures);
        let Some(healthy) = figures(Scenario::Healthy) else { continue };
        if let Some(killed) = figures(Scenario::Killed) {
            let told = told(way, "killed", healthy);
            verdict(killed.failed == 0, &told(format!("0 failed: {}", killed.failed)));
            verdict(killed.worst_ms <= KILLED_WORST_MS, &told(format!("worst at most {KILLED_WORST_MS} ms: {:.1}", killed.worst_ms)));
        }
        if let Some(hanging) = figures(Scenario::Hanging) {
            on_hanging(way, healthy, hanging);
        }
    }
}

fn on_hanging(way: Way, healthy: &Figures, hanging: &Figures) {
    let told = told(way, "hanging", healthy);
    verdict(hanging.failed == 0, &told(format!("0 failed: {}", hanging.failed)));
    let slow = BreakerConfig::default().failure_threshold as usize + READERS;
    verdict(hanging.slow <= slow, &told(format!("at most {slow} (threshold and readers) over 100 ms: {}", hanging.slow)));
    verdict(hanging.worst_ms <= HANGING_WORST_MS, &told(format!("worst at most {HANGING_WORST_MS} ms: {:.1}", hanging.worst_ms)));
    verdict(hanging.throughput >= THROUGHPUT, &told(format!("throughput at least {THROUGHPUT} of healthy: {:.3}", hanging.throughput)));
    if way == Way::Hedged {
        let most = HEDGED_WORST * healthy.p99_ms;
        verdict(
            hanging.worst_ms <= most,
            &told(format!("worst at most {HEDGED_WORST} x healthy p99, {most:.1} ms: {:.1}", hanging.worst_ms)),
        );
    }
}

/// A target's text, with what the same client showed when nothing was wrong.
fn told(way: Way, scenario: &'static str, healthy: &Figures) -> impl Fn(String) -> String {
    let beside = format!("healthy: {} failed, worst {:.1} ms, {} over 100 ms", healthy.failed, healthy.worst_ms, healthy.slow);
    move |text| format!("{}, {scenario}: {text} ({beside})", way.name())
}

pub(crate) fn json(rows: &[Row]) -> String {
    let row = |row: &Row| {
        json!({
            "client": row.way.name(), "scenario": row.scenario.name(), "figures": row.figures, "after": row.after,
            "by_second": row.by_second, "first_error": row.first_error
        })
    };
    format!("{:#}\n", json!({ "rows": rows.iter().map(row).collect::<Vec<Value>>() }))
}
