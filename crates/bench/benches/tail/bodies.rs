//! Reads of 8 MiB whose region resets, stalls, closes or is killed at a random byte.
//!
//! A reset or a kill discards what the kernel holds of the connection, which is fetched again. A
//! stall or a close has delivered it, so no byte may be fetched twice.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use failover_testkit::proxy::Fault;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use object_store_failover::FailoverStore;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::fixture::Fixture;
use crate::{Scale, target};

const SIZE: u64 = 8 << 20;

/// The reads of one kind of fault.
#[derive(Default)]
struct Tally {
    reads: u64,
    wrong: u64,
    failed: u64,
    resumes: u64,
    refetched: u64,
    refetched_max: u64,
    slowest: Duration,
}

type Tallies = BTreeMap<&'static str, Tally>;

pub(crate) async fn run(scale: Scale) -> bool {
    let seed: u64 = std::env::var("SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(rand::random);
    println!("\n== reads of 8 MiB that are interrupted at a random byte (SEED={seed})");
    let tallies = read_all(scale.count(1000), seed).await;
    print(&tallies);
    let sum = |count: fn(&Tally) -> u64| tallies.values().map(count).sum::<u64>();
    let most = |kinds: [&str; 2]| {
        let of_kinds = kinds.iter().filter_map(|kind| tallies.get(kind));
        of_kinds
            .map(|tally| tally.refetched_max)
            .max()
            .unwrap_or_default()
    };
    let (delivered, lost) = (most(["stall", "close"]), most(["reset", "kill"]));
    let buffer = socket_buffer();
    target(
        sum(|tally| tally.failed + tally.wrong) == 0,
        format!(
            "all of {} reads complete, every digest correct",
            sum(|tally| tally.reads)
        ),
    ) & target(
        delivered == 0,
        format!("no delivered byte is fetched twice (stall, close): {delivered}"),
    ) & target(
        lost <= buffer,
        format!(
            "at most the socket buffers ({} KiB) are fetched twice: {} KiB",
            buffer / 1024,
            lost / 1024
        ),
    )
}

async fn read_all(count: usize, seed: u64) -> Tallies {
    let mut rng = SmallRng::seed_from_u64(seed);
    let fixture = Fixture::new().await;
    let content: Bytes = (0..SIZE)
        .map(|_| rng.random::<u8>())
        .collect::<Vec<_>>()
        .into();
    let digest = Sha256::digest(&content);
    let path = fixture.put("large", content).await;
    // Every read goes to the first region; with circuits it would be excluded after five failures.
    let store = fixture.store(json!({
        "rotation": {"policy": "nearest", "canary": 0.0},
        "breaker": {"enabled": false},
        "timeouts": {"stall": "250ms"}
    }));
    let mut tallies = Tallies::new();
    for _ in 0..count {
        let at = rng.random_range(0..SIZE);
        let kind = ["reset", "stall", "close", "kill"][rng.random_range(0..4)];
        let (bytes, requests) = (fixture.body_bytes(), fixture.requests());
        let started_at = Instant::now();
        match kind {
            "reset" => fixture.proxies[0].next([Fault::ResetAfter(at)]),
            "stall" => fixture.proxies[0].next([Fault::StallAfter(at)]),
            "close" => fixture.proxies[0].next([Fault::CloseAfter(at)]),
            _ => {}
        }
        let read = read(&store, &path, |received| {
            if kind == "kill" && received >= at {
                fixture.proxies[0].set(Fault::Refuse);
            }
        })
        .await;
        let tally = tallies.entry(kind).or_default();
        tally.slowest = tally.slowest.max(started_at.elapsed());
        fixture.proxies[0].set(Fault::Pass);
        tally.reads += 1;
        match read {
            Ok(found) => tally.wrong += u64::from(found != digest.as_slice()),
            Err(_) => tally.failed += 1,
        }
        let refetched = (fixture.body_bytes() - bytes).saturating_sub(SIZE);
        tally.resumes += (fixture.requests() - requests).saturating_sub(1);
        tally.refetched += refetched;
        tally.refetched_max = tally.refetched_max.max(refetched);
    }
    tallies
}

fn print(tallies: &Tallies) {
    println!(
        "{:<10}{:>8}{:>8}{:>8}{:>10}{:>22}{:>16}{:>12}",
        "", "reads", "failed", "wrong", "resumes", "refetched/resume KiB", "most KiB", "slowest ms"
    );
    for (kind, tally) in tallies {
        println!(
            "{kind:<10}{:>8}{:>8}{:>8}{:>10}{:>22.0}{:>16.0}{:>12.0}",
            tally.reads,
            tally.failed,
            tally.wrong,
            tally.resumes,
            tally.refetched as f64 / 1024.0 / tally.resumes.max(1) as f64,
            tally.refetched_max as f64 / 1024.0,
            tally.slowest.as_secs_f64() * 1e3
        );
    }
}

async fn read(
    store: &FailoverStore,
    path: &Path,
    mut on_progress: impl FnMut(u64),
) -> object_store::Result<Vec<u8>> {
    let mut hash = Sha256::new();
    let mut received = 0;
    let mut body = store.get(path).await?.into_stream();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        received += piece.len() as u64;
        hash.update(&piece);
        on_progress(received);
    }
    Ok(hash.finalize().to_vec())
}

/// Bytes that the kernel may hold of one connection: sent, but not read.
fn socket_buffer() -> u64 {
    let largest = |name: &str| {
        let sizes =
            std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
        sizes
            .split_whitespace()
            .last()
            .and_then(|size| size.parse().ok())
            .unwrap_or(6 << 20)
    };
    let (read, write): (u64, u64) = (largest("tcp_rmem"), largest("tcp_wmem"));
    read + write
}
