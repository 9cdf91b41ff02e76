//! The part of `--help` after the options.

use crate::evaluation::measures::MEASURES;
use crate::scenario::SCENARIOS;

const MODES: &str = "  \
  all                  every scenario except full, which combines some of them
  preflight            no faults; checks reachability, credentials, listing, clock and ETags
";

const EXIT_CODES: &str = "
Exit codes:
  0    all bounds hold; skipped scenarios are not evaluated
  1    a bound does not hold, or too little happened to evaluate it
  2    bad usage, or nothing to read
  130  interrupted; the report covers the time until then
";

const EXAMPLES: &str = "
Examples:
  failover-drill
  failover-drill --scenario all --html drill.html
  failover-drill --scenario hang --seconds 16 --json drill.json
  failover-drill --on minio --scenario quorum-loss,replication-lag
  failover-drill --config regions.toml --max-bytes 2GiB
  failover-drill --config regions.toml --scenario preflight,kill,blackhole";

pub(super) fn after() -> String {
    let mut help = String::from(
        "Scenarios (each starts without faults and ends with all regions restored):\n",
    );
    for scenario in SCENARIOS {
        help += &format!(
            "  {:<20} {}\n{:23}expected: {}\n",
            scenario.name, scenario.does, "", scenario.expects
        );
    }
    help += MODES;
    help += "\nMeasures, for --expect NAME<BOUND (also =, <=, >, >=; times as 2s or 500ms):\n";
    for measure in MEASURES {
        help += &format!("  {:<16} {}\n", measure.name, measure.about);
    }
    help + EXIT_CODES + EXAMPLES
}
