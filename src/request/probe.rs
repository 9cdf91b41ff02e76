//! The background read of one region.

use futures::future::BoxFuture;
use object_store::{GetResult, Result};

use super::{Get, OnMissing, Request, ResponseContext, Scope, Target};
use crate::health::CircuitClass;
use crate::region::RegionState;
use crate::types::Operation;

/// A get without a caller. A missing object is a valid response of the region.
#[derive(Debug)]
pub(crate) struct Probe<'a>(pub(crate) Get<'a>);

impl Request for Probe<'_> {
    type Response = GetResult;

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

    fn on_missing(&self) -> OnMissing {
        OnMissing::Final
    }

    fn is_probe(&self) -> bool {
        true
    }

    fn expects_prompt_response(&self) -> bool {
        self.0.expects_prompt_response()
    }

    fn validate(&self, response: &GetResult, context: ResponseContext) -> Result<()> {
        self.0.validate(response, context)
    }

    fn attempt<'a>(&'a self, region: &'a RegionState) -> BoxFuture<'a, Result<GetResult>> {
        self.0.attempt(region)
    }
}
