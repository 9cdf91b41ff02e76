//! What is told at the end, and the verdict.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use crate::callers::Tally;
use crate::regions::Regions;
use crate::sample::{Kind, Sample};

/// Fewer samples in a quarter say nothing about growth.
const ENOUGH: usize = 2;

/// What is left once the load has ended and its store is gone.
#[derive(Debug, Default)]
pub(crate) struct Left {
    /// The calls under way have ended by themselves.
    pub(crate) ended: bool,
    pub(crate) in_flight: u64,
    pub(crate) tasks: u64,
    /// How often circuits opened and closed.
    pub(crate) opened: u64,
    pub(crate) closed: u64,
}

pub(crate) struct Report<'a> {
    pub(crate) took: Duration,
    pub(crate) tally: &'a Tally,
    pub(crate) samples: &'a [Sample],
    pub(crate) regions: &'a Regions,
    pub(crate) left: Left,
}

impl Report<'_> {
    /// Prints everything; returns what is wrong.
    pub(crate) fn print(&self) -> Vec<String> {
        let (tally, seconds) = (self.tally, self.took.as_secs_f64().max(1e-9));
        let count = |number: &std::sync::atomic::AtomicU64| number.load(Relaxed);
        let (reads, writes, dropped) = (count(&tally.reads), count(&tally.writes), count(&tally.dropped));
        println!(
            "\n{seconds:.0} s: {reads} reads and {writes} writes done, {dropped} dropped by their callers ({:.0} calls/s)",
            (reads + writes + dropped) as f64 / seconds
        );
        let [slowest, latest] = [tally.slowest(), tally.latest()].map(|time| time.as_secs_f64());
        println!("slowest call {slowest:.2} s; a task that was due ran {latest:.2} s late at most");
        println!("{} reads made anew: their object was overwritten while a body of it broke", count(&tally.overwritten));
        let faults: Vec<_> = self.regions.faults.lock().iter().map(|(name, times)| format!("{name} {times}")).collect();
        println!("regions struck: {}", faults.join(", "));
        println!("circuits opened {} times, closed {} times\n", self.left.opened, self.left.closed);
        self.print_growth();
        tally.told.lock().iter().for_each(|line| println!("  {line}"));
        let wrong: Vec<_> =
            self.failures().into_iter().chain(self.leftovers()).chain(Kind::ALL.iter().filter_map(|kind| self.growth(*kind))).collect();
        wrong.iter().for_each(|line| println!("WRONG: {line}"));
        wrong
    }

    fn print_growth(&self) {
        println!("{:<28} {:>10} {:>10} {:>10} {:>10} {:>10}", "median of each quarter", "1st", "2nd", "3rd", "4th", "most");
        for kind in Kind::ALL {
            let cell = |value: Option<u64>| value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            let [first, second, third, fourth] = [0, 1, 2, 3].map(|quarter| cell(self.median(kind, quarter)));
            let most = cell(self.samples.iter().filter_map(|sample| sample.of(kind)).max());
            println!("{:<28} {first:>10} {second:>10} {third:>10} {fourth:>10} {most:>10}", kind.name());
        }
        println!();
    }

    fn failures(&self) -> Vec<String> {
        let counts = [
            ("reads failed", &self.tally.failed_reads),
            ("writes failed", &self.tally.failed_writes),
            ("answers wrong", &self.tally.wrong),
        ];
        let mut wrong: Vec<_> = counts
            .iter()
            .map(|(what, count)| (what, count.load(Relaxed)))
            .filter(|(_, count)| *count > 0)
            .map(|(what, count)| format!("{count} {what}, and a region lived all the time"))
            .collect();
        if self.left.opened == 0 {
            wrong.push("no circuit has opened: the regions were never really gone".to_owned());
        }
        wrong
    }

    fn leftovers(&self) -> Vec<String> {
        let left = &self.left;
        let found = [
            (!left.ended, "calls did not end".to_owned()),
            (left.in_flight > 0, format!("{} attempts are in flight, and nobody calls", left.in_flight)),
            (left.tasks > 0, format!("{} tasks are left, and the store is gone", left.tasks)),
        ];
        found.into_iter().filter(|(is_so, _)| *is_so).map(|(_, line)| line).collect()
    }

    fn growth(&self, kind: Kind) -> Option<String> {
        let (before, after) = self.median(kind, 1).zip(self.median(kind, 3))?;
        let most = before + before / 10 + kind.slack();
        (after > most).then(|| format!("{} grew from {before} to {after}; up to {most} would be noise", kind.name()))
    }

    /// The middle sample of a quarter of the time, if there are enough.
    fn median(&self, kind: Kind, quarter: usize) -> Option<u64> {
        let (from, to) = (self.samples.len() * quarter / 4, self.samples.len() * (quarter + 1) / 4);
        let mut values: Vec<_> = self.samples[from..to].iter().filter_map(|sample| sample.of(kind)).collect();
        values.sort_unstable();
        (values.len() >= ENOUGH).then(|| values[values.len() / 2])
    }
}
