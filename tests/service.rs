//! The service of the examples, over S3 servers in the process: what HTTP promises, what operators may do, and what a dead fleet looks
//! like from outside. The page itself is tested in a browser: `tests/browser/service.mjs`.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    dead_code,
    unreachable_pub,
    reason = "tests hold the clock, a panic is their verdict, and they use a part of the service"
)]

#[path = "../examples/service/args.rs"]
mod args;
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
#[path = "../examples/service/stage.rs"]
mod stage;
#[path = "../examples/service/wanted.rs"]
mod wanted;

#[path = "service/outage.rs"]
mod outage;
#[path = "service/reading.rs"]
mod reading;
#[path = "service/site.rs"]
mod site;
#[path = "service/steering.rs"]
mod steering;
#[path = "service/watching.rs"]
mod watching;
