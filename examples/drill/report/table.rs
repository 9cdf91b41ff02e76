//! The report for people, in 130 columns.

use super::{CircuitRow, FaultRow, Head, PhaseRow, RunReport, time};
use crate::tuning::{Settings, Tuning};
use crate::verdict::{Held, Outcome};

const MIB: f64 = 1024.0 * 1024.0;
/// Changes of circuits that are shown; `--json` has them all.
const CIRCUITS: usize = 40;

/// What is printed before the run.
pub(crate) fn print_head(head: &Head) {
    println!("object_store_failover drill: scenario {}, {} s, seed {}", head.scenario, head.seconds, head.seed);
    println!(
        "{} regions ({}), {} objects of {:.0} MiB in all, {} readers",
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
        let how = if head.settings.is_some() { "faults are made on our side of the wire" } else { "break a region now, and mend it again" };
        println!("reads {:.0} MiB at most, spread evenly over the run (--max-bytes); {how}", bytes as f64 / MIB);
        println!("{}", head.does);
    }
    println!();
}

fn print_settings(settings: &Settings, of_a_file: bool) {
    let shipped = Tuning::shipped().settings(false);
    let how = match (settings.scaled, of_a_file) {
        (true, false) => "scaled to the length of the run, shipped values in brackets",
        (true, true) => "those of the file, scaled to the length of the run, shipped values in brackets",
        (false, false) => "as shipped",
        (false, true) => "those of the file",
    };
    println!("settings, {how}:");
    let show = |name: &str, value: f64, usual: f64| match settings.scaled {
        true => format!("{name} {} ({})", time(value), time(usual)),
        false => format!("{name} {}", time(value)),
    };
    let limits = [
        show("attempt", settings.attempt_ms, shipped.attempt_ms),
        show("total", settings.total_ms, shipped.total_ms),
        show("stall", settings.stall_ms, shipped.stall_ms),
    ];
    let circuit = [
        format!("failure_threshold {}", settings.failure_threshold),
        show("open_for", settings.open_for_ms, shipped.open_for_ms),
        show("open_for_max", settings.open_for_max_ms, shipped.open_for_max_ms),
        show("ramp", settings.ramp_ms, shipped.ramp_ms),
        format!("early_probe_interval {}", time(settings.early_probe_interval_ms)),
    ];
    println!("  {}", limits.join(", "));
    println!("  {}", circuit.join(", "));
}

/// What is printed after the run.
pub(crate) fn print(run: &RunReport) {
    println!();
    print_phases(&run.phases);
    println!();
    print_requests(&run.head, &run.phases);
    println!();
    match run.head.settings {
        Some(_) => print_faults(&run.faults),
        // Faults that others make are known only by what the circuits make of them.
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
    let slowest = phases.iter().filter_map(|row| row.missing_key_max_ms).reduce(f64::max);
    println!("p50, p99 and max: whole bodies of existing keys. Keys that do not exist (5 % of the reads) took at most {}.", span(slowest));
    println!("opened after: from fault to open circuit. served after: from return to first read there. Both of the slowest region.");
}

fn print_requests(head: &Head, phases: &[PhaseRow]) {
    let widest = head.regions.iter().map(String::len).max().unwrap_or(0).max("requests seen".len());
    let columns: String = phases.iter().map(|row| format!(" {:>16}", row.phase)).collect();
    println!("{:<widest$}{columns}", "requests seen");
    for (index, region) in head.regions.iter().enumerate() {
        let columns: String = phases.iter().map(|row| format!(" {:>16}", row.requests.get(index).copied().unwrap_or(0))).collect();
        println!("{region:<widest$}{columns}");
    }
}

fn print_faults(faults: &[FaultRow]) {
    println!(
        "{:<34} {:<16} {:>8} {:>22} {:>13} {:>7} {:>14} {:>13}",
        "fault", "phase", "lasted", "requests until opened", "opened after", "trials", "served after", "closed after"
    );
    for row in faults {
        let opened = if row.circuit_was_closed { span(row.circuit_opened_after_ms) } else { "was open".into() };
        println!(
            "{:<34} {:<16} {:>8} {:>22} {:>13} {:>7} {:>14} {:>13}",
            format!("{} {}", row.region, row.fault),
            row.phase,
            span(row.out_for_ms),
            count(row.requests_until_left_alone),
            opened,
            count(row.trials),
            span(row.served_again_after_ms),
            span(row.circuit_closed_after_ms)
        );
    }
}

fn print_circuits(circuits: &[CircuitRow]) {
    println!("circuits: {} changes{}", circuits.len(), if circuits.len() > CIRCUITS { ", the first of them:" } else { "" });
    for row in circuits.iter().take(CIRCUITS) {
        println!("{:>8.1} s  {} {}: {}", row.after_s, row.region, row.to, row.why);
    }
}

fn print_verdict(run: &RunReport) {
    for judged in &run.measures {
        let word = match judged.held {
            Some(Held::Ok) => "OK",
            Some(Held::Failed) => "FAILED",
            Some(Held::NotProven) => "NOT PROVEN",
            None => "",
        };
        let expected = judged.expected.as_deref().unwrap_or("");
        println!("{word:<10} {:<15} {expected:<7} {:>9}  {}", judged.name, judged.measured, judged.about);
    }
    for line in &run.broken_by {
        println!("           broken by: {line}");
    }
    if let Some(line) = run.excused.first() {
        println!("in the total outage a read failed with: {line}");
    }
    let last = match run.outcome {
        Outcome::Interrupted => "interrupted: no verdict",
        Outcome::Holds => "the verdict HOLDS",
        Outcome::NotProven => "the verdict is NOT PROVEN",
        Outcome::Broken | Outcome::Skipped => "the verdict DOES NOT HOLD",
    };
    if run.ended_early {
        println!("ended early: all that may be read was read (--max-bytes)");
    }
    println!("\n{last}");
}

fn count(count: Option<u64>) -> String {
    count.map_or_else(|| "-".into(), |count| count.to_string())
}

/// A figure in a column of milliseconds.
fn number(millis: Option<f64>) -> String {
    match millis {
        None => "-".into(),
        Some(ms) if ms < 10.0 => format!("{ms:.2}"),
        Some(ms) if ms < 100.0 => format!("{ms:.1}"),
        Some(ms) => format!("{ms:.0}"),
    }
}

/// A span of time with its unit.
fn span(millis: Option<f64>) -> String {
    millis.map_or_else(|| "-".into(), time)
}
