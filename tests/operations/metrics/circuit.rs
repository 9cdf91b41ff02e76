//! One circuit that opens, is tried and closes, in gauges, counters, events and log lines.

use std::sync::Arc;

use failover_testkit::{Fault, Log, Mode, Recorded, Scripted, read, secs};
use object_store_failover::health::{CircuitClass, Event};
use object_store_failover::{CircuitState, FailoverStore};
use tokio::sync::broadcast::Receiver;
use tokio::time::advance;
use tracing_subscriber::filter::LevelFilter;

use super::{drain, gauges, read_until_called, recorded_store};
use crate::{HEALTHY, UNHEALTHY};

use CircuitState::{Closed, HalfOpen, Open};

struct Observed {
    regions: Vec<Arc<Scripted>>,
    store: FailoverStore,
    recorded: Recorded,
    events: Receiver<Event>,
    log: Log,
}

#[tokio::test(start_paused = true)]
async fn circuit_lifecycle_is_reported_everywhere() {
    let log = Log::at(LevelFilter::INFO);
    let (regions, store, recorded, _guard) = recorded_store().await;
    let events = store.subscribe();
    let mut observed = Observed {
        regions,
        store,
        recorded,
        events,
        log,
    };
    observed.starts_quietly().await;
    observed.opens().await;
    observed.stays_open().await;
    observed.closes_after_trials().await;
    observed.counts_requests_and_attempts();
}

impl Observed {
    async fn starts_quietly(&mut self) {
        let lines = self.log.take();
        assert_eq!(lines.len(), 2, "one for each region: {lines:?}");
        assert!(
            lines[0].starts_with("INFO") && lines[0].contains(UNHEALTHY),
            "{lines:?}"
        );
        assert!(lines[0].contains("bucket=\"Scripted\""), "{lines:?}");
        self.read_until_called(1).await;
        assert_eq!(self.gauges(), [0.0, 0.0, 1.0, 2.0]);
        let region = [("bucket_region", UNHEALTHY)];
        let success = self
            .recorded
            .gauge("last_success_timestamp_seconds", &region);
        assert!(success.unwrap() > 1e9);
        assert!(self.log.take().is_empty() && drain(&mut self.events).is_empty());
    }

    async fn opens(&mut self) {
        self.regions[0].set(Mode::Fail(Fault::Status(503, "ServiceUnavailable")));
        self.read_until_called(3).await;
        assert_eq!(self.gauges(), [1.0, 0.0, 1.0, 2.0]);
        assert!(self.log.take().is_empty());
        self.read_until_called(1).await;
        let lines = self.log.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("WARN"), "{lines:?}");
        for part in ["circuit near threshold", "failures=4", "503"] {
            assert!(lines[0].contains(part), "{lines:?}");
        }
        self.read_until_called(1).await;
        assert_eq!(self.gauges(), [1.0, 2.0, 0.0, 1.0]);
        let lines = self.log.take();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].starts_with("WARN"), "{lines:?}");
        for part in [
            "circuit opened",
            "5 consecutive failures",
            "503 (unavailable) ServiceUnavailable",
        ] {
            assert!(lines[0].contains(part), "{lines:?}");
        }
        assert_eq!(self.steps(), [(Closed, Open)]);
        assert_eq!(
            self.recorded.counts("failovers_total"),
            [format!(
                "from={UNHEALTHY} reason=unavailable to={HEALTHY}: 5"
            )]
        );
    }

    async fn stays_open(&mut self) {
        for _ in 0..20 {
            read(&self.store).await.unwrap();
        }
        assert_eq!(self.gauges(), [1.0, 2.0, 0.0, 1.0]);
        assert!(self.log.take().is_empty());
    }

    async fn closes_after_trials(&mut self) {
        self.regions[0].serve();
        advance(secs(34)).await;
        // Only a request makes a circuit half-open.
        assert_eq!(self.gauges(), [1.0, 2.0, 0.0, 1.0]);
        self.read_until_called(1).await;
        assert_eq!(self.gauges(), [0.0, 1.0, 1.0, 2.0]);
        let lines = self.log.take();
        assert!(lines[0].contains("circuit half-open"), "{lines:?}");
        assert!(lines[1].contains("trial succeeded"), "{lines:?}");
        assert!(lines[1].contains("successes=1 required=2"), "{lines:?}");
        self.read_until_called(1).await;
        assert_eq!(self.gauges(), [0.0, 0.0, 1.0, 2.0]);
        let lines = self.log.take();
        assert!(lines[0].contains("trial succeeded"), "{lines:?}");
        assert!(lines[0].contains("successes=2 required=2"), "{lines:?}");
        assert!(lines[1].contains("circuit closed"), "{lines:?}");
        assert!(
            lines.iter().all(|line| line.starts_with("INFO")),
            "{lines:?}"
        );
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(self.steps(), [(Open, HalfOpen), (HalfOpen, Closed)]);
    }

    fn counts_requests_and_attempts(&self) {
        let of_region = |rest: &str| format!("bucket_region={UNHEALTHY} {rest}");
        let steps = [
            "class=read from=closed to=open: 1",
            "class=read from=half_open to=closed: 1",
            "class=read from=open to=half_open: 1",
        ];
        assert_eq!(
            self.region_counts("circuit_transitions_total"),
            steps.map(of_region)
        );
        let results = [
            "operation=get result=success: 3",
            "operation=get result=unavailable: 5",
        ];
        assert_eq!(self.region_counts("attempts_total"), results.map(of_region));
        let durations = self.region_counts("attempt_duration_seconds");
        assert_eq!(durations, [of_region("operation=get: 8")]);
        let bytes = self.region_counts("body_bytes_total");
        assert_eq!(bytes, [format!("bucket_region={UNHEALTHY}: 15")]);
        let totals = self.store.health().totals;
        let reads = totals.requests;
        let requests = self.recorded.counts("requests_total");
        assert_eq!(requests, [format!("operation=get result=success: {reads}")]);
        let durations = self.recorded.counts("request_duration_seconds");
        assert_eq!(durations, [format!("operation=get: {reads}")]);
        let in_flight = self
            .recorded
            .gauge("in_flight", &[("bucket_region", UNHEALTHY)]);
        assert_eq!(in_flight, Some(0.0));
        assert_eq!((totals.opens, totals.closes), (1, 1));
        assert_eq!((totals.successes, totals.success_rate), (reads, 1.0));
    }

    async fn read_until_called(&self, times: u64) {
        read_until_called(&self.store, &self.regions[0], times).await;
    }

    fn gauges(&self) -> [f64; 4] {
        gauges(&self.recorded)
    }

    /// The transitions of the read circuit since the last call.
    fn steps(&mut self) -> Vec<(CircuitState, CircuitState)> {
        let step = |event: &Event| match event {
            Event::CircuitChanged {
                region,
                class: CircuitClass::Read,
                change,
            } if &**region == UNHEALTHY => Some((change.from, change.to)),
            _ => None,
        };
        drain(&mut self.events).iter().filter_map(step).collect()
    }

    fn region_counts(&self, name: &str) -> Vec<String> {
        let mut counts = self.recorded.counts(name);
        counts.retain(|line| line.contains(UNHEALTHY));
        counts
    }
}
