//! Alternatives to a `FailoverStore` for the comparison, each tuned as far as its manual allows.
//!
//! `docs/comparison.md` gives their settings. A peer with a process of its own runs as a child of
//! this process, on a port of 127.0.0.1, and ends with it.

mod direct;
mod haproxy;
mod nginx;
pub mod process;
mod sidekick;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use object_store::ObjectStore;

use process::{Process, found, installed};

/// A client of the regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ClientKind {
    /// A `FailoverStore`, built from a configuration document.
    Failover,
    /// `object_store` on the first region, with its defaults.
    Plain,
    /// `object_store` on the first region, with the limits of the other clients.
    PlainTight,
    /// `object_store` through HAProxy.
    Haproxy,
    /// `object_store` through nginx.
    Nginx,
    /// `object_store` through MinIO's sidekick.
    Sidekick,
}

/// The address of a region: its server, or the fault proxy in front of it.
#[derive(Debug, Clone)]
pub struct Upstream {
    pub name: String,
    pub address: SocketAddr,
}

/// Bucket and key. A proxy cannot sign requests, so all regions share them.
#[derive(Clone)]
pub struct Access {
    pub bucket: String,
    pub key: String,
    pub secret: String,
    pub region: String,
}

/// The limits of the `FailoverStore` in the same run. Each peer uses its closest settings.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the start of a request to its response headers.
    pub attempt: Duration,
    /// A whole call, all regions included.
    pub total: Duration,
    /// Between two parts of a body.
    pub stall: Duration,
    /// Opening a connection.
    pub connect: Duration,
}

/// A client that is ready to read. Dropping it ends its process, if it has one.
pub struct Peer {
    pub store: Arc<dyn ObjectStore>,
    version: String,
    _process: Option<Process>,
}

impl ClientKind {
    pub const ALL: [Self; 6] = [
        Self::Failover,
        Self::Plain,
        Self::PlainTight,
        Self::Haproxy,
        Self::Nginx,
        Self::Sidekick,
    ];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failover => "failover",
            Self::Plain => "plain",
            Self::PlainTight => "plain-tight",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
            Self::Sidekick => "sidekick",
        }
    }

    /// Checks that the program is installed, without starting it.
    pub fn check(self) -> Result<(), String> {
        match self {
            Self::Failover | Self::Plain | Self::PlainTight => Ok(()),
            Self::Haproxy => installed("haproxy").map(drop),
            Self::Nginx => installed("nginx").map(drop),
            Self::Sidekick => found("sidekick")
                .map(drop)
                .ok_or_else(|| sidekick::NOT_INSTALLED.to_owned()),
        }
    }
}

/// Without the secret.
impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access")
            .field("bucket", &self.bucket)
            .field("key", &self.key)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.version).finish()
    }
}

impl Peer {
    /// Starts a client of these regions, and its process if it has one, and waits until the process
    /// accepts connections. `None` for [`ClientKind::Failover`].
    pub async fn start(
        kind: ClientKind,
        (upstreams, access): &(Vec<Upstream>, Access),
        limits: &Limits,
    ) -> Result<Option<Self>, String> {
        let first = upstreams.first().ok_or("there is no region to read from")?;
        let (process, version) = match kind {
            ClientKind::Failover => return Ok(None),
            ClientKind::Plain => {
                return Ok(Some(Self::inside(direct::plain(first.address, access)?)));
            }
            ClientKind::PlainTight => {
                return Ok(Some(Self::inside(direct::tight(
                    first.address,
                    access,
                    limits,
                )?)));
            }
            ClientKind::Haproxy => haproxy::start(upstreams, limits).await?,
            ClientKind::Nginx => nginx::start(upstreams, limits).await?,
            ClientKind::Sidekick => sidekick::start(upstreams).await?,
        };
        let store = direct::through_proxy(process.address(), access, limits, upstreams.len())?;
        Ok(Some(Self {
            store,
            version,
            _process: Some(process),
        }))
    }

    /// The program and its version, such as `HAProxy 2.6.12`.
    pub fn version(&self) -> &str {
        &self.version
    }

    fn inside(store: Arc<dyn ObjectStore>) -> Self {
        Self {
            store,
            version: "object_store, one region".to_owned(),
            _process: None,
        }
    }
}

/// Replaces every `{name}` of a template by its value.
fn fill(template: &str, values: &[(&str, String)]) -> String {
    values
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), value)
        })
}

/// The notation of both HAProxy and nginx; a time of 0 would disable the limit.
fn ms(time: Duration) -> String {
    format!("{}ms", time.as_millis().max(1))
}
