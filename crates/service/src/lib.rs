//! An example HTTP service over a [`FailoverStore`](object_store_failover::FailoverStore).
//!
//! Where to look before copying a part:
//!
//! | module | contents |
//! |---|---|
//! | [`objects`], [`read_request`], [`error_response`] | `GET /objects/{key}`: ranges, conditions |
//! | [`health`] | `/live`, `/ready`, `/health` for orchestrators and load balancers |
//! | [`metrics`] | the Prometheus recorder, `/metrics` |
//! | [`operator`], [`auth`] | `POST /regions/{name}/{action}` and its token |
//! | [`event_log`], [`events`] | the store's events, kept in memory and streamed |
//! | [`demo_servers`], [`readers`], [`instances`] | only for the demonstration |

pub mod args;
pub mod auth;
pub mod demo_servers;
pub mod error_response;
pub mod event_log;
pub mod events;
pub mod health;
pub mod instances;
pub mod metrics;
pub mod objects;
pub mod operator;
pub mod page;
pub mod read_request;
pub mod readers;
pub mod server;
pub mod service;
