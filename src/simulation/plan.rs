//! The plan of a life, drawn from one seed before it begins: regions, faults, operations, and when callers go away.

use std::ops::Range;

use object_store::GetRange;

use super::dice::Dice;
use super::fault::{Fault, Latency, Spell};
use super::settings::Settings;
use super::steps::Steps;
use super::truth::{Lag, Ms};
use super::world::Tags;

/// One operation.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) at: Ms,
    pub(super) action: Action,
    pub(super) key: String,
    pub(super) cancel: Option<Cancel>,
    pub(super) deadline: Option<Ms>,
    pub(super) pin: Option<usize>,
    pub(super) avoid: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    Get(Option<GetRange>, Condition),
    Head(Condition),
    Ranges(Vec<Range<u64>>),
    List {
        prefix: Option<String>,
        offset: Option<String>,
    },
    ListLevel(Option<String>),
    Put(u64),
    Create(u64),
    Update(u64),
    Copy {
        from: String,
        if_absent: bool,
    },
    Delete,
    /// Somebody else writes, behind the store's back.
    PutElsewhere(u64),
    DeleteElsewhere,
    /// Somebody else stamps the canary, by a calendar that may have jumped by so many seconds.
    Stamp(i64),
}

/// On what a read depends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    None,
    /// The version that the region shows which is named first.
    Match,
    NoneMatch,
}

/// When the caller goes away.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cancel {
    After(Ms),
    /// After so many polls.
    Polls(u32),
}

/// A region as it is built.
#[derive(Debug, Clone, Copy)]
pub(super) struct Build {
    pub(super) latency: Latency,
    pub(super) lag: Lag,
    pub(super) tags: Tags,
    pub(super) reports: bool,
    pub(super) has_markers: bool,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub(super) settings: Settings,
    pub(super) builds: Vec<Build>,
    pub(super) keys: Vec<(String, u64)>,
    pub(super) spells: Vec<Spell>,
    pub(super) steps: Vec<Step>,
}

impl Plan {
    pub(super) fn draw(seed: u64, settings: Option<Settings>, spells: Option<Vec<Spell>>, operations: usize) -> Self {
        let mut dice = Dice::new(seed);
        let drawn = Settings::draw(&mut dice.fork());
        let settings = settings.unwrap_or(drawn);
        let builds = builds(&mut dice.fork(), settings.regions.len());
        let keys = keys(&mut dice.fork(), &settings);
        let steps = Steps::new(dice.fork(), &settings, &keys).draw(operations);
        let life = steps.last().map_or(0, |step| step.at);
        let drawn = draw_spells(&mut dice.fork(), settings.regions.len(), life);
        Self { settings, builds, keys, spells: spells.unwrap_or(drawn), steps }
    }
}

fn builds(dice: &mut Dice, count: usize) -> Vec<Build> {
    let (has_markers, no_lag) = (dice.chance(0.5), dice.chance(0.25));
    let tags = dice.pick(&[Tags::Content, Tags::Content, Tags::Content, Tags::Own, Tags::Weak]);
    let reports = dice.pick(&[0.0, 0.5, 1.0]);
    let mut build = |_| Build {
        latency: Latency {
            median: dice.pick(&[2.0, 10.0, 40.0, 150.0]),
            sigma: dice.pick(&[0.2, 0.5, 1.0]),
            tail: dice.pick(&[0.0, 0.02]),
        },
        lag: Lag {
            median: if no_lag { 0.0 } else { dice.pick(&[0.0, 50.0, 1000.0, 20_000.0]) },
            sigma: 0.8,
            of_deletes: dice.pick(&[1.0, 10.0]),
        },
        tags,
        reports: dice.chance(reports),
        has_markers,
    };
    (0..count).map(&mut build).collect()
}

fn keys(dice: &mut Dice, settings: &Settings) -> Vec<(String, u64)> {
    let mut names: Vec<_> = (0..8).map(|key| format!("data/k{key}")).collect();
    names.extend((0..3).map(|key| format!("other/folder/k{key}")));
    names.extend(settings.reads.home_prefixes.iter().flat_map(|prefix| (0..4).map(move |key| format!("{prefix}/k{key}"))));
    let mut keys: Vec<_> = names.into_iter().map(|name| (name, size(dice))).collect();
    // Too large for its ranges to be read in one request.
    keys.push((LARGE_KEY.to_owned(), LARGE));
    keys
}

pub(super) fn size(dice: &mut Dice) -> u64 {
    let most = dice.pick(&[0, 1, 40, 1000, 1000, 1000, 20_000]);
    dice.between(0, most)
}

fn draw_spells(dice: &mut Dice, regions: usize, life: Ms) -> Vec<Spell> {
    // From calm lives to those in which something is always wrong.
    let each = dice.pick(&[1, 3, 8]);
    let count = dice.between(0, regions as u64 * each);
    let longest = dice.pick(&[life / 20, life / 5, life / 2]).max(10);
    let spell = |_| {
        let (from, lasts) = (dice.between(0, life), dice.between(5, longest));
        let region = dice.between(0, regions as u64 - 1) as usize;
        Spell { region, from, until: from + lasts, fault: Fault::draw(dice), share: dice.pick(&[1.0, 1.0, 0.5, 0.1]) }
    };
    let mut spells: Vec<_> = (0..count).map(spell).collect();
    if dice.chance(0.3) {
        // All regions at once.
        let (from, fault) = (dice.between(0, life), Fault::draw(dice));
        spells.extend((0..regions).map(|region| Spell { region, from, until: from + longest, fault, share: 1.0 }));
    }
    spells
}

pub(super) const LARGE_KEY: &str = "large";
/// Parts of an object that lie further apart than a mebibyte are read by requests of their own.
pub(super) const LARGE: u64 = 1_150_000;
