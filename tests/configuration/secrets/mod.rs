//! Secrets appear in no output, and a key only in the error that its own caller gets. Regions fail
//! in different ways, and every output is searched for markers. `crates/service` does the same for
//! its pages.

mod debug;
mod errors;
mod rejected;
