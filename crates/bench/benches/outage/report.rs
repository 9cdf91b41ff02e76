//! Output on the terminal and as JSON.

use failover_bench::clients::Candidate;
use failover_bench::print_verdict;
use object_store_failover::config::BreakerConfig;
use object_store_failover::health::HedgeCounts;
use serde_json::{Value, json};

use crate::args::Args;
use crate::figures::{Figures, Second};
use crate::scenario::{READERS, Scenario, Times};

/// One client in one scenario.
pub(crate) struct Row {
    pub(crate) candidate: Candidate,
    pub(crate) scenario: Scenario,
    pub(crate) figures: Figures,
    /// The reads that started after the region returned.
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
    let [from, until, whole] =
        [times.from, times.until, times.whole].map(|time| time.as_secs_f64());
    println!(
        "{READERS} readers of 1 KiB for {whole} s; the first of three regions fails from {from} s \
         to {until} s."
    );
    println!(
        "killed: SIGKILL, connections are closed and refused. hanging: SIGSTOP, connections are \
         accepted without a response."
    );
    println!(
        "All clients have limits of 1 s, except `direct`, which has the defaults of object_store. \
         `direct` and `direct-tight` use only the first region."
    );
    println!(
        "worst: of all reads, failed ones included. lost: time beyond the p99 of the client's \
         healthy period, summed over all reads."
    );
    println!(
        "throughput: successful reads per second, relative to the client's healthy period. after: \
         reads that started after the region returned."
    );
    if args.quick {
        println!("--quick: these figures are not meaningful.");
    }
    println!(
        "\n{:<13}{:<16}{:>9}{:>8}{:>11}{:>10}{:>10}{:>12}{:>9}",
        "", "", "reads", "failed", "worst ms", ">100 ms", "lost s", "throughput", "p99 ms"
    );
}

impl Row {
    pub(crate) fn print(&self) {
        let (candidate, scenario) = (self.candidate.name(), self.scenario.name());
        line(candidate, scenario, &self.figures);
        if let Some(after) = &self.after {
            line(candidate, &format!("{scenario}, after"), after);
        }
        if let Some(HedgeCounts {
            sent,
            won,
            lost,
            refused,
            ..
        }) = self.hedges
        {
            println!(
                "    hedges: {sent} sent, {won} won, {lost} lost, {refused} refused by the budget"
            );
        }
        if let Some(error) = &self.first_error {
            println!("    the first read failed with: {error}");
        }
    }
}

fn line(candidate: &str, scenario: &str, figures: &Figures) {
    let Figures {
        reads,
        failed,
        worst_ms,
        slow,
        lost_s,
        throughput,
        p99_ms,
        ..
    } = figures;
    println!(
        "{candidate:<13}{scenario:<16}{reads:>9}{failed:>8}{worst_ms:>11.1}{slow:>10}\
         {lost_s:>10.2}{throughput:>12.3}{p99_ms:>9.2}"
    );
}

pub(crate) fn targets(rows: &[Row]) {
    println!();
    for candidate in [Candidate::Failover, Candidate::Hedged] {
        let figures = |scenario| {
            rows.iter()
                .find(|row| row.candidate == candidate && row.scenario == scenario)
                .map(|row| &row.figures)
        };
        let Some(healthy) = figures(Scenario::Healthy) else {
            continue;
        };
        if let Some(killed) = figures(Scenario::Killed) {
            let target = target(candidate, "killed", healthy);
            print_verdict(
                killed.failed == 0,
                &target(format!("0 failed: {}", killed.failed)),
            );
            print_verdict(
                killed.worst_ms <= KILLED_WORST_MS,
                &target(format!(
                    "worst at most {KILLED_WORST_MS} ms: {:.1}",
                    killed.worst_ms
                )),
            );
        }
        if let Some(hanging) = figures(Scenario::Hanging) {
            on_hanging(candidate, healthy, hanging);
        }
    }
}

fn on_hanging(candidate: Candidate, healthy: &Figures, hanging: &Figures) {
    let target = target(candidate, "hanging", healthy);
    print_verdict(
        hanging.failed == 0,
        &target(format!("0 failed: {}", hanging.failed)),
    );
    let slow = BreakerConfig::default().failure_threshold as usize + READERS;
    print_verdict(
        hanging.slow <= slow,
        &target(format!(
            "at most {slow} (threshold and readers) over 100 ms: {}",
            hanging.slow
        )),
    );
    print_verdict(
        hanging.worst_ms <= HANGING_WORST_MS,
        &target(format!(
            "worst at most {HANGING_WORST_MS} ms: {:.1}",
            hanging.worst_ms
        )),
    );
    print_verdict(
        hanging.throughput >= THROUGHPUT,
        &target(format!(
            "throughput at least {THROUGHPUT} of healthy: {:.3}",
            hanging.throughput
        )),
    );
    if candidate == Candidate::Hedged {
        let most = HEDGED_WORST * healthy.p99_ms;
        print_verdict(
            hanging.worst_ms <= most,
            &target(format!(
                "worst at most {HEDGED_WORST} x healthy p99, {most:.1} ms: {:.1}",
                hanging.worst_ms
            )),
        );
    }
}

/// The text of a target, with the client's healthy figures.
fn target(
    candidate: Candidate,
    scenario: &'static str,
    healthy: &Figures,
) -> impl Fn(String) -> String {
    let beside = format!(
        "healthy: {} failed, worst {:.1} ms, {} over 100 ms",
        healthy.failed, healthy.worst_ms, healthy.slow
    );
    move |text| format!("{}, {scenario}: {text} ({beside})", candidate.name())
}

pub(crate) fn json(rows: &[Row]) -> String {
    let row = |row: &Row| {
        json!({
            "client": row.candidate.name(),
            "scenario": row.scenario.name(),
            "figures": row.figures,
            "after": row.after,
            "by_second": row.by_second,
            "first_error": row.first_error
        })
    };
    format!(
        "{:#}\n",
        json!({ "rows": rows.iter().map(row).collect::<Vec<Value>>() })
    )
}
