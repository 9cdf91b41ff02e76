//! The report, and the problems in it.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::callers::Tally;
use crate::regions::Regions;
use crate::sample::{Kind, Sample};

/// The fewest samples of a quarter that show growth.
const MIN_SAMPLES: usize = 2;

/// What remains after the load has ended and the store is dropped.
#[derive(Debug, Default)]
pub(crate) struct Leftovers {
    /// The calls in flight ended within their limit.
    pub(crate) calls_ended: bool,
    pub(crate) in_flight: u64,
    pub(crate) tasks: u64,
    /// Transitions of circuits.
    pub(crate) opened: u64,
    pub(crate) closed: u64,
}

pub(crate) struct Report<'a> {
    pub(crate) duration: Duration,
    pub(crate) tally: &'a Tally,
    pub(crate) samples: &'a [Sample],
    pub(crate) regions: &'a Regions,
    pub(crate) leftovers: Leftovers,
}

impl Report<'_> {
    /// Prints the report; returns the problems.
    pub(crate) fn print(&self) -> Vec<String> {
        let (tally, seconds) = (self.tally, self.duration.as_secs_f64().max(1e-9));
        let count = |number: &std::sync::atomic::AtomicU64| number.load(Relaxed);
        let (reads, writes, dropped) = (
            count(&tally.reads),
            count(&tally.writes),
            count(&tally.dropped),
        );
        println!(
            "\n{seconds:.0} s: {reads} reads and {writes} writes completed, {dropped} cancelled \
             ({:.0} calls/s)",
            (reads + writes + dropped) as f64 / seconds
        );
        let [slowest, latest] = [tally.slowest(), tally.latest()].map(|time| time.as_secs_f64());
        println!("slowest call {slowest:.2} s; a timer fired at most {latest:.2} s late");
        println!(
            "{} reads repeated: their object was overwritten while the body was interrupted",
            count(&tally.overwritten)
        );
        let faults: Vec<_> = self
            .regions
            .faults
            .lock()
            .iter()
            .map(|(name, times)| format!("{name} {times}"))
            .collect();
        println!("faults: {}", faults.join(", "));
        println!(
            "circuits opened {} times, closed {} times\n",
            self.leftovers.opened, self.leftovers.closed
        );
        self.print_growth();
        tally
            .problems
            .lock()
            .iter()
            .for_each(|line| println!("  {line}"));
        let problems: Vec<_> = self
            .failures()
            .into_iter()
            .chain(self.leftovers())
            .chain(Kind::ALL.iter().filter_map(|kind| self.growth(*kind)))
            .collect();
        problems.iter().for_each(|line| println!("PROBLEM: {line}"));
        problems
    }

    fn print_growth(&self) {
        println!(
            "{:<28} {:>10} {:>10} {:>10} {:>10} {:>10}",
            "median of each quarter", "1st", "2nd", "3rd", "4th", "most"
        );
        for kind in Kind::ALL {
            let cell = |value: Option<u64>| {
                value.map_or_else(|| "-".to_owned(), |value| value.to_string())
            };
            let [first, second, third, fourth] =
                [0, 1, 2, 3].map(|quarter| cell(self.median(kind, quarter)));
            let most = cell(
                self.samples
                    .iter()
                    .filter_map(|sample| sample.of(kind))
                    .max(),
            );
            println!(
                "{:<28} {first:>10} {second:>10} {third:>10} {fourth:>10} {most:>10}",
                kind.name()
            );
        }
        println!();
    }

    fn failures(&self) -> Vec<String> {
        let counts = [
            ("reads failed", &self.tally.failed_reads),
            ("writes failed", &self.tally.failed_writes),
            ("results wrong", &self.tally.wrong),
        ];
        let mut problems: Vec<_> = counts
            .iter()
            .map(|(what, count)| (what, count.load(Relaxed)))
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{count} {what} although a region served at any time"))
            .collect();
        if self.leftovers.opened == 0 {
            problems.push("no circuit opened: the faults had no effect".to_owned());
        }
        problems
    }

    fn leftovers(&self) -> Vec<String> {
        let leftovers = &self.leftovers;
        let found = [
            (
                !leftovers.calls_ended,
                "calls in flight did not end".to_owned(),
            ),
            (
                leftovers.in_flight > 0,
                format!(
                    "{} attempts are in flight without a call",
                    leftovers.in_flight
                ),
            ),
            (
                leftovers.tasks > 0,
                format!("{} tasks run after the store was dropped", leftovers.tasks),
            ),
        ];
        found
            .into_iter()
            .filter(|(is_so, _)| *is_so)
            .map(|(_, line)| line)
            .collect()
    }

    fn growth(&self, kind: Kind) -> Option<String> {
        let (before, after) = self.median(kind, 1).zip(self.median(kind, 3))?;
        let most = before + before / 10 + kind.slack();
        (after > most).then(|| {
            format!(
                "{} grew from {before} to {after}; up to {most} is noise",
                kind.name()
            )
        })
    }

    /// The median of a quarter of the samples, if there are enough.
    fn median(&self, kind: Kind, quarter: usize) -> Option<u64> {
        let (from, to) = (
            self.samples.len() * quarter / 4,
            self.samples.len() * (quarter + 1) / 4,
        );
        let mut values: Vec<_> = self.samples[from..to]
            .iter()
            .filter_map(|sample| sample.of(kind))
            .collect();
        values.sort_unstable();
        (values.len() >= MIN_SAMPLES).then(|| values[values.len() / 2])
    }
}
