//! Probes and circuits: detection, trials and recovery without requests of callers.

use failover_testkit::{Mode, circuits, ms, read, secs};
use object_store_failover::CircuitState::{Closed, HalfOpen, Open};
use tokio::time::{Instant, sleep};

use super::{call_times, probed_replicas, until};

#[tokio::test(start_paused = true)]
async fn idle_store_detects_outage_and_recovery() {
    let (regions, builder) = probed_replicas(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].fail();
    assert!(until(&store, 1, Open).await <= secs(28), "five failures");
    assert_eq!(store.health().regions[1].failures, 5);
    regions[1].serve();
    // Both trials are sent as soon as they are due.
    let open = until(&store, 1, Closed).await;
    assert!((secs(30)..secs(30) + ms(10)).contains(&open), "{open:?}");
}

#[tokio::test(start_paused = true)]
async fn reads_are_no_trials_while_probes_run() {
    let (regions, builder) = probed_replicas(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].fail();
    until(&store, 1, Open).await;
    let (began, mut calls_by_reads) = (Instant::now(), 0);
    while circuits(&store)[1] != Closed {
        if began.elapsed() > secs(50) {
            regions[1].set(Mode::Slow(ms(50)));
        }
        let before = regions[1].calls();
        read(&store).await.unwrap();
        calls_by_reads += regions[1].calls() - before;
        sleep(ms(1)).await;
    }
    assert_eq!(calls_by_reads, 0);
    // One trial failed and two succeeded, all of them probes.
    let took = began.elapsed();
    assert!((secs(90)..secs(90) + ms(110)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn reads_become_trials_when_probes_stop() {
    let (regions, builder) = probed_replicas(2).await;
    let store = builder.build().unwrap();
    let probes = store.start_probes();
    regions[1].fail();
    until(&store, 1, Open).await;
    sleep(secs(10)).await;
    drop(probes);
    regions[1].serve();
    sleep(secs(21)).await;
    read(&store).await.unwrap();
    assert_eq!(circuits(&store)[1], HalfOpen);
    read(&store).await.unwrap();
    assert_eq!(circuits(&store)[1], Closed);
}

#[tokio::test(start_paused = true)]
async fn open_region_is_probed_when_a_trial_is_due() {
    let (regions, builder) = probed_replicas(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions.iter().for_each(|region| region.fail());
    until(&store, 1, Open).await;
    let times = call_times(&regions[1], secs(100)).await;
    // After 30 s, and after 60 s more: no last-resort attempts although no region is in use.
    assert_eq!(times.len(), 2, "{times:?}");
    assert!((30_000..=30_002).contains(&times[0]), "{times:?}");
    assert!(
        (60_000..=60_002).contains(&(times[1] - times[0])),
        "{times:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn denied_probe_leaves_trials_to_reads() {
    let (regions, builder) = probed_replicas(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].fail();
    until(&store, 1, Open).await;
    regions[1].set(Mode::Fail(failover_testkit::Fault::Status(
        403,
        "AccessDenied",
    )));
    until(&store, 1, HalfOpen).await;
    sleep(ms(1_500)).await;
    let before = regions[1].calls();
    regions[1].serve();
    read(&store).await.unwrap();
    assert_eq!(regions[1].calls(), before + 1, "the next read is a trial");
}

#[tokio::test(start_paused = true)]
async fn broken_probe_counts_and_is_not_resumed() {
    let (regions, builder) = probed_replicas(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].set(Mode::BreakAfter(0));
    until(&store, 1, Open).await;
    let health = store.health();
    assert_eq!(
        (health.regions[1].failures, health.regions[0].failures),
        (5, 0)
    );
    assert!(
        regions[0].calls() <= 7,
        "only its own probes: {}",
        regions[0].calls()
    );
}
