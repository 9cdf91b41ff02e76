//! Enums that every layer names. They depend on no other module.

mod circuit;
mod failure_class;
mod flavor;
mod operation;
mod verdict;

pub(crate) use circuit::OverrideEndReason;
pub use circuit::{CircuitClass, CircuitState, Override, Transition, TransitionReason};
pub use failure_class::FailureClass;
pub use flavor::Flavor;
pub use operation::Operation;
pub(crate) use verdict::Verdict;
