//! Probes and the canary, as the store's user sees them.

use object_store::{Error, ObjectStore, PutOptions, Result};

use super::FailoverStore;
use crate::probe::ProbeGuard;

impl FailoverStore {
    /// Asks each region for the canary now and then, until the guard is dropped ([`ProbeConfig`](crate::ProbeConfig)).
    ///
    /// One background task; each region gets one get per interval, from a random moment within the first one on. What comes of it counts
    /// as any read's: an idle service sees its gauges move and its circuits open and close. A region whose circuit is open is left alone
    /// until a trial is due, and then its trials are probes; users' reads need not be. Regions that an operator has
    /// drained or forced open are not asked. A canary that is missing is an answer, and one line in the log.
    ///
    /// While probes run, a further call starts nothing; they stop with the last guard. The guard keeps what the store is made of alive.
    /// Without probes in the settings nothing is started, and a line in the log says which key to set.
    ///
    /// # Panics
    ///
    /// Outside a Tokio runtime, where there are probes to start. They end with the runtime.
    pub fn start_probes(&self) -> ProbeGuard {
        self.probes.start(&self.name, &self.core)
    }

    /// Writes the canary with the time: for the one process that writes, as often as lag is to be measured; every probe interval, say.
    ///
    /// It is a put like any: home stamps where home is named under `writes.policy = "home"`; under `"any"` the region whose turn it is
    /// does, and from there it must be replicated to all others. Two processes that write it disturb each other's measurement as far
    /// as their clocks differ.
    ///
    /// # Errors
    ///
    /// `NotSupported` where no probes are set up, and where the write policy allows no put. Otherwise as any put.
    ///
    /// # Cancel safety
    ///
    /// Dropped before its end, the canary may have been written or not. Nothing else depends on it.
    pub async fn write_canary(&self) -> Result<()> {
        let Some(key) = self.probes.key() else {
            return Err(Error::NotSupported { source: "there is no canary to write: name one in probe.path ([probe])".into() });
        };
        self.put_opts(key, self.probes.next_stamp().payload(), PutOptions::default()).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;
    use crate::failover::config::WritePolicy;
    use crate::probe::config::ProbeConfig;
    use crate::region::Region;
    use crate::time::{self, sleep_until};

    /// A home whose canary reaches the replica 60 s after each write; what the store says of them every ten seconds.
    #[tokio::test(start_paused = true)]
    async fn a_replica_behind_a_slow_copier_lags_by_what_the_copier_takes() {
        let (home, replica) = (InMemory::new(), InMemory::new());
        let store = FailoverStore::builder()
            .region(Region::new("home", Arc::new(home.clone())))
            .region(Region::new("replica", Arc::new(replica.clone())))
            .writes(WritePolicy::Home { home: "home".into() })
            .probe(ProbeConfig::default())
            .seed(7)
            .build()
            .unwrap();
        let lag = |region: usize| store.core.regions.get(region).probed.lag();
        let probes = store.start_probes();
        let began = time::now();
        assert_eq!([lag(0), lag(1)], [None, None], "nobody knows yet");
        let mut most = Duration::ZERO;
        for ten_seconds in 0..30 {
            store.write_canary().await.unwrap();
            let written = home.get(&"health/canary".into()).await.unwrap().bytes().await.unwrap();
            let replica = replica.clone();
            tokio::spawn(async move {
                sleep_until(time::now() + COPIED_AFTER).await;
                replica.put(&"health/canary".into(), written.into()).await.unwrap();
            });
            sleep_until(began + Duration::from_secs(10 * (ten_seconds + 1))).await;
            assert_eq!(lag(0), Some(Duration::ZERO));
            most = most.max(lag(1).unwrap_or_default());
        }
        assert!(most > COPIED_AFTER - Duration::from_secs(11) && most <= COPIED_AFTER, "{most:?}");
        sleep_until(began + Duration::from_secs(400)).await;
        assert_eq!(lag(1), Some(Duration::ZERO), "it has caught up");
        drop(probes);
        sleep_until(time::now() + Duration::from_secs(1)).await;
        assert_eq!([lag(0), lag(1)], [None, None], "nobody looks any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_region_that_has_asked_to_be_left_alone_is_left_alone_by_probes_too() {
        let bucket = Arc::new(InMemory::new());
        let store = FailoverStore::builder().region(Region::new("one", bucket)).probe(ProbeConfig::default()).build().unwrap();
        let (region, began) = (store.core.regions.get(0), time::now());
        region.pace.on_retry_after(began, Duration::from_secs(9));
        let _probes = store.start_probes();
        sleep_until(began + Duration::from_millis(8_990)).await;
        assert_eq!(region.health.vitals(time::now()).attempts, 0);
        sleep_until(began + Duration::from_millis(9_010)).await;
        assert_eq!(region.health.vitals(time::now()).attempts, 1);
    }

    const COPIED_AFTER: Duration = Duration::from_secs(60);
}
