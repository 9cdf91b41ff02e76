//! Time, by criterion: each peer beside the others, in one run.

use std::time::Duration;

use cost::circuits::{self, contend};
use cost::stores::{self, Peer, Question};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

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
    for question in [Question::Get, Question::Head, Question::Ranges, Question::List] {
        let mut group = criterion.benchmark_group(format!("{question:?}"));
        stores::all().iter().for_each(|peer| measure(&mut group, question, peer));
    }
    let mut group = criterion.benchmark_group("Missing");
    stores::missing().iter().for_each(|peer| measure(&mut group, Question::Missing, peer));
}

fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("Growth");
    [2, 4, 16, 64].into_iter().for_each(|count| measure(&mut group, Question::Get, &stores::regions(count)));
}

/// All of a sample's questions in one visit to the runtime: entering it is no part of any of them.
fn measure(group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>, question: Question, peer: &Peer) {
    group.bench_function(BenchmarkId::from_parameter(&peer.name), |bencher| {
        bencher.iter_custom(|times| {
            let began = std::time::Instant::now();
            peer.ask(question, times);
            began.elapsed()
        });
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1)).without_plots();
    targets = circuits, reads, growth
}
criterion_main!(benches);
