//! Runs a scenario: schedules its steps and records the results.

pub(crate) mod faults;
pub(crate) mod progress;
pub(crate) mod recorder;
pub(crate) mod scheduler;
pub(crate) mod timeline;
