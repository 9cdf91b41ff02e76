//! Closed-loop readers and the duration of each read.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::clients::Client;
use crate::server::Object;

/// One read, in microseconds from the start of the load.
#[derive(Clone, Copy)]
pub struct Read {
    pub started_at: u32,
    pub took: u32,
    pub ok: bool,
}

/// The reads of a load.
#[derive(Default)]
pub struct Seen {
    pub reads: Vec<Read>,
    pub lasted: Duration,
    pub first_error: Option<String>,
}

/// A read that is pending this long after the end of the load has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Reads `object` with `readers` for `time`, and waits for reads in flight.
pub async fn load(client: &Arc<Client>, object: Object, readers: usize, time: Duration) -> Seen {
    let started_at = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..readers {
        let client = Arc::clone(client);
        tasks
            .spawn(async move { read_until(&client, object, started_at, started_at + time).await });
    }
    let mut seen = Seen::default();
    while let Some(one) = tasks.join_next().await {
        seen.add(one.expect("a reader panicked"));
    }
    seen.lasted = started_at.elapsed();
    seen
}

async fn read_until(client: &Client, object: Object, started_at: Instant, end: Instant) -> Seen {
    let path = Path::from(object.key);
    let mut seen = Seen::default();
    loop {
        let start = Instant::now();
        if start >= end {
            return seen;
        }
        let read = timeout(end + PATIENCE - start, read(client, object, &path)).await;
        let error = read
            .unwrap_or_else(|_| Err("still pending".to_owned()))
            .err();
        seen.reads.push(Read {
            started_at: micros(start - started_at),
            took: micros(start.elapsed()),
            ok: error.is_none(),
        });
        seen.first_error = seen.first_error.or(error);
    }
}

async fn read(client: &Client, object: Object, path: &Path) -> Result<(), String> {
    let body = async { client.store().get(path).await?.bytes().await };
    let body = body.await.map_err(|error| error.to_string())?;
    if body.len() == object.size {
        Ok(())
    } else {
        Err(format!("{} bytes of {}", body.len(), object.size))
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

impl Seen {
    /// Adds the reads of another reader or another load.
    pub fn add(&mut self, mut other: Self) {
        self.reads.append(&mut other.reads);
        self.lasted += other.lasted;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    pub fn failed(&self) -> usize {
        self.reads.iter().filter(|read| !read.ok).count()
    }

    /// Successful reads per second.
    pub fn rate(&self) -> f64 {
        (self.reads.len() - self.failed()) as f64 / self.lasted.as_secs_f64()
    }

    /// The quantile of all reads in milliseconds, failed ones included.
    pub fn ms(&self, share: f64) -> f64 {
        let mut took: Vec<_> = self.reads.iter().map(|read| read.took).collect();
        if took.is_empty() {
            return f64::NAN;
        }
        let rank = ((took.len() as f64 * share).ceil() as usize).clamp(1, took.len()) - 1;
        f64::from(*took.select_nth_unstable(rank).1) / 1e3
    }
}
