//! The scenario of a run, drawn from the seed before it begins: settings, regions, faults,
//! operations and cancellations.

use std::ops::Range;

use object_store::GetRange;

use crate::fault::{Fault, FaultWindow, Latency};
use crate::object_history::{Lag, Ms};
use crate::rng::Rng;
use crate::settings::Settings;
use crate::step_generator::StepGenerator;
use crate::world::ETagKind;

/// One operation and when it starts.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) at: Ms,
    pub(crate) action: Action,
    pub(crate) key: String,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) deadline: Option<Ms>,
    pub(crate) pin: Option<usize>,
    pub(crate) avoid: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) enum Action {
    Get(Option<GetRange>, Condition),
    Head(Condition),
    GetRanges(Vec<Range<u64>>),
    List {
        prefix: Option<String>,
        offset: Option<String>,
    },
    ListWithDelimiter(Option<String>),
    Put(u64),
    Create(u64),
    Update(u64),
    Copy {
        from: String,
        if_absent: bool,
    },
    Delete,
    /// A write that bypasses the store.
    ExternalPut(u64),
    ExternalDelete,
    /// A write of the canary that bypasses the store. Its timestamp is off by this many seconds.
    StampCanary(i64),
}

/// The condition of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    None,
    /// `If-Match` with the version of some region.
    Match,
    /// `If-None-Match` with the version of some region.
    NoneMatch,
}

/// When an operation is cancelled.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cancel {
    After(Ms),
    /// After this many polls.
    Polls(u32),
}

/// The drawn properties of a region.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RegionSetup {
    pub(crate) latency: Latency,
    pub(crate) lag: Lag,
    pub(crate) etags: ETagKind,
    pub(crate) records_wire: bool,
    pub(crate) has_delete_markers: bool,
}

impl Action {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Get(..) => "get",
            Self::Head(_) => "head",
            Self::GetRanges(_) => "get_ranges",
            Self::List { .. } => "list",
            Self::ListWithDelimiter(_) => "list_with_delimiter",
            Self::Put(_) | Self::Create(_) | Self::Update(_) => "put",
            Self::Copy { .. } => "copy",
            Self::Delete => "delete",
            Self::ExternalPut(_) | Self::ExternalDelete | Self::StampCanary(_) => "external write",
        }
    }
}

#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) settings: Settings,
    pub(crate) setups: Vec<RegionSetup>,
    pub(crate) keys: Vec<(String, u64)>,
    pub(crate) windows: Vec<FaultWindow>,
    pub(crate) steps: Vec<Step>,
}

impl Scenario {
    pub(crate) fn draw(
        seed: u64,
        settings: Option<Settings>,
        windows: Option<Vec<FaultWindow>>,
        operations: usize,
    ) -> Self {
        let mut rng = Rng::new(seed);
        let drawn = Settings::draw(&mut rng.fork());
        let settings = settings.unwrap_or(drawn);
        let setups = setups(&mut rng.fork(), settings.regions.len());
        let keys = keys(&mut rng.fork(), &settings);
        let steps = StepGenerator::new(rng.fork(), &settings, &keys).draw(operations);
        let end = steps.last().map_or(0, |step| step.at);
        let drawn = draw_windows(&mut rng.fork(), settings.regions.len(), end);
        Self {
            settings,
            setups,
            keys,
            windows: windows.unwrap_or(drawn),
            steps,
        }
    }
}

fn setups(rng: &mut Rng, count: usize) -> Vec<RegionSetup> {
    let (has_delete_markers, no_lag) = (rng.chance(0.5), rng.chance(0.25));
    let etags = rng.pick(&[
        ETagKind::Content,
        ETagKind::Content,
        ETagKind::Content,
        ETagKind::PerRegion,
        ETagKind::Weak,
    ]);
    let recording_share = rng.pick(&[0.0, 0.5, 1.0]);
    let mut setup = |_| RegionSetup {
        latency: Latency {
            median: rng.pick(&[2.0, 10.0, 40.0, 150.0]),
            sigma: rng.pick(&[0.2, 0.5, 1.0]),
            tail: rng.pick(&[0.0, 0.02]),
        },
        lag: Lag {
            median: if no_lag {
                0.0
            } else {
                rng.pick(&[0.0, 50.0, 1000.0, 20_000.0])
            },
            sigma: 0.8,
            delete_factor: rng.pick(&[1.0, 10.0]),
        },
        etags,
        records_wire: rng.chance(recording_share),
        has_delete_markers,
    };
    (0..count).map(&mut setup).collect()
}

fn keys(rng: &mut Rng, settings: &Settings) -> Vec<(String, u64)> {
    let mut names: Vec<_> = (0..8).map(|key| format!("data/k{key}")).collect();
    names.extend((0..3).map(|key| format!("other/folder/k{key}")));
    names.extend(
        settings
            .reads
            .home_prefixes
            .iter()
            .flat_map(|prefix| (0..4).map(move |key| format!("{prefix}/k{key}"))),
    );
    let mut keys: Vec<_> = names.into_iter().map(|name| (name, size(rng))).collect();
    // `get_ranges` reads distant parts of it in separate requests.
    keys.push((LARGE_KEY.to_owned(), LARGE_BYTES));
    keys
}

pub(crate) fn size(rng: &mut Rng) -> u64 {
    let most = rng.pick(&[0, 1, 40, 1000, 1000, 1000, 20_000]);
    rng.between(0, most)
}

fn draw_windows(rng: &mut Rng, regions: usize, end: Ms) -> Vec<FaultWindow> {
    // From runs almost without faults to runs in which some region always has one.
    let each = rng.pick(&[1, 3, 8]);
    let count = rng.between(0, regions as u64 * each);
    let longest = rng.pick(&[end / 20, end / 5, end / 2]).max(10);
    let window = |_| {
        let (from, duration) = (rng.between(0, end), rng.between(5, longest));
        let region = rng.between(0, regions as u64 - 1) as usize;
        FaultWindow {
            region,
            from,
            until: from + duration,
            fault: Fault::draw(rng),
            share: rng.pick(&[1.0, 1.0, 0.5, 0.1]),
        }
    };
    let mut windows: Vec<_> = (0..count).map(window).collect();
    if rng.chance(0.3) {
        // One fault in all regions at once.
        let (from, fault) = (rng.between(0, end), Fault::draw(rng));
        windows.extend((0..regions).map(|region| FaultWindow {
            region,
            from,
            until: from + longest,
            fault,
            share: 1.0,
        }));
    }
    windows
}

pub(crate) const LARGE_KEY: &str = "large";
/// More than a mebibyte: object_store merges ranges that are closer than that.
pub(crate) const LARGE_BYTES: u64 = 1_150_000;
