//! When probes run, and that they disturb neither requests nor each other.

use failover_testkit::{Mode, calls, key, logged, ms, read, replicas, secs};
use object_store::ObjectStoreExt;
use object_store_failover::CircuitState::Open;
use object_store_failover::ServedBy;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{CANARY, alive_tasks, block_on_paused, call_times, probed_replicas, until};

#[tokio::test(start_paused = true)]
async fn one_task_probes_each_region_every_interval() {
    let (regions, builder) = probed_replicas(3).await;
    let store = builder.build().unwrap();
    let tasks = alive_tasks();
    let _probes = store.start_probes();
    sleep(secs(600)).await;
    assert_eq!(alive_tasks(), tasks + 1);
    for calls in calls(&regions) {
        assert!((110..=132).contains(&calls), "{calls} in 120 intervals");
    }
    assert_eq!(
        regions[0].log()[..2],
        ["get_opts", "get_opts"],
        "real reads"
    );
}

#[tokio::test(start_paused = true)]
async fn probes_run_only_when_started() {
    let (regions, builder) = probed_replicas(2).await;
    let _store = builder.build().unwrap();
    sleep(secs(60)).await;
    assert_eq!(calls(&regions), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_guard_stops_probes_at_once() {
    for mode in [
        Mode::Serve,
        Mode::Hang,
        Mode::StallAfter(0),
        Mode::Slow(secs(1)),
    ] {
        let (regions, builder) = probed_replicas(2).await;
        regions[1].set(mode);
        let store = builder.build().unwrap();
        let tasks = alive_tasks();
        let probes = store.start_probes();
        sleep(ms(5_500)).await;
        let before = calls(&regions);
        drop(probes);
        sleep(ms(1)).await;
        assert_eq!(alive_tasks(), tasks, "{mode:?}");
        assert_eq!(store.health().regions[1].in_flight, 0, "{mode:?}");
        sleep(secs(600)).await;
        assert_eq!(calls(&regions), before, "{mode:?}");
        assert!(before.iter().all(|calls| *calls > 0));
    }
}

#[tokio::test(start_paused = true)]
async fn clones_share_one_task_until_the_last_guard() {
    let (regions, builder) = probed_replicas(1).await;
    let store = builder.build().unwrap();
    let tasks = alive_tasks();
    let (one, other) = (store.start_probes(), store.clone().start_probes());
    drop(one);
    sleep(secs(60)).await;
    assert_eq!(alive_tasks(), tasks + 1);
    assert!((10..=14).contains(&regions[0].calls()));
    drop(other);
    sleep(secs(1)).await;
    assert_eq!(alive_tasks(), tasks);
    let _restarted = store.start_probes();
    sleep(secs(1)).await;
    assert_eq!(alive_tasks(), tasks + 1);
}

#[tokio::test(start_paused = true)]
async fn jitter_keeps_processes_out_of_step() {
    let mut runs = Vec::new();
    for seed in [1, 2] {
        let (regions, builder) = probed_replicas(2).await;
        let store = builder.seed(seed).build().unwrap();
        let _probes = store.start_probes();
        let times = call_times(&regions[0], secs(60)).await;
        for pause in times.windows(2).map(|pair| pair[1] - pair[0]) {
            assert!((4_498..=5_502).contains(&pause), "{pause} ms");
        }
        runs.push(times);
    }
    assert!(runs[0][0] <= 5_001 && runs[1][0] <= 5_001, "{runs:?}");
    let mut pairs = runs[0].iter().zip(&runs[1]);
    assert!(
        pairs.any(|(one, other)| one.abs_diff(*other) > 250),
        "{runs:?}"
    );
    assert_ne!(runs[0], runs[1]);
}

#[test]
fn missing_settings_start_nothing_and_are_logged() {
    let log = logged(|| {
        block_on_paused(async {
            let (regions, builder) = replicas(2);
            let store = builder.build().unwrap();
            let tasks = alive_tasks();
            let _probes = store.start_probes();
            sleep(secs(60)).await;
            assert_eq!((calls(&regions), alive_tasks()), (vec![0, 0], tasks));
        });
    });
    assert_eq!(log.matches("[probe]").count(), 1, "{log}");
}

#[tokio::test(start_paused = true)]
async fn hanging_region_delays_no_other() {
    let (regions, builder) = probed_replicas(3).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].set(Mode::Hang);
    // The next probe follows as soon as the last one has timed out.
    assert!(until(&store, 1, Open).await <= secs(33));
    let before = calls(&regions);
    sleep(secs(300)).await;
    for region in [0, 2] {
        let probes = regions[region].calls() - before[region];
        assert!((54..=67).contains(&probes), "{probes} in 60 intervals");
    }
}

#[tokio::test(start_paused = true)]
async fn one_probe_per_region_at_a_time() {
    let (regions, builder) = probed_replicas(1).await;
    let probe = failover_testkit::settings(json!({"path": CANARY, "interval": "1s"}));
    let store = builder.probe(probe).build().unwrap();
    let _probes = store.start_probes();
    regions[0].set(Mode::Slow(secs(4)));
    for _ in 0..100 {
        sleep(ms(300)).await;
        assert!(store.health().regions[0].in_flight <= 1);
    }
    assert!(
        (6..=8).contains(&regions[0].calls()),
        "{}",
        regions[0].calls()
    );
}

#[tokio::test(start_paused = true)]
async fn regions_excluded_by_an_operator_are_not_probed() {
    let (regions, builder) = probed_replicas(3).await;
    let store = builder.build().unwrap();
    store.drain("us-east-1").unwrap();
    store.force_open("eu-west-1", None).unwrap();
    let _probes = store.start_probes();
    sleep(secs(60)).await;
    assert_eq!(calls(&regions)[..2], [0, 0]);
    assert!(regions[2].calls() > 10);
    store.undrain("us-east-1").unwrap();
    sleep(secs(6)).await;
    assert!(regions[0].calls() > 0);
}

#[tokio::test(start_paused = true)]
async fn probes_do_not_advance_the_rotation() {
    let (regions, builder) = probed_replicas(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    let mut last = None;
    for _ in 0..100 {
        let result = store.get(&key()).await.unwrap();
        let served_by = result.extensions.get::<ServedBy>().unwrap();
        let region = served_by.region.to_string();
        assert_ne!(last.replace(region.clone()), Some(region));
        sleep(ms(777)).await;
    }
    assert!(calls(&regions).iter().sum::<u64>() > 120);
}

#[tokio::test(start_paused = true)]
async fn probes_are_neither_hedged_nor_throttled() {
    let (regions, builder) = probed_replicas(2).await;
    let throttle = failover_testkit::settings(json!({"reads_per_second": 1}));
    let probe = failover_testkit::settings(json!({"path": CANARY, "interval": "1s"}));
    let hedge = failover_testkit::settings(json!({"after": "10ms"}));
    let builder = builder.hedge(hedge).throttle(throttle).probe(probe);
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].set(Mode::Slow(ms(300)));
    sleep(secs(100)).await;
    for calls in calls(&regions) {
        assert!((90..=111).contains(&calls), "{calls}");
    }
    // Probes have not used up the limit of one read a second.
    let began = Instant::now();
    read(&store).await.unwrap();
    assert!(began.elapsed() <= ms(300));
}
