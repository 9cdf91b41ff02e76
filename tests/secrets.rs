//! What nobody may see: secrets nowhere, and a key only in the error that its own caller gets. Every place that shows anything is
//! searched for markers, after calls over regions that fail in every way and one that serves.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "tests hold the clock, a panic is their verdict, and they use a part of the service"
)]

// The service of the examples, for its page.
#[path = "../examples/service/args.rs"]
mod args;
#[path = "support/canned.rs"]
mod canned;
#[path = "../examples/service/clock.rs"]
mod clock;
#[path = "../examples/service/events.rs"]
mod events;
#[path = "../examples/service/guard.rs"]
mod guard;
#[path = "../examples/service/health.rs"]
mod health;
#[path = "../examples/service/journal.rs"]
mod journal;
#[path = "support/log.rs"]
mod log;
#[path = "../examples/service/metrics.rs"]
mod metrics;
#[path = "../examples/service/objects.rs"]
mod objects;
#[path = "../examples/service/operator.rs"]
mod operator;
#[path = "../examples/service/page.rs"]
mod page;
#[path = "../examples/service/refusal.rs"]
mod refusal;
#[path = "support/s3/mod.rs"]
mod s3;
#[path = "../examples/service/server.rs"]
mod server;
#[path = "../examples/service/service.rs"]
mod service;
#[path = "service/site.rs"]
mod site;
#[path = "../examples/service/stage.rs"]
mod stage;
#[path = "../examples/service/wanted.rs"]
mod wanted;

#[path = "secrets/errors.rs"]
mod errors;
#[path = "secrets/marked.rs"]
mod marked;
#[path = "secrets/refused.rs"]
mod refused;
#[path = "secrets/shown.rs"]
mod shown;
