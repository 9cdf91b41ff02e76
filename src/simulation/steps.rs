//! The operations of a life, drawn before it begins.

use std::ops::Range;

use object_store::GetRange;

use super::dice::Dice;
use super::plan::{Action, Cancel, Condition, LARGE, LARGE_KEY, Step, size};
use super::settings::Settings;
use super::truth::Ms;
use crate::failover::config::WritePolicy;

pub(super) struct Steps<'a> {
    dice: Dice,
    settings: &'a Settings,
    keys: &'a [(String, u64)],
    writes: bool,
}

impl<'a> Steps<'a> {
    pub(super) fn new(dice: Dice, settings: &'a Settings, keys: &'a [(String, u64)]) -> Self {
        let writes = !matches!(settings.writes, WritePolicy::None { .. });
        Self { dice, settings, keys, writes }
    }

    pub(super) fn draw(mut self, count: usize) -> Vec<Step> {
        let mut at = 1000;
        let (gap, restless) = (self.dice.pick(&[5, 50, 300, 1000]), self.dice.pick(&[0.0, 0.1, 0.4]));
        let mut steps = Vec::with_capacity(count);
        for _ in 0..count {
            at += if self.dice.chance(0.3) { 0 } else { self.dice.between(0, 2 * gap) };
            steps.push(self.step(at, restless));
        }
        steps
    }

    fn step(&mut self, at: Ms, restless: f64) -> Step {
        let mut key = self.key();
        let action = if key == LARGE_KEY { self.action_on_large() } else { self.action() };
        let dice = &mut self.dice;
        // What is to be created is mostly not there.
        if matches!(action, Action::Create(_)) && dice.chance(0.7) {
            key = format!("data/new{at}");
        }
        let regions = self.settings.regions.len() as u64;
        let cancel = dice.chance(restless).then(|| {
            let (time, polls) = (dice.between(0, 500), dice.between(0, 12) as u32);
            if dice.chance(0.5) { Cancel::After(time) } else { Cancel::Polls(polls) }
        });
        let region = |dice: &mut Dice| dice.chance(0.04).then(|| dice.between(0, regions - 1) as usize);
        Step { at, action, key, cancel, deadline: dice.chance(0.05).then(|| dice.between(1, 2000)), pin: region(dice), avoid: region(dice) }
    }

    fn key(&mut self) -> String {
        if self.dice.chance(0.1) { format!("data/missing{}", self.dice.between(0, 3)) } else { self.dice.pick(self.keys).0 }
    }

    fn action(&mut self) -> Action {
        let kind = self.dice.between(0, 99);
        let size = size(&mut self.dice);
        match kind {
            0..42 => Action::Get(self.range(), self.condition()),
            42..52 => Action::Head(self.condition()),
            52..60 => {
                let count = self.dice.between(1, 4);
                Action::Ranges((0..count).map(|_| self.bounded()).collect())
            }
            60..66 => {
                let prefix = self.dice.pick(&[None, Some("data".to_owned()), Some("other".to_owned()), Some("nothing".to_owned())]);
                Action::List { prefix, offset: self.dice.chance(0.3).then(|| self.key()) }
            }
            66..69 => Action::ListLevel(self.dice.pick(&[None, Some("other".to_owned())])),
            69..74 => Action::PutElsewhere(size),
            74..77 => Action::DeleteElsewhere,
            77..79 => Action::Stamp(self.dice.pick(&[0, 0, -3600, 86_400, -1_000_000_000])),
            _ if !self.writes && self.dice.chance(0.9) => Action::Get(None, Condition::None),
            79..85 => Action::Put(size),
            85..91 => Action::Create(size),
            91..94 => Action::Update(size),
            94..97 => Action::Copy { from: self.key(), if_absent: self.dice.chance(0.5) },
            _ => Action::Delete,
        }
    }

    /// Mostly reads of ranges that lie far apart, while it is overwritten.
    fn action_on_large(&mut self) -> Action {
        let mut part = |from: u64| {
            let start = from + self.dice.between(0, 1000);
            start..start + self.dice.between(1, 3 * 4096)
        };
        let ranges = vec![part(0), part(LARGE - 20_000)];
        match self.dice.between(0, 9) {
            0 | 1 => Action::PutElsewhere(LARGE),
            2 => Action::Get(Some(GetRange::Suffix(5000)), Condition::None),
            _ => Action::Ranges(ranges),
        }
    }

    fn condition(&mut self) -> Condition {
        self.dice.pick(&[Condition::None, Condition::None, Condition::None, Condition::None, Condition::Match, Condition::NoneMatch])
    }

    fn bounded(&mut self) -> Range<u64> {
        let most = self.dice.pick(&[10, 800, 800]);
        let start = self.dice.between(0, most);
        start..start + self.dice.between(1, 200)
    }

    fn range(&mut self) -> Option<GetRange> {
        let range = self.bounded();
        match self.dice.between(0, 9) {
            0..6 => None,
            6 => Some(GetRange::Bounded(range)),
            7 => Some(GetRange::Offset(range.start)),
            8 => Some(GetRange::Suffix(range.end)),
            _ => Some(GetRange::Bounded(range.start..u64::MAX)),
        }
    }
}
