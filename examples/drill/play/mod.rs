//! A scenario on its way: who does what when, and the marks that it leaves.

pub(crate) mod board;
pub(crate) mod director;
pub(crate) mod faults;
pub(crate) mod progress;
pub(crate) mod timeline;
