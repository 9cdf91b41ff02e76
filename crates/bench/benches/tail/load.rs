//! Closed-loop readers and the duration of each read.

use std::time::Duration;

use hdrhistogram::Histogram;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use object_store_failover::FailoverStore;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// The reads of a load.
pub(crate) struct Seen {
    micros: Histogram<u64>,
    pub(crate) failed: u64,
    pub(crate) first_error: Option<String>,
    lasted: Duration,
}

/// Reads `path` with `readers` for `time`, with a pause after each read.
pub(crate) async fn load(
    store: &FailoverStore,
    path: &Path,
    readers: usize,
    time: Duration,
    pause: Duration,
) -> Seen {
    let began = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..readers {
        let (store, path) = (store.clone(), path.clone());
        tasks.spawn(async move { read_until(&store, &path, began + time, pause).await });
    }
    let mut seen = Seen::new();
    while let Some(one) = tasks.join_next().await {
        seen.add(one.unwrap());
    }
    seen.lasted = began.elapsed();
    seen
}

async fn read_until(store: &FailoverStore, path: &Path, end: Instant, pause: Duration) -> Seen {
    let mut seen = Seen::new();
    while Instant::now() < end {
        let began = Instant::now();
        let read = async { store.get(path).await?.bytes().await };
        match read.await {
            Ok(_) => seen
                .micros
                .record(u64::try_from(began.elapsed().as_micros()).unwrap())
                .unwrap(),
            Err(error) => {
                seen.failed += 1;
                seen.first_error.get_or_insert_with(|| error.to_string());
            }
        }
        tokio::time::sleep(pause).await;
    }
    seen
}

impl Seen {
    fn new() -> Self {
        Self {
            micros: Histogram::new(3).unwrap(),
            failed: 0,
            first_error: None,
            lasted: Duration::ZERO,
        }
    }

    fn add(&mut self, other: Self) {
        self.micros.add(other.micros).unwrap();
        self.failed += other.failed;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    pub(crate) fn reads(&self) -> u64 {
        self.micros.len()
    }

    pub(crate) fn ms(&self, quantile: f64) -> f64 {
        self.micros.value_at_quantile(quantile) as f64 / 1e3
    }

    pub(crate) fn max_ms(&self) -> f64 {
        self.micros.max() as f64 / 1e3
    }

    /// Prints one row, with the network requests of the reads.
    pub(crate) fn row(&self, name: &str, requests: u64) {
        let rate = self.reads() as f64 / self.lasted.as_secs_f64();
        let extra = 100.0 * (requests as f64 / (self.reads() + self.failed).max(1) as f64 - 1.0);
        println!(
            "{name:<38}{:>9}{rate:>9.0}{:>8}{:>9.2}{:>9.2}{:>9.1}{extra:>10.2}",
            self.reads(),
            self.failed,
            self.ms(0.5),
            self.ms(0.99),
            self.max_ms()
        );
        if let Some(error) = &self.first_error {
            println!("    first error: {error}");
        }
    }

    pub(crate) fn head(title: &str) {
        println!(
            "\n== {title}\n{:<38}{:>9}{:>9}{:>8}{:>9}{:>9}{:>9}{:>10}",
            "", "reads", "reads/s", "failed", "p50 ms", "p99 ms", "max ms", "extra %"
        );
    }
}
