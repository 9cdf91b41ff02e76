//! What people use in the place of a `FailoverStore`, for the drill to compare, each tuned as well as its manual allows.
//!
//! `docs/comparison.md` says which settings each of them has, and why. A peer that is a program of its own runs as a child of this
//! process, on a port of 127.0.0.1, and ends with it.

mod direct;
mod haproxy;
mod nginx;
pub(crate) mod process;
mod sidekick;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use object_store::ObjectStore;

use process::{Process, found, installed};

/// A way to read from several regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// This library, built from a document.
    Failover,
    /// object_store on the first region, as it comes.
    Plain,
    /// object_store on the first region, with limits as tight as the others'.
    PlainTight,
    /// object_store through HAProxy.
    Haproxy,
    /// object_store through nginx.
    Nginx,
    /// object_store through MinIO's sidekick.
    Sidekick,
}

/// A region's server, or the line to it.
#[derive(Debug, Clone)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) address: SocketAddr,
}

/// What opens the bucket. A proxy cannot sign, so all regions have to share it.
#[derive(Clone)]
pub(crate) struct Access {
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) secret: String,
    pub(crate) region: String,
}

/// The limits of `FailoverStore` in the same run. Each peer gets the nearest that it has.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// From a request's start to the head of its answer.
    pub(crate) attempt: Duration,
    /// A whole call, over all regions.
    pub(crate) total: Duration,
    /// Between two pieces of a body.
    pub(crate) stall: Duration,
    /// Opening a connection.
    pub(crate) connect: Duration,
}

/// A client, ready to read. Its process, where it has one, ends when this is dropped.
pub(crate) struct Peer {
    pub(crate) store: Arc<dyn ObjectStore>,
    version: String,
    _process: Option<Process>,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [Self::Failover, Self::Plain, Self::PlainTight, Self::Haproxy, Self::Nginx, Self::Sidekick];

    /// As on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::Plain => "plain",
            Self::PlainTight => "plain-tight",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Sidekick => "sidekick",
        }
    }

    /// Whether its program is there, without starting it: what is not should be known before a run of minutes.
    pub(crate) fn check(self) -> Result<(), String> {
        match self {
            Self::Failover | Self::Plain | Self::PlainTight => Ok(()),
            Self::Haproxy => installed("haproxy").map(drop),
            Self::Nginx => installed("nginx").map(drop),
            Self::Sidekick => found("sidekick").map(drop).ok_or_else(|| sidekick::ELSEWHERE.to_owned()),
        }
    }
}

impl Peer {
    /// Starts a client of these regions, and its process if it has one, and waits until that takes connections. None for the one that
    /// is no peer: it knows each region by itself.
    pub(crate) async fn start(kind: Kind, (upstreams, access): &(Vec<Upstream>, Access), limits: &Limits) -> Result<Option<Self>, String> {
        let first = upstreams.first().ok_or("there is no region to read from")?;
        let (process, version) = match kind {
            Kind::Failover => return Ok(None),
            Kind::Plain => return Ok(Some(Self::inside(direct::plain(first.address, access)?))),
            Kind::PlainTight => return Ok(Some(Self::inside(direct::tight(first.address, access, limits)?))),
            Kind::Haproxy => haproxy::start(upstreams, limits).await?,
            Kind::Nginx => nginx::start(upstreams, limits).await?,
            Kind::Sidekick => sidekick::start(upstreams).await?,
        };
        let store = direct::through_proxy(process.address(), access, limits, upstreams.len())?;
        Ok(Some(Self { store, version, _process: Some(process) }))
    }

    /// What is compared, like `HAProxy 2.6.12`.
    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    fn inside(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, version: "object_store, one region".to_owned(), _process: None }
    }
}

/// Fills in a template: every `{name}` becomes its value.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// As HAProxy and nginx both write a time.
fn ms(time: Duration) -> String {
    format!("{}ms", time.as_millis().max(1))
}
