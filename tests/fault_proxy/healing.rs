//! Each fault as a store over three regions survives it.

use futures::future::join_all;
use object_store_failover::CircuitState;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::support::circuits;
use super::support::proxy::{Answer, Fault};
use super::*;

/// Faults of the first regions, and stores that are about to meet them.
struct Trial {
    faults: Vec<Fault>,
    rig: Rig,
    stores: [(&'static str, FailoverStore); 2],
}

impl Trial {
    async fn of(faults: &[Fault]) -> Self {
        let rig = Rig::new().await;
        for (proxy, fault) in rig.proxies.iter().zip(faults) {
            proxy.set(fault.clone());
        }
        Self { faults: faults.to_vec(), stores: rig.stores(), rig }
    }

    /// Reads in every way, with each region's turn to be the first.
    async fn is_survived(&self) {
        let read = async |(kind, store): &(&str, FailoverStore)| {
            for way in Way::ALL.into_iter().flat_map(|way| [way; 3]) {
                match soon(way.is_right(store)).await {
                    Ok(right) => assert!(right, "{:?}, {kind}, {way:?}: wrong bytes", self.faults),
                    Err(error) => panic!("{:?}, {kind}, {way:?}: {error}", self.faults),
                }
            }
        };
        join_all(self.stores.iter().map(read)).await;
        for (proxy, fault) in self.rig.proxies.iter().zip(&self.faults) {
            let met = proxy.counts().struck > 0 || matches!(fault, Fault::Refuse | Fault::Swallow);
            assert!(met, "{fault:?} was never met");
        }
    }
}

/// Each of these, side by side, for most of the time is spent in waiting.
async fn survives(trials: impl IntoIterator<Item = Vec<Fault>>) {
    let mut ready = Vec::new();
    for faults in trials {
        ready.push(Trial::of(&faults).await);
    }
    join_all(ready.iter().map(Trial::is_survived)).await;
}

async fn survives_in_the_first(faults: impl IntoIterator<Item = Fault>) {
    survives(faults.into_iter().map(|fault| vec![fault])).await;
}

#[tokio::test]
async fn reads_survive_a_region_that_does_not_answer() {
    survives_in_the_first([Fault::Refuse, Fault::Swallow, Fault::Lose]).await;
}

#[tokio::test]
async fn reads_survive_a_region_that_is_slow_or_says_no() {
    let answers = [Answer::error(503, "ServiceUnavailable"), Answer::error(503, "SlowDown").header("retry-after", 1)];
    let refusals = [Answer::error(403, "AccessDenied"), Answer::error(404, "NoSuchKey"), Answer::new(500)];
    survives_in_the_first(answers.into_iter().chain(refusals).map(Fault::from)).await;
    survives_in_the_first([Fault::Delay(ms(50)), Fault::Delay(ms(600)), Fault::Trickle(8 << 20)]).await;
}

#[tokio::test]
async fn bodies_that_come_short_go_on_elsewhere() {
    survives_in_the_first([Fault::CloseAfter(0), Fault::CloseAfter(5), Fault::CloseAfter(300_000)]).await;
}

#[tokio::test]
async fn bodies_that_are_reset_go_on_elsewhere() {
    survives_in_the_first([Fault::ResetAfter(0), Fault::ResetAfter(5), Fault::ResetAfter(300_000)]).await;
}

#[tokio::test]
async fn bodies_that_stall_go_on_elsewhere() {
    survives_in_the_first([Fault::StallAfter(0), Fault::StallAfter(5), Fault::StallAfter(300_000)]).await;
}

#[tokio::test]
async fn bodies_survive_two_regions_that_break() {
    let pairs = [
        [Fault::ResetAfter(300_000), Fault::CloseAfter(5)],
        [Fault::CloseAfter(0), Fault::StallAfter(300_000)],
        [Fault::StallAfter(5), Fault::ResetAfter(0)],
        [Fault::ResetAfter(300_000), Fault::Refuse],
        [Fault::Swallow, Fault::CloseAfter(300_000)],
        [Answer::error(503, "SlowDown").into(), Fault::ResetAfter(100_000)],
    ];
    survives(pairs.map(Vec::from)).await;
}

#[tokio::test]
async fn a_body_goes_on_while_one_region_after_the_other_breaks_it() {
    let rig = Rig::new().await;
    let store = rig.built();
    // Each region serves a piece and breaks, many times over: what remains is asked for from the exact byte.
    rig.proxies.iter().for_each(|proxy| proxy.next([Fault::CloseAfter(150_000), Fault::CloseAfter(1), Fault::CloseAfter(5_000)]));
    assert!(soon(Way::Whole.is_right(&store)).await.unwrap());
    assert_eq!(rig.counts().iter().map(|counts| counts.body_bytes).sum::<u64>(), LENGTH as u64, "no byte is fetched twice");
    assert!(rig.proxies.iter().all(|proxy| proxy.queued() == 0));
}

#[tokio::test]
async fn reads_survive_resets_at_random_bytes() {
    let seed = std::env::var("SEED").ok().map_or(7, |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let mut dice = StdRng::seed_from_u64(seed);
    let rig = Rig::new().await;
    let store = rig.built();
    for _ in 0..40 {
        let fault = Fault::ResetAfter(dice.random_range(0..LENGTH as u64));
        rig.proxies[dice.random_range(0..3)].next([fault]);
        assert!(soon(Way::Whole.is_right(&store)).await.unwrap());
    }
    let counts = rig.counts();
    assert!(counts.iter().map(|counts| counts.struck).sum::<u64>() >= 20, "{counts:?}");
}

#[tokio::test]
async fn a_region_that_cannot_be_reached_opens_its_read_circuit_and_is_left_alone() {
    for fault in [Fault::Refuse, Fault::Swallow, Fault::Blackhole, Fault::Lose] {
        let rig = Rig::new().await;
        let store = rig.built();
        rig.proxies[0].set(fault.clone());
        for _ in 0..18 {
            assert!(soon(Way::Range.is_right(&store)).await.unwrap(), "{fault:?}");
        }
        assert_eq!(circuits(&store), [CircuitState::Open, CircuitState::Closed, CircuitState::Closed], "{fault:?}");
        let before = rig.counts();
        for _ in 0..6 {
            assert!(soon(Way::Range.is_right(&store)).await.unwrap(), "{fault:?}");
        }
        assert_eq!(rig.counts()[0], before[0], "{fault:?}");
    }
}
