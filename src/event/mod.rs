//! What happened, for people: typed events, and lines in the log.

pub(crate) mod config;
mod last_error;
mod log;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast;

use self::config::EventsConfig;
pub use self::last_error::LastError;
use self::last_error::LastErrors;
use crate::failure::Failure;
use crate::health::{CircuitClass, News, Override, OverrideEnd, Transition, Watch};
use crate::operation::Operation;

/// Something that an operator may want to know.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// A circuit has changed its state. While nothing else is left that is twice a second and region, for nothing:
    /// [`Transition::is_early_probing`].
    CircuitChanged {
        /// The region.
        region: Arc<str>,
        /// Which of its circuits.
        class: CircuitClass,
        /// From what, to what, and why.
        change: Transition,
    },
    /// One call could not reach any region at all: the fault is probably on our side of the network. Sent for each such call.
    LocalNetworkSuspect {
        /// The call.
        operation: Operation,
    },
    /// So many attempts in a row have failed in one region ([`EventsConfig::alert_after`]). Sent once, until one succeeds there.
    RegionAlert {
        /// The region.
        region: Arc<str>,
        /// How many.
        failures: u32,
        /// The last of them.
        last: Option<LastError>,
    },
    /// An operator's word is in force from now on.
    OperatorOverride {
        /// The region.
        region: Arc<str>,
        /// What is in force.
        kind: Override,
        /// How long, where it ends by itself.
        lasts: Option<Duration>,
    },
    /// An operator's word is no longer in force. Where its time was over, that is noticed at the next request or look.
    OperatorOverrideEnded {
        /// The region.
        region: Arc<str>,
        /// What was in force.
        kind: Override,
        /// Its time was over; otherwise somebody has ended it.
        expired: bool,
    },
    /// An operator has made a region's circuits forget.
    OperatorReset {
        /// The region.
        region: Arc<str>,
    },
}

/// Sends events to whoever listens. A slow listener loses the oldest events; it never slows a request.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    store: Arc<str>,
    regions: Box<[Arc<str>]>,
    config: EventsConfig,
    last_errors: LastErrors,
    sender: broadcast::Sender<Event>,
}

impl Events {
    pub(crate) fn new(store: Arc<str>, regions: Vec<Arc<str>>, config: EventsConfig) -> Self {
        let (last_errors, sender) = (LastErrors::new(regions.len()), broadcast::Sender::new(KEPT));
        Self { shared: Arc::new(Shared { store, regions: regions.into(), config, last_errors, sender }) }
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.shared.sender.subscribe()
    }

    pub(crate) fn local_network_suspect(&self, operation: Operation) {
        tracing::warn!(store = %self.shared.store, %operation, "no region could be reached: is the fault on our side of the network?");
        self.send(Event::LocalNetworkSuspect { operation });
    }

    /// An attempt came back with this.
    pub(crate) fn remember(&self, region: usize, failure: &Failure) {
        self.shared.last_errors.remember(region, failure);
    }

    /// The last failed attempt in the region.
    pub(crate) fn last_error(&self, region: usize) -> Option<LastError> {
        self.shared.last_errors.get(region)
    }

    fn name(&self, region: usize) -> &Arc<str> {
        &self.shared.regions[region]
    }

    fn event(&self, region: usize, news: News) -> Option<Event> {
        let name = || Arc::clone(self.name(region));
        match news {
            News::Circuit(class, change) => Some(Event::CircuitChanged { region: name(), class, change }),
            News::Failing(failures) if failures == self.shared.config.alert_after => {
                Some(Event::RegionAlert { region: name(), failures, last: self.last_error(region) })
            }
            News::Overridden(kind, lasts) => Some(Event::OperatorOverride { region: name(), kind, lasts }),
            News::OverrideEnded(kind, end) => {
                Some(Event::OperatorOverrideEnded { region: name(), kind, expired: end == OverrideEnd::Expired })
            }
            News::Reset => Some(Event::OperatorReset { region: name() }),
            News::NearlyOpen(..) | News::TrialSucceeded(..) | News::Failing(_) => None,
        }
    }

    /// Nobody listening is no error.
    fn send(&self, event: Event) {
        let _ = self.shared.sender.send(event);
    }
}

impl Watch for Events {
    fn on_news(&self, region: usize, news: News) {
        self.log(region, news);
        self.event(region, news).into_iter().for_each(|event| self.send(event));
    }
}

/// Enough for a minute of a flapping fleet.
const KEPT: usize = 256;
