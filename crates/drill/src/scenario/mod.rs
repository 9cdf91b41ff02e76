//! Scenarios as data: a new scenario is one more entry of [`SCENARIOS`].

mod action;
mod list;

use std::time::Duration;

pub(crate) use action::{Action, BREAK_AT_BYTE, NetworkFault, Target};
pub(crate) use list::SCENARIOS;

/// A sequence of faults, in phases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// The name for `--scenario`.
    pub(crate) name: &'static str,
    /// The faults, in one line.
    pub(crate) does: &'static str,
    /// The expected reads, in one line.
    pub(crate) expects: &'static str,
    pub(crate) phases: &'static [Phase],
    /// The bounds, in the format of `--expect`; see `evaluation/measures.rs`.
    pub(crate) expect: &'static str,
    pub(crate) store: StoreFeatures,
}

/// The optional features of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreFeatures {
    /// The `[hedge]` table.
    pub(crate) hedging: bool,
    /// `home/` is a home prefix, and all writes go to the first region.
    pub(crate) home: bool,
    /// Faster detection (`silence`, a short `stall`), for the comparison with clients that are
    /// tuned.
    pub(crate) fast_detection: bool,
}

impl StoreFeatures {
    const NONE: Self = Self {
        hedging: false,
        home: false,
        fast_detection: false,
    };
    const HEDGING: Self = Self {
        hedging: true,
        ..Self::NONE
    };
    const HOME: Self = Self {
        home: true,
        ..Self::NONE
    };

    /// The features of a comparison.
    pub(crate) fn for_comparison(self) -> Self {
        Self {
            hedging: true,
            fast_detection: true,
            ..self
        }
    }
}

/// A part of a scenario, with its own row in the tables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// Its duration, in parts of the scenario's.
    pub(crate) parts: u32,
    pub(crate) steps: &'static [Step],
}

/// An action on some regions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// The time as a fraction of the phase. Steps are in order of time.
    pub(crate) at: f64,
    pub(crate) action: Action,
    pub(crate) target: Target,
}

/// A step with its time and the indexes of its regions.
#[derive(Debug, Clone)]
pub(crate) struct ScheduledStep {
    pub(crate) at: f64,
    pub(crate) action: Action,
    pub(crate) regions: Vec<usize>,
}

const fn slice(name: &'static str) -> Phase {
    Phase {
        name,
        parts: 1,
        steps: &[],
    }
}

/// The default of `--config`: faults are injected manually, and the phases are slices of time.
pub(crate) const WATCH: Scenario = Scenario {
    name: "watch",
    does: "no faults except those that are injected manually",
    expects: "no failed read",
    phases: &[
        slice("1st sixth"),
        slice("2nd sixth"),
        slice("3rd sixth"),
        slice("4th sixth"),
        slice("5th sixth"),
        slice("last sixth"),
    ],
    expect: "failed=0,wrong=0,hung=0",
    store: StoreFeatures::NONE,
};

/// The mode that only checks the regions.
pub(crate) const PREFLIGHT: &str = "preflight";

impl Scenario {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    pub(crate) fn actions(&self) -> impl Iterator<Item = Action> {
        self.phases
            .iter()
            .flat_map(|phase| phase.steps)
            .map(|step| step.action)
    }

    /// Whether it has network faults, which need a proxy in front of each region.
    pub(crate) fn needs_links(&self) -> bool {
        self.actions().any(Action::is_network_fault)
    }

    /// Whether it has actions on single nodes of the first region.
    pub(crate) fn needs_nodes(&self) -> bool {
        self.actions()
            .any(|action| matches!(action, Action::KillNodes(_) | Action::StartUnready))
    }

    /// The duration of `phase` in a scenario that takes `total`.
    pub(crate) fn length(&self, phase: &Phase, total: Duration) -> Duration {
        let parts: u32 = self.phases.iter().map(|phase| phase.parts).sum();
        total * phase.parts / parts
    }
}

impl Phase {
    /// The steps for `count` regions, in order of time.
    pub(crate) fn schedule(&self, count: usize) -> Vec<ScheduledStep> {
        let in_turn = self
            .steps
            .iter()
            .any(|step| matches!(step.target, Target::EachInTurn));
        let turns = if in_turn { count } else { 1 };
        let of_turn = |turn: usize| {
            let at = move |step: &Step| (turn as f64 + step.at) / turns as f64;
            self.steps.iter().map(move |step| ScheduledStep {
                at: at(step),
                action: step.action,
                regions: step.target.of(count, turn),
            })
        };
        (0..turns).flat_map(of_turn).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, SCENARIOS, Scenario};
    use crate::evaluation::expect;

    #[test]
    fn scenarios_start_healthy_and_expect_no_wrong_bytes() {
        for scenario in SCENARIOS {
            assert!(scenario.phases[0].steps.is_empty(), "{}", scenario.name);
            let expected = expect::parse(scenario.expect)
                .unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
            for measure in ["failed", "wrong", "hung"] {
                assert!(
                    expected.iter().any(|one| one.name == measure),
                    "{}: {measure}",
                    scenario.name
                );
            }
            assert_eq!(
                SCENARIOS
                    .iter()
                    .filter(|other| other.name == scenario.name)
                    .count(),
                1,
                "{}",
                scenario.name
            );
        }
    }

    #[test]
    fn scenarios_undo_their_actions_at_the_end() {
        for scenario in SCENARIOS {
            let undoes =
                |action: Action| matches!(action, Action::Restore | Action::ResumeReplication);
            let last = scenario
                .phases
                .last()
                .and_then(|phase| phase.steps.iter().rev().find(|step| undoes(step.action)));
            assert!(last.is_some(), "{}", scenario.name);
        }
    }

    #[test]
    fn steps_in_turn_repeat_for_each_region() {
        let phase = Scenario::named("rolling-restart")
            .expect("a known scenario")
            .phases[1];
        let steps: Vec<_> = phase
            .schedule(2)
            .iter()
            .map(|step| (step.at, step.action, step.regions[0]))
            .collect();
        assert_eq!(
            steps,
            [
                (0.0, Action::Kill, 0),
                (0.2, Action::Restore, 0),
                (0.5, Action::Kill, 1),
                (0.7, Action::Restore, 1)
            ]
        );
    }
}
