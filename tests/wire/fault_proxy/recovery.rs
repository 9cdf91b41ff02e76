//! How a store over three regions survives each fault.

use failover_testkit::circuits;
use failover_testkit::proxy::{Fault, Response};
use futures::future::join_all;
use object_store_failover::CircuitState;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

/// Faults of the first regions, and stores over them.
struct FaultCase {
    faults: Vec<Fault>,
    setup: Setup,
    stores: [(&'static str, FailoverStore); 2],
}

impl FaultCase {
    async fn of(faults: &[Fault]) -> Self {
        let setup = Setup::new().await;
        for (proxy, fault) in setup.proxies.iter().zip(faults) {
            proxy.set(fault.clone());
        }
        Self {
            faults: faults.to_vec(),
            stores: setup.stores(),
            setup,
        }
    }

    /// Reads in every kind, three times, so that each region is first once.
    async fn run(&self) {
        let read = async |(name, store): &(&str, FailoverStore)| {
            for kind in ReadKind::ALL.into_iter().flat_map(|kind| [kind; 3]) {
                match within_limit(kind.returns_content(store)).await {
                    Ok(right) => assert!(right, "{:?}, {name}, {kind:?}: wrong bytes", self.faults),
                    Err(error) => panic!("{:?}, {name}, {kind:?}: {error}", self.faults),
                }
            }
        };
        join_all(self.stores.iter().map(read)).await;
        for (proxy, fault) in self.setup.proxies.iter().zip(&self.faults) {
            let took_effect = proxy.counts().faults_injected > 0
                || matches!(fault, Fault::Refuse | Fault::Swallow);
            assert!(took_effect, "{fault:?} never took effect");
        }
    }
}

/// Runs the cases concurrently, because most of the time is spent in timeouts.
async fn check_survival(cases: impl IntoIterator<Item = Vec<Fault>>) {
    let mut ready = Vec::new();
    for faults in cases {
        ready.push(FaultCase::of(&faults).await);
    }
    join_all(ready.iter().map(FaultCase::run)).await;
}

async fn check_survival_in_first(faults: impl IntoIterator<Item = Fault>) {
    check_survival(faults.into_iter().map(|fault| vec![fault])).await;
}

#[tokio::test]
async fn reads_survive_an_unresponsive_region() {
    check_survival_in_first([Fault::Refuse, Fault::Swallow, Fault::Lose]).await;
}

#[tokio::test]
async fn reads_survive_a_slow_or_failing_region() {
    let busy = [
        Response::error(503, "ServiceUnavailable"),
        Response::error(503, "SlowDown").header("retry-after", 1),
    ];
    let errors = [
        Response::error(403, "AccessDenied"),
        Response::error(404, "NoSuchKey"),
        Response::new(500),
    ];
    check_survival_in_first(busy.into_iter().chain(errors).map(Fault::from)).await;
    check_survival_in_first([
        Fault::Delay(ms(50)),
        Fault::Delay(ms(600)),
        Fault::Trickle(8 << 20),
    ])
    .await;
}

#[tokio::test]
async fn truncated_bodies_resume_in_another_region() {
    check_survival_in_first([
        Fault::CloseAfter(0),
        Fault::CloseAfter(5),
        Fault::CloseAfter(300_000),
    ])
    .await;
}

#[tokio::test]
async fn reset_bodies_resume_in_another_region() {
    check_survival_in_first([
        Fault::ResetAfter(0),
        Fault::ResetAfter(5),
        Fault::ResetAfter(300_000),
    ])
    .await;
}

#[tokio::test]
async fn stalled_bodies_resume_in_another_region() {
    check_survival_in_first([
        Fault::StallAfter(0),
        Fault::StallAfter(5),
        Fault::StallAfter(300_000),
    ])
    .await;
}

#[tokio::test]
async fn bodies_survive_two_failing_regions() {
    let pairs = [
        [Fault::ResetAfter(300_000), Fault::CloseAfter(5)],
        [Fault::CloseAfter(0), Fault::StallAfter(300_000)],
        [Fault::StallAfter(5), Fault::ResetAfter(0)],
        [Fault::ResetAfter(300_000), Fault::Refuse],
        [Fault::Swallow, Fault::CloseAfter(300_000)],
        [
            Response::error(503, "SlowDown").into(),
            Fault::ResetAfter(100_000),
        ],
    ];
    check_survival(pairs.map(Vec::from)).await;
}

#[tokio::test]
async fn body_resumes_after_every_break() {
    let setup = Setup::new().await;
    let store = setup.built();
    // Each region breaks the body several times; every resume starts at the exact byte.
    setup.proxies.iter().for_each(|proxy| {
        proxy.next([
            Fault::CloseAfter(150_000),
            Fault::CloseAfter(1),
            Fault::CloseAfter(5_000),
        ])
    });
    assert!(
        within_limit(ReadKind::Whole.returns_content(&store))
            .await
            .unwrap()
    );
    assert_eq!(
        setup
            .counts()
            .iter()
            .map(|counts| counts.body_bytes)
            .sum::<u64>(),
        OBJECT_BYTES as u64,
        "no byte is fetched twice"
    );
    assert!(setup.proxies.iter().all(|proxy| proxy.queued() == 0));
}

#[tokio::test]
async fn reads_survive_resets_at_random_bytes() {
    let seed = std::env::var("SEED")
        .ok()
        .map_or(7, |seed| seed.parse().unwrap());
    println!("SEED={seed}");
    let mut rng = StdRng::seed_from_u64(seed);
    let setup = Setup::new().await;
    let store = setup.built();
    for _ in 0..40 {
        let fault = Fault::ResetAfter(rng.random_range(0..OBJECT_BYTES as u64));
        setup.proxies[rng.random_range(0..3)].next([fault]);
        assert!(
            within_limit(ReadKind::Whole.returns_content(&store))
                .await
                .unwrap()
        );
    }
    let counts = setup.counts();
    assert!(
        counts
            .iter()
            .map(|counts| counts.faults_injected)
            .sum::<u64>()
            >= 20,
        "{counts:?}"
    );
}

#[tokio::test]
async fn unreachable_region_is_excluded() {
    for fault in [Fault::Refuse, Fault::Swallow, Fault::Blackhole, Fault::Lose] {
        let setup = Setup::new().await;
        let store = setup.built();
        setup.proxies[0].set(fault.clone());
        for _ in 0..18 {
            assert!(
                within_limit(ReadKind::Range.returns_content(&store))
                    .await
                    .unwrap(),
                "{fault:?}"
            );
        }
        assert_eq!(
            circuits(&store),
            [
                CircuitState::Open,
                CircuitState::Closed,
                CircuitState::Closed
            ],
            "{fault:?}"
        );
        let before = setup.counts();
        for _ in 0..6 {
            assert!(
                within_limit(ReadKind::Range.returns_content(&store))
                    .await
                    .unwrap(),
                "{fault:?}"
            );
        }
        assert_eq!(setup.counts()[0], before[0], "{fault:?}");
    }
}
