//! What `--help` says after the options.

use crate::scenario::SCENARIOS;
use crate::verdict::measure::MEASURES;

pub(super) fn after() -> String {
    let mut help = String::from("Scenarios (each begins healthy and ends with everything back):\n");
    for scenario in SCENARIOS {
        help += &format!("  {:<20} {}\n{:23}{}\n", scenario.name, scenario.does, "", scenario.expects);
    }
    help += "  all                  all of these, but for full, whose parts they are\n";
    help += "  preflight            breaks nothing: reach, credentials, listings, clocks and equal ETags, region by region\n";
    help += "\nMeasures, for --expect NAME<BOUND (also =, <=, >, >=; times as 2s or 500ms):\n";
    for measure in MEASURES {
        help += &format!("  {:<16} {}\n", measure.name, measure.about);
    }
    help += "\nExit codes: 0 all verdicts hold (skipped scenarios are counted, and are none), 1 one does not, 2 bad usage or nothing to read, 130 interrupted (Ctrl-C; prints what there is so far)\n";
    help +=
        "\nExamples:\n  cargo run --release --example drill\n  cargo run --release --example drill -- --scenario all --html drill.html\n";
    help += "  cargo run --release --example drill -- --scenario hang --seconds 16 --json drill.json\n";
    help += "  cargo run --release --example drill -- --on minio --scenario quorum-loss,replication-lag\n";
    help += "  cargo run --release --example drill -- --config regions.toml --max-bytes 2GiB\n";
    help + "  cargo run --release --example drill -- --config regions.toml --scenario preflight,kill,blackhole"
}
