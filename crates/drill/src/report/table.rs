//! The report on the terminal, in 130 columns.

use super::{CircuitRow, FaultRow, Head, PhaseRow, RunReport};
use crate::evaluation::{Held, Outcome};
use crate::tuning::{Settings, Tuning};
use crate::units::time;

const MIB: f64 = 1024.0 * 1024.0;
/// The most transitions to print; `--json` has all of them.
const CIRCUITS: usize = 40;

/// Printed before the run.
pub(crate) fn print_head(head: &Head) {
    println!(
        "object_store_failover drill: scenario {}, {} s, seed {}",
        head.scenario, head.seconds, head.seed
    );
    println!(
        "{} regions ({}), {} objects of {:.0} MiB in total, {} readers",
        head.regions.len(),
        head.regions.join(", "),
        head.objects,
        head.object_bytes as f64 / MIB,
        head.concurrency
    );
    match &head.settings {
        Some(settings) => print_settings(settings, head.max_bytes.is_some()),
        None => println!("settings: those of the file"),
    }
    if let Some(bytes) = head.max_bytes {
        let how = if head.settings.is_some() {
            "faults are injected on the client's side of the network"
        } else {
            "inject faults manually now"
        };
        println!(
            "reads at most {:.0} MiB, spread evenly over the run (--max-bytes); {how}",
            bytes as f64 / MIB
        );
        println!("{}", head.does);
    }
    println!();
}

fn print_settings(settings: &Settings, of_a_file: bool) {
    let defaults = Tuning::defaults().settings(false);
    let how = match (settings.scaled, of_a_file) {
        (true, false) => "scaled to the duration of the run, defaults in brackets",
        (true, true) => {
            "those of the file, scaled to the duration of the run, defaults in brackets"
        }
        (false, false) => "the defaults",
        (false, true) => "those of the file",
    };
    println!("settings, {how}:");
    let show = |name: &str, value: f64, usual: f64| match settings.scaled {
        true => format!("{name} {} ({})", time(value), time(usual)),
        false => format!("{name} {}", time(value)),
    };
    let limits = [
        show("attempt", settings.attempt_ms, defaults.attempt_ms),
        show("total", settings.total_ms, defaults.total_ms),
        show("stall", settings.stall_ms, defaults.stall_ms),
    ];
    let circuit = [
        format!("failure_threshold {}", settings.failure_threshold),
        show("open_for", settings.open_for_ms, defaults.open_for_ms),
        show(
            "open_for_max",
            settings.open_for_max_ms,
            defaults.open_for_max_ms,
        ),
        show("ramp", settings.ramp_ms, defaults.ramp_ms),
        format!(
            "early_probe_interval {}",
            time(settings.early_probe_interval_ms)
        ),
    ];
    println!("  {}", limits.join(", "));
    println!("  {}", circuit.join(", "));
}

/// Printed after the run.
pub(crate) fn print(run: &RunReport) {
    println!();
    print_phases(&run.phases);
    println!();
    print_requests(&run.head, &run.phases);
    println!();
    match run.head.settings {
        Some(_) => print_faults(&run.faults),
        // Faults that are injected manually are visible only as transitions.
        None => print_circuits(&run.circuits),
    }
    println!();
    print_verdict(run);
}

fn print_phases(phases: &[PhaseRow]) {
    println!(
        "{:<16} {:>6} {:>8} {:>8} {:>7} {:>6} {:>9} {:>10} {:>8} {:>8} {:>8} {:>13} {:>14}",
        "phase",
        "s",
        "reads",
        "reads/s",
        "failed",
        "wrong",
        "NotFound",
        "undecided",
        "p50 ms",
        "p99 ms",
        "max ms",
        "opened after",
        "served after"
    );
    for row in phases {
        println!(
            "{:<16} {:>6.1} {:>8} {:>8.0} {:>7} {:>6} {:>9} {:>10} {:>8} {:>8} {:>8} {:>13} {:>14}",
            row.phase,
            row.seconds,
            row.reads,
            row.reads_per_second,
            row.failed,
            row.wrong,
            row.not_found,
            row.undecided,
            number(row.p50_ms),
            number(row.p99_ms),
            number(row.max_ms),
            span(row.circuit_opened_after_ms),
            span(row.served_again_after_ms)
        );
    }
    let slowest = phases
        .iter()
        .filter_map(|row| row.missing_key_max_ms)
        .reduce(f64::max);
    println!(
        "p50, p99 and max: complete bodies of existing keys. Reads of missing keys (5 % of all) \
         took at most {}.",
        span(slowest)
    );
    println!(
        "opened after: from the fault to the open circuit. served after: from the recovery to the \
         first read there. Both of the slowest region."
    );
}

fn print_requests(head: &Head, phases: &[PhaseRow]) {
    let widest = head
        .regions
        .iter()
        .map(String::len)
        .max()
        .unwrap_or(0)
        .max("requests".len());
    let columns: String = phases
        .iter()
        .map(|row| format!(" {:>16}", row.phase))
        .collect();
    println!("{:<widest$}{columns}", "requests");
    for (index, region) in head.regions.iter().enumerate() {
        let columns: String = phases
            .iter()
            .map(|row| format!(" {:>16}", row.requests.get(index).copied().unwrap_or(0)))
            .collect();
        println!("{region:<widest$}{columns}");
    }
}

fn print_faults(faults: &[FaultRow]) {
    println!(
        "{:<34} {:<16} {:>8} {:>22} {:>13} {:>7} {:>14} {:>13}",
        "fault",
        "phase",
        "lasted",
        "requests until opened",
        "opened after",
        "trials",
        "served after",
        "closed after"
    );
    for row in faults {
        let opened = if row.circuit_was_closed {
            span(row.circuit_opened_after_ms)
        } else {
            "was open".into()
        };
        println!(
            "{:<34} {:<16} {:>8} {:>22} {:>13} {:>7} {:>14} {:>13}",
            format!("{} {}", row.region, row.fault),
            row.phase,
            span(row.out_for_ms),
            count(row.requests_until_opened),
            opened,
            count(row.trials),
            span(row.served_again_after_ms),
            span(row.circuit_closed_after_ms)
        );
    }
}

fn print_circuits(circuits: &[CircuitRow]) {
    println!(
        "circuits: {} transitions{}",
        circuits.len(),
        if circuits.len() > CIRCUITS {
            ", the first:"
        } else {
            ""
        }
    );
    for row in circuits.iter().take(CIRCUITS) {
        println!(
            "{:>8.1} s  {} {}: {}",
            row.after_s, row.region, row.to, row.why
        );
    }
}

fn print_verdict(run: &RunReport) {
    for evaluated in &run.measures {
        let held = match evaluated.held {
            Some(Held::Ok) => "OK",
            Some(Held::Failed) => "FAILED",
            Some(Held::NotProven) => "NOT PROVEN",
            None => "",
        };
        let expected = evaluated.expected.as_deref().unwrap_or("");
        println!(
            "{held:<10} {:<15} {expected:<7} {:>9}  {}",
            evaluated.name, evaluated.measured, evaluated.about
        );
    }
    for line in &run.broken_by {
        println!("           broken by: {line}");
    }
    if let Some(line) = run.excused.first() {
        println!("a read failed in the total outage with: {line}");
    }
    let last = match run.outcome {
        Outcome::Interrupted => "interrupted: no verdict",
        Outcome::Holds => "the verdict HOLDS",
        Outcome::NotProven => "the verdict is NOT PROVEN",
        Outcome::Broken | Outcome::Skipped => "the verdict DOES NOT HOLD",
    };
    if run.ended_early {
        println!("ended early: --max-bytes is used up");
    }
    println!("\n{last}");
}

fn count(count: Option<u64>) -> String {
    count.map_or_else(|| "-".into(), |count| count.to_string())
}

/// A number in a column of milliseconds.
fn number(millis: Option<f64>) -> String {
    match millis {
        None => "-".into(),
        Some(ms) if ms < 10.0 => format!("{ms:.2}"),
        Some(ms) if ms < 100.0 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.0}"),
    }
}

/// A duration with its unit.
fn span(millis: Option<f64>) -> String {
    millis.map_or_else(|| "-".into(), time)
}
