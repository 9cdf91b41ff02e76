//! Time by criterion, for all peers in one run.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use failover_cost::circuits::{self, contend};
use failover_cost::stores::{self, Peer, Request};

fn circuits(criterion: &mut Criterion) {
    for open in [false, true] {
        let state = if open { "open" } else { "closed" };
        for threads in [1, 2] {
            let mut group = criterion.benchmark_group(format!("circuit {state}, {threads}"));
            for peer in circuits::all(open) {
                assert_eq!((peer.call)()(), !open, "{} is {state}", peer.name);
                group.bench_function(peer.name, |bencher| match threads {
                    1 => {
                        let mut call = (peer.call)();
                        bencher.iter(&mut call);
                    }
                    _ => bencher.iter_custom(|calls| contend(&peer, threads, calls)),
                });
            }
        }
    }
}

fn reads(criterion: &mut Criterion) {
    for request in [Request::Get, Request::Head, Request::Ranges, Request::List] {
        let mut group = criterion.benchmark_group(format!("{request:?}"));
        stores::all()
            .iter()
            .for_each(|peer| measure(&mut group, request, peer));
    }
    let mut group = criterion.benchmark_group("Missing");
    stores::missing()
        .iter()
        .for_each(|peer| measure(&mut group, Request::Missing, peer));
}

fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Growth");
    [2, 4, 16, 64]
        .into_iter()
        .for_each(|count| measure(&mut group, Request::Get, &stores::regions(count)));
}

/// Sends all requests of a sample in one `block_on`: entering the runtime is not measured.
fn measure(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    request: Request,
    peer: &Peer,
) {
    group.bench_function(BenchmarkId::from_parameter(&peer.name), |bencher| {
        bencher.iter_custom(|times| {
            let started_at = std::time::Instant::now();
            peer.ask(request, times);
            started_at.elapsed()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .without_plots();
    targets = circuits, reads, growth
}
criterion_main!(benches);
