//! Rules for the sources: layers, size, words, documented commands, and allocations of a request.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a panic fails the test"
)]

mod allocations;
mod commands;
mod cycles;
mod files;
mod layering;
mod lexer;
mod locks;
mod module_tree;
mod packages;
mod size;
mod words;
