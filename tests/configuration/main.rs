//! Configuration: the effect of each setting, rejected documents, arbitrary inputs, secrets.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    unreachable_pub,
    reason = "tests use the clock directly, and a panic fails them"
)]

mod breaker;
mod inputs;
mod loading;
mod rejected;
mod secrets;
mod settings;
