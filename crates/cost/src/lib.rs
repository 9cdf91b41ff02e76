//! The subjects of the three cost benches: circuits and stores, of this project and of others.

#![expect(
    missing_debug_implementations,
    reason = "the peers hold closures and foreign types"
)]

pub mod circuits;
pub mod in_flight;
pub mod stores;
