//! Rounds: whether there is another, when it begins, and the plan that it follows.

use std::time::Duration;

use super::{Call, Stage};
use crate::failover::config::NotFoundPolicy;
use crate::health::CircuitClass;
use crate::plan::Plan;
use crate::region::RegionSet;
use crate::request::Request;
use crate::time::{self, Instant};

impl<R: Request> Call<'_, R> {
    /// The moment at which the next round begins, if there is one.
    pub(in crate::failover) fn next_round(&mut self) -> Option<Instant> {
        let now = self.now;
        let rounds = self.core.retry.rounds(self.operation, self.scope.allowed.len());
        let decided = self.core.not_found == NotFoundPolicy::Reachable && self.outcome.anyone_lacks_it();
        if self.sent == 0 || self.is_broke || self.round >= rounds || !self.outcome.may_heal() || decided {
            return None;
        }
        self.round += 1;
        let pause = time::scaled(self.core.retry.longest_pause(self.round), self.core.dice.unit());
        // A round in which nobody may be asked would be none; nor is one asked for by those who want to be left alone.
        let asked = self.outcome.asked_again();
        let (held, until) = self.core.regions.held(asked, now);
        let held_for = until.filter(|_| held == asked).map_or(Duration::ZERO, |until| until - now);
        let begins = time::after(now, pause.max(self.outcome.retry_after()).max(held_for));
        if begins >= self.deadline {
            return None;
        }
        self.tell_of_round(begins - now);
        Some(begins)
    }

    /// Those that have not given an answer that stands are asked again.
    pub(in crate::failover) fn begin_round(&mut self) {
        self.untried = self.outcome.begin_round();
        self.passed_over = RegionSet::default();
        self.crowded = RegionSet::default();
        self.stage = if self.outcome.anyone_lacks_it() { Stage::Search } else { Stage::Rotation };
        self.make_plan();
    }

    pub(super) fn make_plan(&mut self) {
        let now = self.now;
        let standings = self.class.and_then(|class| self.core.regions.standings(class, now));
        let (weights, dice, allowed) = (self.core.rotation.weights(), &self.core.dice, self.scope.allowed);
        // A trial elsewhere would take a read away from the region that it belongs to.
        let slow = self.core.hedging.slow(&self.core.regions, now);
        let may_try = if self.request.may_try() { self.scope.first.map_or(allowed, RegionSet::one) } else { RegionSet::default() };
        let probed = if standings.is_some() && self.class == Some(CircuitClass::Read) {
            self.core.regions.tried_by_probes()
        } else {
            RegionSet::default()
        };
        let may_try = may_try.without(probed);
        self.plan = Plan::new(self.order, standings.as_deref(), may_try, allowed, slow, weights, dice);
        self.plan.spare(self.core.regions.held(allowed, now).0);
    }
}
