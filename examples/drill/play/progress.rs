//! What a person sees while the drill runs: bars on a terminal, a line per phase elsewhere.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::board::Board;
use crate::clock::{Instant, now, pause};
use crate::ground::Stage;
use crate::scenario::Moment;

const TICK: Duration = Duration::from_millis(200);
/// Ticks in a second: shares are those of the last second.
const TICKS: usize = 5;

pub(crate) struct Progress {
    began: Instant,
    bars: Option<Bars>,
}

struct Bars {
    all: MultiProgress,
    whole: ProgressBar,
    regions: Vec<ProgressBar>,
}

impl Progress {
    pub(crate) fn start(length: Duration, stage: &Stage) -> Self {
        let bars = std::io::stderr().is_terminal().then(|| Bars::new(length, stage));
        Self { began: now(), bars }
    }

    pub(crate) fn on_phase(&self, name: &str, moments: &[Moment], stage: &Stage) {
        let what: Vec<_> = moments.iter().map(|moment| told(moment, stage)).collect();
        let line = format!("{:>6.1} s  {name:<12} {}", self.began.elapsed().as_secs_f64(), what.join(", "));
        match &self.bars {
            Some(bars) => {
                bars.whole.set_message(name.to_owned());
                bars.all.suspend(|| eprintln!("{}", line.trim_end()));
            }
            None => println!("{}", line.trim_end()),
        }
    }

    /// Keeps the bars moving for as long as it is polled.
    pub(crate) async fn keep_moving(&self, stage: Arc<Stage>, board: Arc<Board>) {
        let Some(bars) = &self.bars else {
            return std::future::pending().await;
        };
        let mut seen = VecDeque::from([stage.requests()]);
        loop {
            pause(TICK).await;
            seen.push_back(stage.requests());
            if seen.len() > TICKS + 1 {
                seen.pop_front();
            }
            bars.whole.set_position(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX));
            bars.show(&seen, &stage, &board);
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bars) = &self.bars {
            bars.regions.iter().chain([&bars.whole]).for_each(ProgressBar::finish_and_clear);
        }
    }
}

impl Bars {
    fn new(length: Duration, stage: &Stage) -> Self {
        let all = MultiProgress::new();
        let line = |template: &str| ProgressStyle::with_template(template).expect("the template is written in the source");
        let whole = all.add(ProgressBar::new(u64::try_from(length.as_millis()).unwrap_or(u64::MAX)));
        whole.set_style(line("{bar:40} {elapsed:>4} {msg}"));
        let widest = stage.names.iter().map(|name| name.len()).max().unwrap_or(0);
        let regions = stage.names.iter().map(|name| {
            let bar = all.add(ProgressBar::new(100));
            bar.set_style(line("  {prefix} [{bar:25}] {pos:>3} %  {msg}"));
            bar.set_prefix(format!("{name:<widest$}"));
            bar
        });
        let regions = regions.collect();
        Self { all, whole, regions }
    }

    fn show(&self, seen: &VecDeque<Vec<u64>>, stage: &Stage, board: &Board) {
        let (Some(first), Some(last)) = (seen.front(), seen.back()) else {
            return;
        };
        let second: Vec<_> = last.iter().zip(first).map(|(last, first)| last.saturating_sub(*first)).collect();
        let sum = second.iter().sum::<u64>().max(1);
        for (index, (bar, circuit)) in self.regions.iter().zip(stage.circuits()).enumerate() {
            let sick = if board.marks().faults.is_alive(index) { "" } else { "  (broken)" };
            bar.set_position(second[index] * 100 / sum);
            // Padded by hand: the states' Display knows no width.
            bar.set_message(format!("{:<9} {:>8} requests{sick}", circuit.to_string(), last[index]));
        }
    }
}

/// A moment in words.
fn told(moment: &Moment, stage: &Stage) -> String {
    let regions = if moment.act.is_of_data() {
        "objects".to_owned()
    } else if moment.regions.len() == stage.len() {
        "all".to_owned()
    } else {
        moment.regions.iter().map(|index| stage.names[*index].to_string()).collect::<Vec<_>>().join(", ")
    };
    let later = if moment.at > 0.0 { " a little later" } else { "" };
    format!("{regions} {}{later}", moment.act.state())
}
