//! Allocations of one request, and the memory of one read in flight. The counts are reproducible.
//!
//! Prints lines of `kind | name | number | number` for `crates/cost/tables`.

use allocation_counter::measure;
use failover_cost::in_flight::{PendingStore, WaitsFor};
use failover_cost::stores::{self, Request};

fn main() {
    for request in [Request::Get, Request::Head, Request::Ranges, Request::List] {
        for peer in stores::all() {
            print_allocations(request, &peer);
        }
    }
    stores::missing()
        .iter()
        .for_each(|peer| print_allocations(Request::Missing, peer));
    for count in REGIONS {
        print_allocations(Request::Get, &stores::regions(count));
    }
    for waits_for in [WaitsFor::Headers, WaitsFor::Body] {
        for reads in [1, 100, 10_000] {
            let [direct, failover] = [
                PendingStore::direct(waits_for),
                PendingStore::through_failover(waits_for),
            ]
            .map(|store| bytes_per_read(&store, reads));
            println!("in flight, {waits_for:?} | {reads} | {direct:.0} | {failover:.0}");
        }
    }
}

fn print_allocations(request: Request, peer: &stores::Peer) {
    peer.ask(request, 200);
    let info = measure(|| peer.ask(request, REQUESTS));
    let each = |all: u64| all as f64 / REQUESTS as f64;
    println!(
        "{request:?} | {} | {:.3} | {:.0}",
        peer.name,
        each(info.count_total),
        each(info.bytes_total)
    );
}

/// The memory per read of `reads` reads that wait.
fn bytes_per_read(store: &PendingStore, reads: usize) -> f64 {
    drop(store.begin(reads));
    let mut kept = None;
    let info = measure(|| kept = Some(store.begin(reads)));
    drop(kept);
    info.bytes_current as f64 / reads as f64
}

const REQUESTS: u64 = 6_400;
const REGIONS: [usize; 4] = [2, 4, 16, 64];
