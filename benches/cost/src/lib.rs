//! What is measured, for all three judges: circuits and stores, ours and those of others.

pub mod circuits;
pub mod flights;
pub mod stores;
