//! Readers that read one after the other, and how long each read took.

use std::sync::Arc;
use std::time::Duration;

use object_store::ObjectStoreExt;
use object_store::path::Path;
use tokio::task::JoinSet;

use super::answers::Object;
use super::clients::Client;
use crate::clock::{Instant, now, within};

/// One read: microseconds, counted from the load's beginning.
#[derive(Clone, Copy)]
pub(crate) struct Read {
    pub(crate) began: u32,
    pub(crate) took: u32,
    pub(crate) ok: bool,
}

/// What a load has seen.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) reads: Vec<Read>,
    pub(crate) lasted: Duration,
    pub(crate) first_error: Option<String>,
}

/// A read that has not ended by so much after the load's end is given up, and has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// `readers` read `object` for so long. A read that has begun is waited for.
pub(crate) async fn load(client: &Arc<Client>, object: Object, readers: usize, time: Duration) -> Seen {
    let began = now();
    let mut tasks = JoinSet::new();
    for _ in 0..readers {
        let client = Arc::clone(client);
        tasks.spawn(async move { read_until(&client, object, began, began + time).await });
    }
    let mut seen = Seen::default();
    while let Some(one) = tasks.join_next().await {
        // A reader that panics has failed the bench.
        seen.add(one.unwrap());
    }
    seen.lasted = began.elapsed();
    seen
}

async fn read_until(client: &Client, object: Object, began: Instant, end: Instant) -> Seen {
    let path = Path::from(object.key);
    let mut seen = Seen::default();
    loop {
        let start = now();
        if start >= end {
            return seen;
        }
        let read = within(end + PATIENCE - start, read(client, object, &path)).await;
        let error = read.unwrap_or_else(|| Err("still waiting".to_owned())).err();
        seen.reads.push(Read { began: micros(start - began), took: micros(start.elapsed()), ok: error.is_none() });
        seen.first_error = seen.first_error.or(error);
    }
}

async fn read(client: &Client, object: Object, path: &Path) -> Result<(), String> {
    let body = async { client.store().get(path).await?.bytes().await };
    let body = body.await.map_err(|error| error.to_string())?;
    if body.len() == object.size { Ok(()) } else { Err(format!("{} bytes of {}", body.len(), object.size)) }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}

impl Seen {
    /// Joins what another reader, or another load, has seen.
    pub(crate) fn add(&mut self, mut other: Self) {
        self.reads.append(&mut other.reads);
        self.lasted += other.lasted;
        self.first_error = self.first_error.take().or(other.first_error);
    }

    pub(crate) fn failed(&self) -> usize {
        self.reads.iter().filter(|read| !read.ok).count()
    }

    /// Reads per second that were answered.
    pub(crate) fn rate(&self) -> f64 {
        (self.reads.len() - self.failed()) as f64 / self.lasted.as_secs_f64()
    }

    /// Milliseconds within which that share of all reads ended, well or not.
    pub(crate) fn ms(&self, share: f64) -> f64 {
        let mut took: Vec<_> = self.reads.iter().map(|read| read.took).collect();
        if took.is_empty() {
            return f64::NAN;
        }
        let rank = ((took.len() as f64 * share).ceil() as usize).clamp(1, took.len()) - 1;
        f64::from(*took.select_nth_unstable(rank).1) / 1e3
    }
}
