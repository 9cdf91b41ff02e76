//! The load: readers, the objects that they read, and the counters of the results.

pub(crate) mod byte_budget;
pub(crate) mod corpus;
pub(crate) mod entry;
pub(crate) mod reader;
pub(crate) mod tally;
pub(crate) mod writer;
