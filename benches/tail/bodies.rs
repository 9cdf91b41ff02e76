//! Reads of 8 MiB whose serving region resets, stalls, closes or dies at a random byte.
//!
//! Whoever resets or dies takes along what the kernel still holds of the connection: that is fetched again. Whoever stalls or closes has
//! delivered it, so there nothing at all may be fetched twice.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::path::Path;
use object_store_failover::FailoverStore;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use crate::rig::Rig;
use crate::support::proxy::Fault;
use crate::{Scale, promise};

const SIZE: u64 = 8 << 20;

/// What the reads under one kind of fault came to.
#[derive(Default)]
struct Tally {
    reads: u64,
    wrong: u64,
    failed: u64,
    resumes: u64,
    twice: u64,
    twice_most: u64,
    slowest: Duration,
}

pub(crate) async fn run(scale: Scale) -> bool {
    let seed: u64 = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("\n== reads of 8 MiB that break at a random byte (SEED={seed})");
    let mut dice = SmallRng::seed_from_u64(seed);
    let rig = Rig::new().await;
    let content: Bytes = (0..SIZE).map(|_| dice.random::<u8>()).collect::<Vec<_>>().into();
    let digest = Sha256::digest(&content);
    let path = rig.put("large", content).await;
    // The first region is asked each time: with circuits it would be left alone after the fifth break.
    let store = rig.store(json!({
        "rotation": {"policy": "nearest", "canary": 0.0}, "breaker": {"enabled": false}, "timeouts": {"stall": "250ms"}
    }));
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    for _ in 0..scale.count(1000) {
        let at = dice.random_range(0..SIZE);
        let kind = ["reset", "stall", "close", "death"][dice.random_range(0..4)];
        let before = rig.body_bytes();
        let requests = rig.requests();
        let began = Instant::now();
        match kind {
            "reset" => rig.proxies[0].next([Fault::ResetAfter(at)]),
            "stall" => rig.proxies[0].next([Fault::StallAfter(at)]),
            "close" => rig.proxies[0].next([Fault::CloseAfter(at)]),
            _ => {}
        }
        let read = read(&store, &path, |seen| {
            if kind == "death" && seen >= at {
                rig.proxies[0].set(Fault::Refuse);
            }
        })
        .await;
        let tally = tallies.entry(kind).or_default();
        tally.slowest = tally.slowest.max(began.elapsed());
        rig.proxies[0].set(Fault::Pass);
        tally.reads += 1;
        match read {
            Ok(seen) => tally.wrong += u64::from(seen != digest.as_slice()),
            Err(_) => tally.failed += 1,
        }
        let twice = (rig.body_bytes() - before).saturating_sub(SIZE);
        tally.resumes += (rig.requests() - requests).saturating_sub(1);
        (tally.twice, tally.twice_most) = (tally.twice + twice, tally.twice_most.max(twice));
    }
    println!(
        "{:<10}{:>8}{:>8}{:>8}{:>10}{:>22}{:>16}{:>12}",
        "", "reads", "failed", "wrong", "resumes", "sent twice/resume KiB", "most KiB", "slowest ms"
    );
    for (kind, tally) in &tallies {
        println!(
            "{kind:<10}{:>8}{:>8}{:>8}{:>10}{:>22.0}{:>16.0}{:>12.0}",
            tally.reads,
            tally.failed,
            tally.wrong,
            tally.resumes,
            tally.twice as f64 / 1024.0 / tally.resumes.max(1) as f64,
            tally.twice_most as f64 / 1024.0,
            tally.slowest.as_secs_f64() * 1e3
        );
    }
    let sum = |count: fn(&Tally) -> u64| tallies.values().map(count).sum::<u64>();
    let most = |kinds: [&str; 2]| kinds.iter().filter_map(|kind| tallies.get(kind)).map(|tally| tally.twice_most).max().unwrap_or_default();
    let (delivered, lost) = (most(["stall", "close"]), most(["reset", "death"]));
    let buffer = socket_buffer();
    promise(sum(|tally| tally.failed + tally.wrong) == 0, format!("all of {} complete, every digest right", sum(|tally| tally.reads)))
        & promise(delivered == 0, format!("not a byte that was delivered is sent twice (stall, close): {delivered}"))
        & promise(
            lost <= buffer,
            format!("at most what a socket's buffers held ({} KiB) is sent twice: {} KiB", buffer / 1024, lost / 1024),
        )
}

async fn read(store: &FailoverStore, path: &Path, mut on_progress: impl FnMut(u64)) -> object_store::Result<Vec<u8>> {
    let mut hash = Sha256::new();
    let mut seen = 0;
    let mut body = store.get(path).await?.into_stream();
    while let Some(piece) = body.next().await {
        let piece = piece?;
        seen += piece.len() as u64;
        hash.update(&piece);
        on_progress(seen);
    }
    Ok(hash.finalize().to_vec())
}

/// What the kernel may hold of one connection: sent, and not read yet.
fn socket_buffer() -> u64 {
    let largest = |name: &str| {
        let sizes = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).unwrap_or_default();
        sizes.split_whitespace().last().and_then(|size| size.parse().ok()).unwrap_or(6 << 20)
    };
    let (read, write): (u64, u64) = (largest("tcp_rmem"), largest("tcp_wmem"));
    read + write
}
