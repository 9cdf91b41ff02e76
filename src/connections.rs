//! The connections of one region, and when they are thrown away.
//!
//! While a region is out, its pooled connections go bad in ways that nobody is told of: the host behind them is gone and no packet says
//! so, a balancer has forgotten them, or they lead to the one machine that is still sick, while the name already leads to others. A
//! trial that is given one of them fails, although the region is back. So the region's clients are made anew once a circuit of it has
//! opened: its next request looks the name up again and opens a connection of its own.
//!
//! Nothing is cut off: requests and bodies in flight keep the client that they began with, whose idle connections are closed with it.
//! Early probes renew nothing: while everything is out there is one each second, and the first of them had new connections. Nor does an
//! operator's override, which says nothing about connections. Stores that are handed in have clients of their own, out of our reach.
//!
//! Who makes the clients is kept here as well: it is the one thing about a region's connections that every provider's builder needs, and
//! they are given these already.

#![cfg_attr(
    not(any(feature = "aws", feature = "azure", feature = "gcp", feature = "http")),
    expect(dead_code, reason = "without a provider no store is built that has connections")
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use object_store::client::HttpConnector;

use crate::health::{CircuitState, News, Reason, Transition, Watch};

/// A region's word to its clients that their connections are no good any more; all clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Connections(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    region: String,
    connector: Option<Arc<dyn HttpConnector>>,
    generation: AtomicU64,
}

/// Renews a region's connections when one of its circuits opens, and passes on what it is told.
#[derive(Debug)]
struct Renewing {
    connections: Connections,
    next: Arc<dyn Watch>,
}

impl Connections {
    /// Those of this region, made by `connector`, or where there is none by object_store's own.
    pub(crate) fn of(region: &str, connector: Option<Arc<dyn HttpConnector>>) -> Self {
        Self(Arc::new(Shared { region: region.to_owned(), connector, generation: AtomicU64::default() }))
    }

    /// Whose they are, for log lines.
    pub(crate) fn region(&self) -> &str {
        &self.0.region
    }

    /// Who makes the region's clients, if that is not object_store.
    pub(crate) fn connector(&self) -> Option<Arc<dyn HttpConnector>> {
        self.0.connector.clone()
    }

    /// How often they were renewed: a client that was made earlier has had its time.
    pub(crate) fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// From now on no request begins on a connection from before.
    pub(crate) fn renew(&self) {
        self.0.generation.fetch_add(1, Ordering::Release);
    }

    /// A watch that renews them, and passes on to `next`.
    pub(crate) fn renewed_by(&self, next: &Arc<dyn Watch>) -> Arc<dyn Watch> {
        Arc::new(Renewing { connections: self.clone(), next: Arc::clone(next) })
    }
}

impl Watch for Renewing {
    fn on_news(&self, region: usize, news: News) {
        if let News::Circuit(_, change) = news
            && casts_doubt(change)
        {
            self.connections.renew();
        }
        self.next.on_news(region, news);
    }
}

/// The circuit has opened, and nothing has proven that the line is well, as an answer that we are too many does.
fn casts_doubt(change: Transition) -> bool {
    change.to == CircuitState::Open && !change.is_early_probing() && !matches!(change.reason, Reason::Throttling(_))
}

#[cfg(test)]
mod tests {
    use CircuitState::{Closed, HalfOpen, Open};
    use parking_lot::Mutex;

    use super::*;
    use crate::health::CircuitClass;

    #[derive(Debug, Default)]
    struct Heard(Mutex<Vec<News>>);

    impl Watch for Heard {
        fn on_news(&self, _: usize, news: News) {
            self.0.lock().push(news);
        }
    }

    #[test]
    fn a_circuit_that_opens_renews_and_a_failed_early_probe_does_not() {
        let (connections, heard) = (Connections::of("a", None), Arc::new(Heard::default()));
        let watch = connections.renewed_by(&(Arc::clone(&heard) as Arc<dyn Watch>));
        let mut told = 0;
        let mut renews = |from, to, reason| {
            let before = connections.generation();
            watch.on_news(0, News::Circuit(CircuitClass::Read, Transition { from, to, reason }));
            told += 1;
            assert_eq!(heard.0.lock().len(), told, "passed on");
            connections.generation() > before
        };
        assert!(renews(Closed, Open, Reason::ConsecutiveFailures(5)));
        assert!(renews(Closed, Open, Reason::FailureRate(0.5)));
        assert!(!renews(Closed, Open, Reason::Throttling(0.9)));
        assert!(!renews(Open, HalfOpen, Reason::TimeIsUp));
        assert!(renews(HalfOpen, Open, Reason::TrialFailed));
        assert!(renews(HalfOpen, Open, Reason::TrialsTookTooLong));
        assert!(!renews(Open, HalfOpen, Reason::NothingElseLeft));
        assert!(!renews(HalfOpen, Open, Reason::EarlyProbeFailed));
        assert!(!renews(HalfOpen, Open, Reason::EarlyProbeAbandoned));
        assert!(!renews(HalfOpen, Closed, Reason::TrialsSucceeded(2)));
    }
}
