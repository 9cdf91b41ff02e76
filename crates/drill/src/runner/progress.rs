//! Progress during the run: bars on a terminal, otherwise a line per phase.

use std::collections::VecDeque;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use tokio::time::{Instant, sleep};

use super::recorder::Recorder;
use crate::environment::Deployment;
use crate::scenario::ScheduledStep;

const TICK: Duration = Duration::from_millis(200);
/// Ticks per second; the shares are those of the last second.
const TICKS: usize = 5;

pub(crate) struct Progress {
    started_at: Instant,
    bars: Option<Bars>,
}

struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    regions: Vec<ProgressBar>,
}

impl Progress {
    pub(crate) fn start(length: Duration, deployment: &Deployment) -> Self {
        let bars = std::io::stderr()
            .is_terminal()
            .then(|| Bars::new(length, deployment));
        Self {
            started_at: Instant::now(),
            bars,
        }
    }

    pub(crate) fn on_phase(&self, name: &str, schedule: &[ScheduledStep], deployment: &Deployment) {
        let what: Vec<_> = schedule
            .iter()
            .map(|step| describe(step, deployment))
            .collect();
        let line = format!(
            "{:>6.1} s  {name:<12} {}",
            self.started_at.elapsed().as_secs_f64(),
            what.join(", ")
        );
        match &self.bars {
            Some(bars) => {
                bars.total.set_message(name.to_owned());
                bars.all.suspend(|| eprintln!("{}", line.trim_end()));
            }
            None => println!("{}", line.trim_end()),
        }
    }

    /// Updates the bars. Never returns.
    pub(crate) async fn update_forever(&self, deployment: &Deployment, recorder: &Recorder) {
        let Some(bars) = &self.bars else {
            return std::future::pending().await;
        };
        let mut samples = VecDeque::from([deployment.requests()]);
        loop {
            sleep(TICK).await;
            samples.push_back(deployment.requests());
            if samples.len() > TICKS + 1 {
                samples.pop_front();
            }
            bars.total.set_position(
                u64::try_from(self.started_at.elapsed().as_millis()).unwrap_or(u64::MAX),
            );
            bars.show(&samples, deployment, recorder);
        }
    }

    pub(crate) fn end(&self) {
        if let Some(bars) = &self.bars {
            bars.regions
                .iter()
                .chain([&bars.total])
                .for_each(ProgressBar::finish_and_clear);
        }
    }
}

impl Bars {
    fn new(length: Duration, deployment: &Deployment) -> Self {
        let all = MultiProgress::new();
        let line =
            |template: &str| ProgressStyle::with_template(template).expect("the template is valid");
        let total = all.add(ProgressBar::new(
            u64::try_from(length.as_millis()).unwrap_or(u64::MAX),
        ));
        total.set_style(line("{bar:40} {elapsed:>4} {msg}"));
        let widest = deployment
            .names
            .iter()
            .map(|name| name.len())
            .max()
            .unwrap_or(0);
        let regions = deployment.names.iter().map(|name| {
            let bar = all.add(ProgressBar::new(100));
            bar.set_style(line("  {prefix} [{bar:25}] {pos:>3} %  {msg}"));
            bar.set_prefix(format!("{name:<widest$}"));
            bar
        });
        let regions = regions.collect();
        Self {
            all,
            total,
            regions,
        }
    }

    fn show(&self, samples: &VecDeque<Vec<u64>>, deployment: &Deployment, recorder: &Recorder) {
        let (Some(first), Some(last)) = (samples.front(), samples.back()) else {
            return;
        };
        let second: Vec<_> = last
            .iter()
            .zip(first)
            .map(|(last, first)| last.saturating_sub(*first))
            .collect();
        let sum = second.iter().sum::<u64>().max(1);
        for (index, (bar, circuit)) in self.regions.iter().zip(deployment.circuits()).enumerate() {
            let note = if recorder.record().faults.is_serving(index) {
                ""
            } else {
                "  (failing)"
            };
            bar.set_position(second[index] * 100 / sum);
            // Padded here, because `Display` of the state ignores the width.
            bar.set_message(format!(
                "{:<9} {:>8} requests{note}",
                circuit.to_string(),
                last[index]
            ));
        }
    }
}

/// A step as text.
fn describe(step: &ScheduledStep, deployment: &Deployment) -> String {
    let regions = if step.action.changes_data() {
        "objects".to_owned()
    } else if step.regions.len() == deployment.len() {
        "all".to_owned()
    } else {
        step.regions
            .iter()
            .map(|index| deployment.names[*index].to_string())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let later = if step.at > 0.0 { " later" } else { "" };
    format!("{regions} {}{later}", step.action.state())
}
