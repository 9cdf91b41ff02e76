//! Draws the operations of a scenario.

use std::ops::Range;

use object_store::GetRange;
use object_store_failover::config::WritePolicy;

use crate::object_history::Ms;
use crate::rng::Rng;
use crate::scenario::{Action, Cancel, Condition, LARGE_BYTES, LARGE_KEY, Step, size};
use crate::settings::Settings;

pub(crate) struct StepGenerator<'a> {
    rng: Rng,
    settings: &'a Settings,
    keys: &'a [(String, u64)],
    writes: bool,
}

impl<'a> StepGenerator<'a> {
    pub(crate) fn new(rng: Rng, settings: &'a Settings, keys: &'a [(String, u64)]) -> Self {
        let writes = !matches!(settings.writes, WritePolicy::None { .. });
        Self {
            rng,
            settings,
            keys,
            writes,
        }
    }

    pub(crate) fn draw(mut self, count: usize) -> Vec<Step> {
        let mut at = 1000;
        let (gap, cancel_share) = (
            self.rng.pick(&[5, 50, 300, 1000]),
            self.rng.pick(&[0.0, 0.1, 0.4]),
        );
        let mut steps = Vec::with_capacity(count);
        for _ in 0..count {
            at += if self.rng.chance(0.3) {
                0
            } else {
                self.rng.between(0, 2 * gap)
            };
            steps.push(self.step(at, cancel_share));
        }
        steps
    }

    fn step(&mut self, at: Ms, cancel_share: f64) -> Step {
        let mut key = self.key();
        let action = if key == LARGE_KEY {
            self.action_on_large()
        } else {
            self.action()
        };
        let rng = &mut self.rng;
        // Most creates are of a new key; the others conflict.
        if matches!(action, Action::Create(_)) && rng.chance(0.7) {
            key = format!("data/new{at}");
        }
        let regions = self.settings.regions.len() as u64;
        let cancel = rng.chance(cancel_share).then(|| {
            let (time, polls) = (rng.between(0, 500), rng.between(0, 12) as u32);
            if rng.chance(0.5) {
                Cancel::After(time)
            } else {
                Cancel::Polls(polls)
            }
        });
        let region = |rng: &mut Rng| {
            rng.chance(0.04)
                .then(|| rng.between(0, regions - 1) as usize)
        };
        Step {
            at,
            action,
            key,
            cancel,
            deadline: rng.chance(0.05).then(|| rng.between(1, 2000)),
            pin: region(rng),
            avoid: region(rng),
        }
    }

    fn key(&mut self) -> String {
        if self.rng.chance(0.1) {
            format!("data/missing{}", self.rng.between(0, 3))
        } else {
            self.rng.pick(self.keys).0
        }
    }

    fn action(&mut self) -> Action {
        let kind = self.rng.between(0, 99);
        let size = size(&mut self.rng);
        match kind {
            0..42 => Action::Get(self.range(), self.condition()),
            42..52 => Action::Head(self.condition()),
            52..60 => {
                let count = self.rng.between(1, 4);
                Action::GetRanges((0..count).map(|_| self.bounded()).collect())
            }
            60..66 => {
                let prefix = self.rng.pick(&[
                    None,
                    Some("data".to_owned()),
                    Some("other".to_owned()),
                    Some("nothing".to_owned()),
                ]);
                Action::List {
                    prefix,
                    offset: self.rng.chance(0.3).then(|| self.key()),
                }
            }
            66..69 => Action::ListWithDelimiter(self.rng.pick(&[None, Some("other".to_owned())])),
            69..74 => Action::ExternalPut(size),
            74..77 => Action::ExternalDelete,
            77..79 => Action::StampCanary(self.rng.pick(&[0, 0, -3600, 86_400, -1_000_000_000])),
            _ if !self.writes && self.rng.chance(0.9) => Action::Get(None, Condition::None),
            79..85 => Action::Put(size),
            85..91 => Action::Create(size),
            91..94 => Action::Update(size),
            94..97 => Action::Copy {
                from: self.key(),
                if_absent: self.rng.chance(0.5),
            },
            _ => Action::Delete,
        }
    }

    /// Mostly reads of distant ranges, while external writes replace the object.
    fn action_on_large(&mut self) -> Action {
        let mut part = |from: u64| {
            let start = from + self.rng.between(0, 1000);
            start..start + self.rng.between(1, 3 * 4096)
        };
        let ranges = vec![part(0), part(LARGE_BYTES - 20_000)];
        match self.rng.between(0, 9) {
            0 | 1 => Action::ExternalPut(LARGE_BYTES),
            2 => Action::Get(Some(GetRange::Suffix(5000)), Condition::None),
            _ => Action::GetRanges(ranges),
        }
    }

    fn condition(&mut self) -> Condition {
        self.rng.pick(&[
            Condition::None,
            Condition::None,
            Condition::None,
            Condition::None,
            Condition::Match,
            Condition::NoneMatch,
        ])
    }

    fn bounded(&mut self) -> Range<u64> {
        let most = self.rng.pick(&[10, 800, 800]);
        let start = self.rng.between(0, most);
        start..start + self.rng.between(1, 200)
    }

    fn range(&mut self) -> Option<GetRange> {
        let range = self.bounded();
        match self.rng.between(0, 9) {
            0..6 => None,
            6 => Some(GetRange::Bounded(range)),
            7 => Some(GetRange::Offset(range.start)),
            8 => Some(GetRange::Suffix(range.end)),
            _ => Some(GetRange::Bounded(range.start..u64::MAX)),
        }
    }
}
