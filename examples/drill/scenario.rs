//! What happens to whom and when, as data: a new scenario is one more entry of [`SCENARIOS`].

use std::time::Duration;

/// A story of faults, told in phases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scenario {
    /// What `--scenario` calls it.
    pub(crate) name: &'static str,
    /// One line for `--help`.
    pub(crate) about: &'static str,
    pub(crate) phases: &'static [Phase],
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

/// What can be done to a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Listening socket and open connections are gone.
    Kill,
    /// Connections open and stay open, nothing is answered.
    Hang,
    /// On the wire: connections open, what is sent is lost, nothing comes back.
    Swallow,
    /// On the wire: headers arrive, and the connection is reset in the body.
    BreakBodies,
    /// It serves again.
    Revive,
}

/// To which regions.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Whom {
    /// One of them, counted from 0. Two of different numbers are different regions with any `--regions`, if both are below 2.
    Region(usize),
    All,
}

const fn step(at: f64, act: Act, whom: Whom) -> Step {
    Step { at, act, whom }
}

const HEALTHY: Phase = Phase { name: "healthy", parts: 4, steps: &[] };
const KILL_FIRST: &[Step] = &[step(0.0, Act::Kill, Whom::Region(0))];
/// It is back before another is harmed: with two regions, one that nobody has asked again yet is no help when the other hangs.
const KILL_FIRST_FOR_A_WHILE: &[Step] = &[step(0.0, Act::Kill, Whom::Region(0)), step(0.6, Act::Revive, Whom::Region(0))];
const ALL_BACK: &[Step] = &[step(0.0, Act::Revive, Whom::All)];
const ALL_GONE: &[Step] = &[step(0.0, Act::Kill, Whom::All)];
/// The others stay away a little longer: what returns first has to carry everything alone.
const ONE_BACK_THEN_ALL: &[Step] = &[step(0.0, Act::Revive, Whom::Region(0)), step(0.15, Act::Revive, Whom::All)];

/// Every scenario. The last phase has everything back and is long enough for circuits that have opened twice, and for the ramp.
pub(crate) const SCENARIOS: &[Scenario] = &[
    Scenario {
        name: "full",
        about: "one region is killed, then one hangs, then all are gone for a moment",
        phases: &[
            HEALTHY,
            Phase { name: "one killed", parts: 6, steps: KILL_FIRST_FOR_A_WHILE },
            // Another region than the killed one, whose circuit may still be open: a hang must be met by a circuit that is closed.
            Phase { name: "one hanging", parts: 6, steps: &[step(0.0, Act::Hang, Whom::Region(1))] },
            Phase { name: "back", parts: 10, steps: ALL_BACK },
            Phase { name: "all gone", parts: 2, steps: ALL_GONE },
            Phase { name: "back again", parts: 12, steps: ONE_BACK_THEN_ALL },
        ],
    },
    Scenario {
        name: "kill",
        about: "one region's socket and connections go away",
        phases: &[HEALTHY, Phase { name: "one killed", parts: 10, steps: KILL_FIRST }, Phase { name: "back", parts: 18, steps: ALL_BACK }],
    },
    Scenario {
        name: "hang",
        about: "one region takes connections and answers nothing",
        phases: &[
            HEALTHY,
            Phase { name: "one hanging", parts: 10, steps: &[step(0.0, Act::Hang, Whom::Region(0))] },
            Phase { name: "back", parts: 18, steps: ALL_BACK },
        ],
    },
    Scenario {
        name: "swallow",
        about: "one region's line takes everything and brings nothing back",
        phases: &[
            HEALTHY,
            Phase { name: "one swallows", parts: 10, steps: &[step(0.0, Act::Swallow, Whom::Region(0))] },
            Phase { name: "back", parts: 18, steps: ALL_BACK },
        ],
    },
    Scenario {
        name: "reset",
        about: "one region's bodies are reset on the line, after good headers",
        phases: &[
            HEALTHY,
            Phase { name: "bodies reset", parts: 10, steps: &[step(0.0, Act::BreakBodies, Whom::Region(0))] },
            Phase { name: "back", parts: 18, steps: ALL_BACK },
        ],
    },
    Scenario {
        name: "outage",
        about: "all regions are gone for a moment, and come back one after the other",
        phases: &[
            HEALTHY,
            Phase { name: "all gone", parts: 4, steps: ALL_GONE },
            Phase { name: "back", parts: 24, steps: ONE_BACK_THEN_ALL },
        ],
    },
];

/// What `--config` plays: the faults are somebody else's, the rows are slices of time.
pub(crate) const WATCH: Scenario = Scenario {
    name: "watch",
    about: "no faults but those that people make",
    phases: &[
        Phase { name: "1st sixth", parts: 1, steps: &[] },
        Phase { name: "2nd sixth", parts: 1, steps: &[] },
        Phase { name: "3rd sixth", parts: 1, steps: &[] },
        Phase { name: "4th sixth", parts: 1, steps: &[] },
        Phase { name: "5th sixth", parts: 1, steps: &[] },
        Phase { name: "last sixth", parts: 1, steps: &[] },
    ],
};

impl Scenario {
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        SCENARIOS.iter().find(|scenario| scenario.name == name)
    }

    /// Some of it happens on the line to the regions.
    pub(crate) fn needs_a_line(&self) -> bool {
        self.phases.iter().flat_map(|phase| phase.steps).any(|step| matches!(step.act, Act::Swallow | Act::BreakBodies))
    }

    /// How long `phase` lasts when the whole lasts `total`.
    pub(crate) fn length(&self, phase: &Phase, total: Duration) -> Duration {
        let parts: u32 = self.phases.iter().map(|phase| phase.parts).sum();
        total * phase.parts / parts
    }
}

impl Act {
    /// What a region is to which it was done.
    pub(crate) fn state(self) -> &'static str {
        match self {
            Self::Kill => "killed",
            Self::Hang => "hanging",
            Self::Swallow => "swallowing",
            Self::BreakBodies => "resetting",
            Self::Revive => "back",
        }
    }
}

impl Whom {
    /// Their indexes among `count` regions.
    pub(crate) fn of(self, count: usize) -> Vec<usize> {
        match self {
            Self::Region(index) => vec![index % count],
            Self::All => (0..count).collect(),
        }
    }
}
