//! The clients under comparison. Peers are configured as in the drill, which gives the reasons
//! (`crates/drill/src/clients`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::ValueEnum;
use failover_drill::clients::{Access, ClientKind, Limits, Peer, Upstream};
use object_store::ObjectStore;
use object_store_failover::health::HedgeCounts;
use object_store_failover::{FailoverConfig, FailoverStore};
use serde_json::{Value, json};

/// A client under comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Candidate {
    /// `object_store` on the first region, with its defaults.
    Direct,
    /// `object_store` on the first region, with the limits of the other clients.
    DirectTight,
    /// `object_store` on each region in rotation: the cost of three regions without failover.
    InTurn,
    /// `FailoverStore`.
    Failover,
    /// `FailoverStore` with hedging.
    Hedged,
    /// `object_store` through HAProxy.
    Haproxy,
    /// `object_store` through nginx.
    Nginx,
}

/// The limits of a run: for peers, and as the `[timeouts]` table of a `FailoverStore`.
pub struct Settings {
    limits: Limits,
    timeouts: Value,
}

/// A client that is ready to read. Dropping it ends its process, if it has one.
pub struct Client {
    stores: Vec<Arc<dyn ObjectStore>>,
    next: AtomicUsize,
    failover: Option<FailoverStore>,
    _peers: Vec<Peer>,
}

impl Settings {
    /// The defaults of the library, for all clients.
    pub fn defaults() -> Self {
        let [connect, attempt, stall, total] = [2, 5, 10, 30].map(Duration::from_secs);
        Self {
            limits: Limits {
                attempt,
                total,
                stall,
                connect,
            },
            timeouts: json!({}),
        }
    }

    /// Limits of 1 s for each region; 10 s for a call, enough to try all regions.
    pub fn one_second() -> Self {
        let [second, total] = [1, 10].map(Duration::from_secs);
        let limits = Limits {
            attempt: second,
            total,
            stall: second,
            connect: second,
        };
        Self {
            limits,
            timeouts: json!({"attempt": "1s", "total": "10s", "stall": "1s", "connect": "1s"}),
        }
    }
}

impl Candidate {
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::DirectTight => "direct-tight",
            Self::InTurn => "in-next",
            Self::Failover => "failover",
            Self::Hedged => "hedged",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// Checks that the program of the client is installed.
    pub fn check(self) -> Result<(), String> {
        self.kind().map_or(Ok(()), ClientKind::check)
    }

    /// The corresponding client of the drill.
    fn kind(self) -> Option<ClientKind> {
        match self {
            Self::Direct | Self::InTurn => Some(ClientKind::Plain),
            Self::DirectTight => Some(ClientKind::PlainTight),
            Self::Haproxy => Some(ClientKind::Haproxy),
            Self::Nginx => Some(ClientKind::Nginx),
            Self::Failover | Self::Hedged => None,
        }
    }
}

impl Client {
    pub async fn start(
        candidate: Candidate,
        shared: &(Vec<Upstream>, Access),
        settings: &Settings,
    ) -> Result<Self, String> {
        let Some(kind) = candidate.kind() else {
            let store = failover(shared, settings, candidate == Candidate::Hedged)?;
            let stores: Vec<Arc<dyn ObjectStore>> = vec![Arc::new(store.clone())];
            return Ok(Self {
                stores,
                next: AtomicUsize::new(0),
                failover: Some(store),
                _peers: Vec::new(),
            });
        };
        let (upstreams, access) = shared;
        let mut peers = Vec::new();
        if candidate == Candidate::InTurn {
            for upstream in upstreams {
                peers.extend(
                    Peer::start(
                        kind,
                        &(vec![upstream.clone()], access.clone()),
                        &settings.limits,
                    )
                    .await?,
                );
            }
        } else {
            peers.extend(Peer::start(kind, shared, &settings.limits).await?);
        }
        let stores = peers.iter().map(|peer| Arc::clone(&peer.store)).collect();
        Ok(Self {
            stores,
            next: AtomicUsize::new(0),
            failover: None,
            _peers: peers,
        })
    }

    /// Counts of hedges, for a `FailoverStore`.
    pub fn hedges(&self) -> Option<HedgeCounts> {
        self.failover.as_ref().map(FailoverStore::hedges)
    }

    /// The store for the next read.
    pub fn store(&self) -> &dyn ObjectStore {
        match &self.stores[..] {
            [one] => one,
            several => &several[self.next.fetch_add(1, Ordering::Relaxed) % several.len()],
        }
    }
}

fn failover(
    (upstreams, access): &(Vec<Upstream>, Access),
    settings: &Settings,
    hedged: bool,
) -> Result<FailoverStore, String> {
    let regions: Vec<_> = upstreams
        .iter()
        .map(|upstream| region(&upstream.name, upstream.address, access))
        .collect();
    let mut document = json!({"regions": regions, "timeouts": settings.timeouts});
    if hedged {
        document["hedge"] = json!({});
    }
    let config: FailoverConfig =
        serde_json::from_value(document).map_err(|error| error.to_string())?;
    config.build().map_err(|error| error.to_string())
}

fn region(name: &str, address: SocketAddr, access: &Access) -> Value {
    json!({
        "name": name,
        "url": format!("s3://{}", access.bucket),
        "options": {
            "endpoint": format!("http://{address}"),
            "region": access.region,
            "allow_http": "true",
            "access_key_id": access.key,
            "secret_access_key": access.secret,
            "virtual_hosted_style_request": "false"
        }
    })
}
