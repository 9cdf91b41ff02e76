//! The clients that are compared. What is not ours is set up as for the drill (`examples/drill/clients`), which says why.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use clap::ValueEnum;
use object_store::ObjectStore;
use object_store_failover::{FailoverConfig, FailoverStore, HedgeCounts};
use serde_json::{Value, json};

use crate::clients::{Access, Kind, Limits, Peer, Upstream};

/// A way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// object_store on the first region, as it comes.
    Direct,
    /// The same with limits of its own.
    DirectTight,
    /// object_store on each region, one after the other: what it costs to use three of them, without any care.
    InTurn,
    /// `FailoverStore`.
    Failover,
    /// `FailoverStore` with hedging.
    Hedged,
    /// object_store through HAProxy.
    Haproxy,
    /// object_store through nginx.
    Nginx,
}

/// The limits that a `FailoverStore` has, and what of them its document says.
pub(crate) struct Settings {
    limits: Limits,
    timeouts: Value,
}

/// A client, ready to read. Its process, where it has one, ends when this is dropped.
pub(crate) struct Client {
    stores: Vec<Arc<dyn ObjectStore>>,
    turn: AtomicUsize,
    failover: Option<FailoverStore>,
    _peers: Vec<Peer>,
}

impl Settings {
    /// As shipped. Proxies are told the same limits.
    pub(crate) fn shipped() -> Self {
        let [connect, attempt, stall, total] = [2, 5, 10, 30].map(Duration::from_secs);
        Self { limits: Limits { attempt, total, stall, connect }, timeouts: json!({}) }
    }

    /// One second for whatever a region may take. A call as a whole has time to ask all regions.
    pub(crate) fn of_a_second() -> Self {
        let [second, total] = [1, 10].map(Duration::from_secs);
        let limits = Limits { attempt: second, total, stall: second, connect: second };
        Self { limits, timeouts: json!({"attempt": "1s", "total": "10s", "stall": "1s", "connect": "1s"}) }
    }
}

impl Way {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::DirectTight => "direct-tight",
            Self::InTurn => "in-turn",
            Self::Failover => "failover",
            Self::Hedged => "hedged",
            Self::Haproxy => "haproxy",
            Self::Nginx => "nginx",
        }
    }

    /// Why it cannot be measured here.
    pub(crate) fn check(self) -> Result<(), String> {
        self.kind().map_or(Ok(()), Kind::check)
    }

    /// Its name among the drill's clients.
    fn kind(self) -> Option<Kind> {
        match self {
            Self::Direct | Self::InTurn => Some(Kind::Plain),
            Self::DirectTight => Some(Kind::PlainTight),
            Self::Haproxy => Some(Kind::Haproxy),
            Self::Nginx => Some(Kind::Nginx),
            Self::Failover | Self::Hedged => None,
        }
    }
}

impl Client {
    pub(crate) async fn start(way: Way, shared: &(Vec<Upstream>, Access), settings: &Settings) -> Result<Self, String> {
        let Some(kind) = way.kind() else {
            let store = failover(shared, settings, way == Way::Hedged)?;
            let stores: Vec<Arc<dyn ObjectStore>> = vec![Arc::new(store.clone())];
            return Ok(Self { stores, turn: AtomicUsize::new(0), failover: Some(store), _peers: Vec::new() });
        };
        let (upstreams, access) = shared;
        let mut peers = Vec::new();
        if way == Way::InTurn {
            for upstream in upstreams {
                peers.extend(Peer::start(kind, &(vec![upstream.clone()], access.clone()), &settings.limits).await?);
            }
        } else {
            peers.extend(Peer::start(kind, shared, &settings.limits).await?);
        }
        let stores = peers.iter().map(|peer| Arc::clone(&peer.store)).collect();
        Ok(Self { stores, turn: AtomicUsize::new(0), failover: None, _peers: peers })
    }

    /// How its hedges went, where it sends any.
    pub(crate) fn hedges(&self) -> Option<HedgeCounts> {
        self.failover.as_ref().map(FailoverStore::hedges)
    }

    /// What the next read goes to.
    pub(crate) fn store(&self) -> &dyn ObjectStore {
        match &self.stores[..] {
            [one] => one,
            several => &several[self.turn.fetch_add(1, Ordering::Relaxed) % several.len()],
        }
    }
}

fn failover((upstreams, access): &(Vec<Upstream>, Access), settings: &Settings, hedged: bool) -> Result<FailoverStore, String> {
    let regions: Vec<_> = upstreams.iter().map(|upstream| region(&upstream.name, upstream.address, access)).collect();
    let mut document = json!({"regions": regions, "timeouts": settings.timeouts});
    if hedged {
        document["hedge"] = json!({});
    }
    let config: FailoverConfig = serde_json::from_value(document).map_err(|error| error.to_string())?;
    config.build().map_err(|error| error.to_string())
}

fn region(name: &str, address: SocketAddr, access: &Access) -> Value {
    json!({
        "name": name,
        "url": format!("s3://{}", access.bucket),
        "options": {
            "endpoint": format!("http://{address}"), "region": access.region, "allow_http": "true",
            "access_key_id": access.key, "secret_access_key": access.secret, "virtual_hosted_style_request": "false"
        }
    })
}
