//! What is read, by whom, and what came of it.

pub(crate) mod allowance;
pub(crate) mod corpus;
pub(crate) mod entry;
pub(crate) mod reader;
pub(crate) mod tally;
pub(crate) mod writer;
