//! Several clients side by side, as a Markdown table for documents.

use super::{Report, RunReport};
use crate::evaluation::Outcome;
use crate::units;

pub(crate) fn print(report: &Report) {
    let clients = in_order(report.runs.iter().map(|run| run.head.client));
    let scenarios = in_order(report.runs.iter().map(name));
    println!(
        "\nworst read / p99 of reads during the fault (failed, wrong, stale and hung reads), per \
         client:\n"
    );
    let programs: Vec<_> = in_order(
        report
            .runs
            .iter()
            .filter_map(|run| run.head.program.as_deref()),
    );
    println!(
        "(object_store_failover {}; {})\n",
        report.version,
        programs.join("; ")
    );
    println!(
        "| scenario | {} |",
        clients
            .iter()
            .map(|client| format!("`{client}`"))
            .collect::<Vec<_>>()
            .join(" | ")
    );
    println!("|---|{}", "---|".repeat(clients.len()));
    for scenario in scenarios {
        let cell = |client: &&str| {
            let run = report
                .runs
                .iter()
                .find(|run| run.head.client == *client && name(run) == scenario);
            run.map_or_else(String::new, cell)
        };
        println!(
            "| {scenario} | {} |",
            clients.iter().map(cell).collect::<Vec<_>>().join(" | ")
        );
    }
}

fn cell(run: &RunReport) -> String {
    if run.outcome == Outcome::Skipped {
        return "skipped".into();
    }
    let p99 = run
        .phases
        .iter()
        .skip(1)
        .take(run.phases.len().saturating_sub(2))
        .filter_map(|phase| phase.p99_ms)
        .reduce(f64::max);
    let p99 = p99.map_or_else(|| "-".into(), units::time);
    let failure = |what: &str| match run.measured(what) {
        "0" | "-" => None,
        count => Some(format!("{count} {what}")),
    };
    let failures: Vec<_> = ["failed", "wrong", "stale", "hung"]
        .into_iter()
        .filter_map(failure)
        .collect();
    let failures = if failures.is_empty() {
        String::new()
    } else {
        format!(" (**{}**)", failures.join(", "))
    };
    format!("{} / {p99}{failures}", run.measured("worst"))
}

/// The scenario, without the client.
fn name(run: &RunReport) -> &str {
    run.head.scenario.split('/').next().unwrap_or_default()
}

/// Distinct values, in order of their first occurrence.
fn in_order<'a>(all: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    all.for_each(|one| {
        if !seen.contains(&one) {
            seen.push(one);
        }
    });
    seen
}
