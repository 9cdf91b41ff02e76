//! Allocations of one question, and the memory of one read in flight: counted, and the same in each run.
//!
//! Prints lines of `kind | name | number | number`, for `benches/tables`.

use allocation_counter::measure;
use cost::flights::{Flights, Until};
use cost::stores::{self, Question};

fn main() {
    // `cargo test --benches` and `--list` only want to know that it runs.
    for question in [Question::Get, Question::Head, Question::Ranges, Question::List] {
        for peer in stores::all() {
            print_allocations(question, &peer);
        }
    }
    stores::missing().iter().for_each(|peer| print_allocations(Question::Missing, peer));
    for count in REGIONS {
        print_allocations(Question::Get, &stores::regions(count));
    }
    for until in [Until::Headers, Until::Body] {
        for reads in [1, 100, 10_000] {
            let [direct, ours] = [Flights::direct(until), Flights::through_failover(until)].map(|flights| bytes_per_read(&flights, reads));
            println!("in flight until {until:?} | {reads} | {direct:.0} | {ours:.0}");
        }
    }
}

fn print_allocations(question: Question, peer: &stores::Peer) {
    peer.ask(question, 200);
    let info = measure(|| peer.ask(question, QUESTIONS));
    let each = |all: u64| all as f64 / QUESTIONS as f64;
    println!("{question:?} | {} | {:.3} | {:.0}", peer.name, each(info.count_total), each(info.bytes_total));
}

/// What the last of so many reads takes, all of them standing still.
fn bytes_per_read(flights: &Flights, reads: usize) -> f64 {
    drop(flights.begin(reads));
    let mut kept = None;
    let info = measure(|| kept = Some(flights.begin(reads)));
    drop(kept);
    info.bytes_current as f64 / reads as f64
}

const QUESTIONS: u64 = 6_400;
const REGIONS: [usize; 4] = [2, 4, 16, 64];
