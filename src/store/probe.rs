//! The public methods for probes and the canary.

use object_store::{Error, ObjectStore, PutOptions, Result};

use super::FailoverStore;
use crate::probe::ProbeGuard;

impl FailoverStore {
    /// Starts the background probes: each region is periodically timer for the canary, until the
    /// guard is dropped ([`ProbeConfig`](crate::config::ProbeConfig)).
    ///
    /// There is one background task. Each region receives one get per interval, starting at a
    /// random time within the first. Results count like those of any read: the gauges and circuits
    /// of an idle service are up to date. A region whose circuit is open is not probed until a
    /// trial is due; then probes are its trials, and reads need not be. Regions that are drained or
    /// forced open are not probed. A missing canary counts as a response, and is logged once.
    ///
    /// While probes run, further calls start nothing and return a guard of the same task. The guard
    /// keeps the regions of the store alive. Without `probe` settings nothing is started, and a
    /// line is logged at WARN.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, if there are `probe` settings. The task ends with the runtime.
    pub fn start_probes(&self) -> ProbeGuard {
        self.probes.start(&self.name, &self.engine)
    }

    /// Writes the canary with the current time. Call it in one process, about once per probe
    /// interval.
    ///
    /// It is a put like any other: to home under `writes.policy = "home"`, to the next region in
    /// rotation under `"any"`, from where it must be replicated to all others. If two processes
    /// write it, the measured lag is wrong by the difference of their clocks.
    ///
    /// # Errors
    ///
    /// `NotSupported` without `probe` settings, otherwise as any put.
    ///
    /// # Cancel safety
    ///
    /// If it is dropped, the canary may or may not have been written. Nothing else depends on it.
    pub async fn write_canary(&self) -> Result<()> {
        let Some(key) = self.probes.key() else {
            return Err(Error::NotSupported {
                source: "no canary configured: set probe.path ([probe])".into(),
            });
        };
        self.put_opts(
            key,
            self.probes.next_timestamp().payload(),
            PutOptions::default(),
        )
        .await
        .map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;
    use crate::error::Failure;
    use crate::failover::config::WritePolicy;
    use crate::probe::config::ProbeConfig;
    use crate::region::Region;
    use crate::runtime::clock::{self, sleep_until};
    use crate::types::{CircuitClass, FailureClass};

    /// The replica receives the canary 60 s after each write.
    #[tokio::test(start_paused = true)]
    async fn lag_equals_the_delay_of_replication() {
        let (home, replica) = (InMemory::new(), InMemory::new());
        let store = FailoverStore::builder()
            .region(Region::new("home", Arc::new(home.clone())))
            .region(Region::new("replica", Arc::new(replica.clone())))
            .writes(WritePolicy::Home {
                home: "home".into(),
            })
            .probe(ProbeConfig::default())
            .seed(7)
            .build()
            .unwrap();
        let lag = |region: usize| store.engine.regions.get(region).probe_state.lag();
        let probes = store.start_probes();
        let started_at = clock::now();
        assert_eq!([lag(0), lag(1)], [None, None], "before the first probe");
        let mut max_lag = Duration::ZERO;
        for ten_seconds in 0..30 {
            store.write_canary().await.unwrap();
            let written = home
                .get(&"health/canary".into())
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap();
            let replica = replica.clone();
            tokio::spawn(async move {
                sleep_until(clock::now() + REPLICATION_DELAY).await;
                replica
                    .put(&"health/canary".into(), written.into())
                    .await
                    .unwrap();
            });
            sleep_until(started_at + Duration::from_secs(10 * (ten_seconds + 1))).await;
            assert_eq!(lag(0), Some(Duration::ZERO));
            max_lag = max_lag.max(lag(1).unwrap_or_default());
        }
        assert!(
            max_lag > REPLICATION_DELAY - Duration::from_secs(11) && max_lag <= REPLICATION_DELAY,
            "{max_lag:?}"
        );
        sleep_until(started_at + Duration::from_secs(400)).await;
        assert_eq!(
            lag(1),
            Some(Duration::ZERO),
            "after the last write was replicated"
        );
        drop(probes);
        sleep_until(clock::now() + Duration::from_secs(1)).await;
        assert_eq!([lag(0), lag(1)], [None, None], "after the probes stopped");
    }

    #[tokio::test(start_paused = true)]
    async fn probes_respect_retry_after() {
        let bucket = Arc::new(InMemory::new());
        let store = FailoverStore::builder()
            .region(Region::new("one", bucket))
            .probe(ProbeConfig::default())
            .build()
            .unwrap();
        let (region, started_at) = (store.engine.regions.get(0), clock::now());
        let failure = Failure {
            retry_after: Some(Duration::from_secs(9)),
            ..Failure::new(FailureClass::Throttled, "")
        };
        region
            .throttle
            .on_failure(CircuitClass::Read, &failure, started_at);
        let _probes = store.start_probes();
        sleep_until(started_at + Duration::from_millis(8_990)).await;
        assert_eq!(region.health.snapshot(clock::now()).attempts, 0);
        sleep_until(started_at + Duration::from_millis(9_010)).await;
        assert_eq!(region.health.snapshot(clock::now()).attempts, 1);
    }

    const REPLICATION_DELAY: Duration = Duration::from_secs(60);
}
