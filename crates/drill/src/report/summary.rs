//! All runs of a command, one line each.

use super::{Report, RunReport};
use crate::evaluation::Outcome;

/// Title and measure of each column.
const COLUMNS: [(&str, &str); 9] = [
    ("failed", "failed"),
    ("wrong", "wrong"),
    ("stale", "stale"),
    ("detect", "detect"),
    ("rto", "rto"),
    ("to failing", "sick_requests"),
    ("extra load", "extra_load"),
    ("p99 ratio", "p99_ratio"),
    ("refetched", "refetched"),
];

pub(crate) fn print(report: &Report) {
    println!(
        "\n{:<20} {:<12} {}",
        "scenario",
        "verdict",
        COLUMNS.map(|(title, _)| format!("{title:>10}")).join(" ")
    );
    for run in &report.runs {
        println!(
            "{:<20} {:<12} {}",
            run.head.scenario,
            verdict(run.outcome),
            cells(run)
        );
    }
    let count = |outcome: Outcome| {
        report
            .runs
            .iter()
            .filter(|run| run.outcome == outcome)
            .count()
    };
    println!(
        "\n{} scenarios: {} hold, {} broken, {} not proven, {} skipped, {} interrupted",
        report.runs.len(),
        count(Outcome::Holds),
        count(Outcome::Broken),
        count(Outcome::NotProven),
        count(Outcome::Skipped),
        count(Outcome::Interrupted)
    );
}

fn cells(run: &RunReport) -> String {
    match &run.skipped_because {
        Some(why) => why.clone(),
        None => COLUMNS
            .map(|(_, name)| format!("{:>10}", run.measured(name)))
            .join(" "),
    }
}

pub(crate) fn verdict(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Holds => "holds",
        Outcome::Broken => "BROKEN",
        Outcome::NotProven => "NOT PROVEN",
        Outcome::Skipped => "skipped",
        Outcome::Interrupted => "interrupted",
    }
}
