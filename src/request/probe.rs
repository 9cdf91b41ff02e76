//! The store's own read of one region.

use futures::future::BoxFuture;
use object_store::{GetResult, Result};

use super::{Absence, Get, Request, Scope, Target};
use crate::health::CircuitClass;
use crate::operation::Operation;
use crate::region::RegionState;

/// A get for which nobody waits. An object that is missing is an answer: the region has looked.
#[derive(Debug)]
pub(crate) struct Probe<'a>(pub(crate) Get<'a>);

impl Request for Probe<'_> {
    type Answer = GetResult;

    fn operation(&self) -> Operation {
        self.0.operation()
    }

    fn target(&self) -> Target<'_> {
        self.0.target()
    }

    fn scope(&self) -> Scope {
        self.0.scope()
    }

    fn circuit(&self) -> Option<CircuitClass> {
        self.0.circuit()
    }

    fn absence(&self) -> Absence {
        Absence::Final
    }

    fn is_probe(&self) -> bool {
        true
    }

    fn is_timed(&self) -> bool {
        self.0.is_timed()
    }

    fn check(&self, answer: &GetResult, status: Option<u16>) -> Result<()> {
        self.0.check(answer, status)
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<GetResult>> {
        self.0.attempt(region)
    }
}
