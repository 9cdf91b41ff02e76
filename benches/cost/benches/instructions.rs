//! Instructions, by gungraun: valgrind counts them, so that they are the same on a busy machine. A thousand calls each.

use std::hint::black_box;

use cost::circuits::{self, Call};
use cost::stores::{self, Peer, Question};
use gungraun::{library_benchmark, library_benchmark_group, main};

const CALLS: u64 = 1_000;

/// Ready, and warm.
fn caller(peer: circuits::Peer) -> Call {
    let mut call = (peer.call)();
    (0..100).for_each(|_| {
        black_box(call());
    });
    call
}

fn asked(question: Question, peer: Peer) -> (Question, Peer) {
    peer.ask(question, 200);
    (question, peer)
}

#[library_benchmark]
#[bench::floor(caller(circuits::floor(false)))]
#[bench::ours(caller(circuits::ours(false)))]
#[bench::ours_with_clock(caller(circuits::ours_with_clock(false)))]
#[bench::recloser(caller(circuits::recloser(false)))]
#[bench::failsafe(caller(circuits::failsafe(false)))]
#[bench::failsafe_window(caller(circuits::failsafe_window(false)))]
#[bench::circuitbreaker_rs(caller(circuits::circuitbreaker_rs(false)))]
#[bench::tower_resilience(caller(circuits::tower_resilience(false)))]
fn closed(mut call: Call) -> Call {
    (0..CALLS).for_each(|_| {
        black_box(call());
    });
    call
}

#[library_benchmark]
#[bench::floor(caller(circuits::floor(true)))]
#[bench::ours(caller(circuits::ours(true)))]
#[bench::ours_with_clock(caller(circuits::ours_with_clock(true)))]
#[bench::recloser(caller(circuits::recloser(true)))]
#[bench::failsafe(caller(circuits::failsafe(true)))]
#[bench::failsafe_window(caller(circuits::failsafe_window(true)))]
#[bench::circuitbreaker_rs(caller(circuits::circuitbreaker_rs(true)))]
#[bench::tower_resilience(caller(circuits::tower_resilience(true)))]
fn open(mut call: Call) -> Call {
    (0..CALLS).for_each(|_| {
        black_box(call());
    });
    call
}

#[library_benchmark]
#[bench::direct(asked(Question::Get, stores::direct()))]
#[bench::pass_through(asked(Question::Get, stores::pass_through()))]
#[bench::limit_store(asked(Question::Get, stores::limit_store()))]
#[bench::prefix_store(asked(Question::Get, stores::prefix_store()))]
#[bench::shipped(asked(Question::Get, stores::shipped()))]
#[bench::everything(asked(Question::Get, stores::everything()))]
#[bench::everything_recorded(asked(Question::Get, stores::everything_recorded()))]
#[bench::regions_2(asked(Question::Get, stores::regions(2)))]
#[bench::regions_4(asked(Question::Get, stores::regions(4)))]
#[bench::regions_16(asked(Question::Get, stores::regions(16)))]
#[bench::regions_64(asked(Question::Get, stores::regions(64)))]
fn get((question, peer): (Question, Peer)) -> Peer {
    peer.ask(question, CALLS);
    peer
}

#[library_benchmark]
#[bench::direct(asked(Question::Head, stores::direct()))]
#[bench::limit_store(asked(Question::Head, stores::limit_store()))]
#[bench::everything(asked(Question::Head, stores::everything()))]
fn head((question, peer): (Question, Peer)) -> Peer {
    peer.ask(question, CALLS);
    peer
}

library_benchmark_group!(name = circuit, benchmarks = [closed, open]);
library_benchmark_group!(name = read, benchmarks = [get, head]);
main!(library_benchmark_groups = circuit, read);
