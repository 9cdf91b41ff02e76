//! Instructions of a thousand calls, by gungraun: counted by valgrind, and so independent of the
//! machine's load.

#![expect(unused_qualifications, reason = "in code that gungraun generates")]

use std::hint::black_box;

use failover_cost::circuits::{self, Call};
use failover_cost::stores::{self, Peer, Request};
use gungraun::{library_benchmark, library_benchmark_group, main};

const CALLS: u64 = 1_000;

/// A call that has been made before.
fn caller(peer: circuits::Peer) -> Call {
    let mut call = (peer.call)();
    (0..100).for_each(|_| {
        black_box(call());
    });
    call
}

fn warmed(request: Request, peer: Peer) -> (Request, Peer) {
    peer.ask(request, 200);
    (request, peer)
}

#[library_benchmark]
#[bench::baseline(caller(circuits::baseline(false)))]
#[bench::failover(caller(circuits::failover(false)))]
#[bench::failover_with_clock(caller(circuits::failover_with_clock(false)))]
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
#[bench::baseline(caller(circuits::baseline(true)))]
#[bench::failover(caller(circuits::failover(true)))]
#[bench::failover_with_clock(caller(circuits::failover_with_clock(true)))]
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
#[bench::direct(warmed(Request::Get, stores::direct()))]
#[bench::pass_through(warmed(Request::Get, stores::pass_through()))]
#[bench::limit_store(warmed(Request::Get, stores::limit_store()))]
#[bench::prefix_store(warmed(Request::Get, stores::prefix_store()))]
#[bench::defaults(warmed(Request::Get, stores::defaults()))]
#[bench::everything(warmed(Request::Get, stores::everything()))]
#[bench::everything_recorded(warmed(Request::Get, stores::everything_recorded()))]
#[bench::regions_2(warmed(Request::Get, stores::regions(2)))]
#[bench::regions_4(warmed(Request::Get, stores::regions(4)))]
#[bench::regions_16(warmed(Request::Get, stores::regions(16)))]
#[bench::regions_64(warmed(Request::Get, stores::regions(64)))]
fn get((request, peer): (Request, Peer)) -> Peer {
    peer.ask(request, CALLS);
    peer
}

#[library_benchmark]
#[bench::direct(warmed(Request::Head, stores::direct()))]
#[bench::limit_store(warmed(Request::Head, stores::limit_store()))]
#[bench::everything(warmed(Request::Head, stores::everything()))]
fn head((request, peer): (Request, Peer)) -> Peer {
    peer.ask(request, CALLS);
    peer
}

library_benchmark_group!(name = circuit, benchmarks = [closed, open]);
library_benchmark_group!(name = read, benchmarks = [get, head]);
main!(library_benchmark_groups = circuit, read);
