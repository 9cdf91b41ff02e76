//! Trials of a half-open circuit do not delay the read that carries them.

use failover_testkit::*;
use object_store::ObjectStore;
use object_store_failover::CircuitState;
use tokio::time::{advance, sleep};

use crate::{open_second, timed, within};

#[tokio::test(start_paused = true)]
async fn slow_trial_closes_circuit_without_delaying_its_read() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    let store = builder.build().unwrap();
    open_second(&regions, &store).await;
    // Slower than the time that a read waits for its trial before it starts a second attempt.
    regions[1].set(Mode::Slow(ms(900)));
    advance(secs(34)).await;
    for trial in 0..2 {
        assert_ne!(circuits(&store)[1], CircuitState::Closed);
        let before = regions[1].calls();
        let (took, served) = timed(&store).await;
        assert_eq!(took, ms(200), "trial {trial}");
        assert!(served.hedged && &*served.region != NAMES[1], "{served:?}");
        assert_eq!(regions[1].calls(), before + 1);
        // No other trial starts while this one is in flight.
        read(&store).await.unwrap();
        assert_eq!(regions[1].calls(), before + 1);
        sleep(ms(800)).await;
    }
    assert_eq!(circuits(&store)[1], CircuitState::Closed);
    let regions = store.health().regions;
    assert!(regions.iter().all(|region| region.in_flight == 0));
}

#[tokio::test(start_paused = true)]
async fn hanging_trial_reopens_the_circuit_at_its_timeout() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "value").await;
    let store = builder.build().unwrap();
    open_second(&regions, &store).await;
    regions[1].set(Mode::Hang);
    advance(secs(34)).await;
    assert_eq!(timed(&store).await.0, ms(200));
    sleep(ms(4_700)).await;
    assert_eq!(circuits(&store)[1], CircuitState::HalfOpen);
    sleep(ms(200)).await;
    assert_eq!(circuits(&store)[1], CircuitState::Open);
    assert_eq!(store.health().regions[1].in_flight, 0);
}

/// Regression: the trial's timeout was a share of the call's deadline, and a trial that ran into it
/// was not recorded.
#[tokio::test(start_paused = true)]
async fn distant_region_closes_its_circuit_under_short_deadlines() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = builder.build().unwrap();
    open_second(&regions, &store).await;
    regions[1].set(Mode::Slow(ms(800)));
    advance(secs(34)).await;
    for _ in 0..2 {
        store.get_opts(&key(), within(ms(900))).await.unwrap();
        sleep(secs(1)).await;
    }
    assert_eq!(circuits(&store)[1], CircuitState::Closed);
}
