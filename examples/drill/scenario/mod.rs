//! What happens to whom and when, as data: a new scenario is one more entry of [`SCENARIOS`].

mod act;
mod list;

use std::time::Duration;

pub(crate) use act::{Act, BEFORE_THE_END, Spoil, Whom};
pub(crate) use list::{PREFLIGHT, SCENARIOS, WATCH};

/// A story of faults, told in phases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// What `--scenario` calls it.
    pub(crate) name: &'static str,
    /// What is done, in one line.
    pub(crate) does: &'static str,
    /// What readers should see, in one line.
    pub(crate) expects: &'static str,
    pub(crate) phases: &'static [Phase],
    /// What is measured against what, as `--expect` writes it; see `verdict/measure.rs`.
    pub(crate) expect: &'static str,
    pub(crate) store: Wants,
}

/// What the store has, apart from its shipped settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wants {
    /// Second attempts beside slow ones.
    pub(crate) hedging: bool,
    /// Keys below `home/` are the first region's, and so are all writes.
    pub(crate) home: bool,
    /// Everything that makes it give up sooner: beside other clients, which have that from their manuals.
    pub(crate) haste: bool,
}

impl Wants {
    const NOTHING: Self = Self { hedging: false, home: false, haste: false };
    const HEDGING: Self = Self { hedging: true, ..Self::NOTHING };
    const HOME: Self = Self { home: true, ..Self::NOTHING };

    /// To be compared.
    pub(crate) fn at_its_best(self) -> Self {
        Self { hedging: true, haste: true, ..self }
    }
}

/// A part of a scenario, with a row of its own in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    /// Its length, in parts of the scenario's whole.
    pub(crate) parts: u32,
    pub(crate) steps: &'static [Step],
}

/// One thing done to some regions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// When: as a share of the phase, from 0 to 1. Steps stand in the order of time.
    pub(crate) at: f64,
    pub(crate) act: Act,
    pub(crate) whom: Whom,
}

/// A step with its time and its regions.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub(crate) at: f64,
    pub(crate) act: Act,
    pub(crate) regions: Vec<usize>,
}

impl Scenario {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    pub(crate) fn acts(&self) -> impl Iterator<Item = Act> {
        self.phases.iter().flat_map(|phase| phase.steps).map(|step| step.act)
    }

    /// Some of it happens on the line to the regions.
    pub(crate) fn needs_a_line(&self) -> bool {
        self.acts().any(Act::is_on_the_line)
    }

    /// Some of it happens to single nodes of the first region.
    pub(crate) fn needs_nodes(&self) -> bool {
        self.acts().any(|act| matches!(act, Act::LoseNodes(_) | Act::StartUnready))
    }

    /// How long `phase` lasts when the whole lasts `total`.
    pub(crate) fn length(&self, phase: &Phase, total: Duration) -> Duration {
        let parts: u32 = self.phases.iter().map(|phase| phase.parts).sum();
        total * phase.parts / parts
    }
}

impl Phase {
    /// Its steps among `count` regions, in the order of time.
    pub(crate) fn moments(&self, count: usize) -> Vec<Moment> {
        let in_turn = self.steps.iter().any(|step| matches!(step.whom, Whom::EachInTurn));
        let turns = if in_turn { count } else { 1 };
        let of_turn = |turn: usize| {
            let at = move |step: &Step| (turn as f64 + step.at) / turns as f64;
            self.steps.iter().map(move |step| Moment { at: at(step), act: step.act, regions: step.whom.of(count, turn) })
        };
        (0..turns).flat_map(of_turn).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Act, SCENARIOS, Scenario};
    use crate::verdict::expect;

    #[test]
    fn every_scenario_begins_healthy_expects_no_wrong_byte_and_has_a_name_of_its_own() {
        for scenario in SCENARIOS {
            assert!(scenario.phases[0].steps.is_empty(), "{}", scenario.name);
            let expected = expect::parse(scenario.expect).unwrap_or_else(|why| panic!("{}: {why}", scenario.name));
            for never in ["failed", "wrong", "hung"] {
                assert!(expected.iter().any(|one| one.name == never), "{}: {never}", scenario.name);
            }
            assert_eq!(SCENARIOS.iter().filter(|other| other.name == scenario.name).count(), 1, "{}", scenario.name);
        }
    }

    #[test]
    fn everything_that_is_done_is_undone_before_the_end() {
        for scenario in SCENARIOS {
            let undone = |act: Act| matches!(act, Act::Revive | Act::ResumeReplication);
            let last = scenario.phases.last().and_then(|phase| phase.steps.iter().rev().find(|step| undone(step.act)));
            assert!(last.is_some(), "{}", scenario.name);
        }
    }

    #[test]
    fn steps_in_turn_are_played_for_each_region_in_its_slice() {
        let phase = Scenario::named("rolling-restart").expect("it is there").phases[1];
        let told: Vec<_> = phase.moments(2).iter().map(|moment| (moment.at, moment.act, moment.regions[0])).collect();
        assert_eq!(told, [(0.0, Act::Kill, 0), (0.2, Act::Revive, 0), (0.5, Act::Kill, 1), (0.7, Act::Revive, 1)]);
    }
}
