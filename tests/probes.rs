//! Probes: what they do to an idle service, and what they leave alone.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use object_store::{Error, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverConfig, FailoverStore, FailoverStoreBuilder, ProbeConfig};
use serde_json::json;
use support::*;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};
use tracing_subscriber::filter::LevelFilter;

use CircuitState::{Closed, HalfOpen, Open};

const CANARY: &str = "health/canary";

/// Replicas with a canary and a key, probed every five seconds.
async fn probed(count: usize) -> (Vec<Arc<Scripted>>, FailoverStoreBuilder) {
    let (regions, builder) = replicas(count);
    put_at(&regions[0], CANARY).await;
    put(&regions[0], "v").await;
    (regions, builder.breaker(settings(json!({"jitter": 0.0}))).probe(ProbeConfig::default()))
}

/// The moments, in milliseconds from now, at which a region is called within this time.
async fn moments(region: &Scripted, time: std::time::Duration) -> Vec<u128> {
    let (began, mut calls, mut found) = (Instant::now(), region.calls(), Vec::new());
    while began.elapsed() < time {
        sleep(ms(1)).await;
        if region.calls() > calls {
            calls = region.calls();
            found.push(began.elapsed().as_millis());
        }
    }
    found
}

/// Waits until a region's circuit is so, and says how long that took.
async fn until(store: &FailoverStore, region: usize, state: CircuitState) -> std::time::Duration {
    let began = Instant::now();
    while circuits(store)[region] != state {
        assert!(began.elapsed() < secs(600), "{state:?} never came");
        sleep(ms(1)).await;
    }
    began.elapsed()
}

// When they run.

#[tokio::test(start_paused = true)]
async fn each_region_is_asked_once_per_interval_by_one_task() {
    let (regions, builder) = probed(3).await;
    let store = builder.build().unwrap();
    let tasks = Handle::current().metrics().num_alive_tasks();
    let _probes = store.start_probes();
    sleep(secs(600)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks + 1);
    for calls in calls(&regions) {
        assert!((110..=132).contains(&calls), "{calls} in 120 intervals");
    }
    assert_eq!(regions[0].log()[..2], ["get_opts", "get_opts"], "real reads");
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_unless_somebody_asks_for_it() {
    let (regions, builder) = probed(2).await;
    let _store = builder.build().unwrap();
    sleep(secs(60)).await;
    assert_eq!(calls(&regions), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn dropping_the_guard_stops_them_at_once_whatever_is_under_way() {
    for mode in [Mode::Serve, Mode::Hang, Mode::StallAfter(0), Mode::Slow(secs(1))] {
        let (regions, builder) = probed(2).await;
        regions[1].set(mode);
        let store = builder.build().unwrap();
        let tasks = Handle::current().metrics().num_alive_tasks();
        let probes = store.start_probes();
        sleep(ms(5_500)).await;
        let asked = calls(&regions);
        drop(probes);
        sleep(ms(1)).await;
        assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks, "{mode:?}");
        assert_eq!(store.health().regions[1].in_flight, 0, "{mode:?}");
        sleep(secs(600)).await;
        assert_eq!(calls(&regions), asked, "{mode:?}");
        assert!(asked.iter().all(|calls| *calls > 0));
    }
}

#[tokio::test(start_paused = true)]
async fn they_are_started_once_and_stop_with_the_last_guard() {
    let (regions, builder) = probed(1).await;
    let store = builder.build().unwrap();
    let tasks = Handle::current().metrics().num_alive_tasks();
    let (one, other) = (store.start_probes(), store.clone().start_probes());
    drop(one);
    sleep(secs(60)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks + 1);
    assert!((10..=14).contains(&regions[0].calls()));
    drop(other);
    sleep(secs(1)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks);
    let _again = store.start_probes();
    sleep(secs(1)).await;
    assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks + 1);
}

#[tokio::test(start_paused = true)]
async fn two_processes_are_never_in_step() {
    let mut lives = Vec::new();
    for seed in [1, 2] {
        let (regions, builder) = probed(2).await;
        let store = builder.seed(seed).build().unwrap();
        let _probes = store.start_probes();
        lives.push(moments(&regions[0], secs(60)).await);
        for pause in lives[lives.len() - 1].windows(2).map(|pair| pair[1] - pair[0]) {
            assert!((4_498..=5_502).contains(&pause), "{pause} ms");
        }
    }
    assert!(lives[0][0] <= 5_001 && lives[1][0] <= 5_001, "{lives:?}");
    assert!(lives[0].iter().zip(&lives[1]).any(|(one, other)| one.abs_diff(*other) > 250), "{lives:?}");
    assert_ne!(lives[0], lives[1]);
}

#[test]
fn without_settings_nothing_starts_and_the_log_names_the_key() {
    let said = logged(|| {
        on_paused_clock(async {
            let (regions, builder) = replicas(2);
            let store = builder.build().unwrap();
            let tasks = Handle::current().metrics().num_alive_tasks();
            let _probes = store.start_probes();
            sleep(secs(60)).await;
            assert_eq!((calls(&regions), Handle::current().metrics().num_alive_tasks()), (vec![0, 0], tasks));
        });
    });
    assert_eq!(said.matches("probe.path").count(), 1, "{said}");
}

// What comes of them.

#[tokio::test(start_paused = true)]
async fn a_dead_region_of_an_idle_service_is_found_and_taken_back_by_probes_alone() {
    let (regions, builder) = probed(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].fail();
    assert!(until(&store, 1, Open).await <= secs(28), "five failures");
    assert_eq!(store.health().regions[1].failures, 5);
    regions[1].serve();
    let out = until(&store, 1, Closed).await;
    assert!((secs(30)..secs(30) + ms(10)).contains(&out), "both trials as soon as they are due: {out:?}");
}

#[tokio::test(start_paused = true)]
async fn no_read_of_a_user_is_a_trial_while_probes_run() {
    let (regions, builder) = probed(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].fail();
    until(&store, 1, Open).await;
    let (began, mut rode) = (Instant::now(), 0);
    while circuits(&store)[1] != Closed {
        if began.elapsed() > secs(50) {
            regions[1].set(Mode::Slow(ms(50)));
        }
        let before = regions[1].calls();
        read(&store).await.unwrap();
        rode += regions[1].calls() - before;
        sleep(ms(1)).await;
    }
    assert_eq!(rode, 0, "one trial that failed, two that succeeded, all of them probes");
    assert!((secs(90)..secs(90) + ms(110)).contains(&began.elapsed()), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn after_the_probes_have_stopped_users_reads_are_trials_again() {
    let (regions, builder) = probed(2).await;
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
async fn an_open_region_is_not_asked_before_its_time() {
    let (regions, builder) = probed(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions.iter().for_each(|region| region.fail());
    until(&store, 1, Open).await;
    let found = moments(&regions[1], secs(100)).await;
    assert_eq!(found.len(), 2, "after 30 s and 60 s more, though no region is in use: {found:?}");
    assert!((30_000..=30_002).contains(&found[0]) && (60_000..=60_002).contains(&(found[1] - found[0])), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_refused_leaves_the_trials_to_users_reads() {
    let (regions, builder) = probed(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].fail();
    until(&store, 1, Open).await;
    regions[1].set(Mode::Fail(Fault::Status(403, "AccessDenied")));
    until(&store, 1, HalfOpen).await;
    sleep(ms(1_500)).await;
    let asked = regions[1].calls();
    regions[1].serve();
    read(&store).await.unwrap();
    assert_eq!(regions[1].calls(), asked + 1, "the next read is a trial");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_breaks_counts_and_no_other_region_finishes_it() {
    let (regions, builder) = probed(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].set(Mode::BreakAfter(0));
    until(&store, 1, Open).await;
    let health = store.health();
    assert_eq!((health.regions[1].failures, health.regions[0].failures), (5, 0));
    assert!(regions[0].calls() <= 7, "only its own: {}", regions[0].calls());
}

#[tokio::test(start_paused = true)]
async fn a_region_that_hangs_delays_no_other() {
    let (regions, builder) = probed(3).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].set(Mode::Hang);
    assert!(until(&store, 1, Open).await <= secs(33), "asked again as soon as its limit is over");
    let before = calls(&regions);
    sleep(secs(300)).await;
    for region in [0, 2] {
        let asked = regions[region].calls() - before[region];
        assert!((54..=67).contains(&asked), "{asked} in 60 intervals");
    }
}

#[tokio::test(start_paused = true)]
async fn one_region_is_not_asked_twice_at_a_time() {
    let (regions, builder) = probed(1).await;
    let probe = settings(json!({"path": CANARY, "interval": "1s"}));
    let store = builder.probe(probe).build().unwrap();
    let _probes = store.start_probes();
    regions[0].set(Mode::Slow(secs(4)));
    for _ in 0..100 {
        sleep(ms(300)).await;
        assert!(store.health().regions[0].in_flight <= 1);
    }
    assert!((6..=8).contains(&regions[0].calls()), "{}", regions[0].calls());
}

// What they leave alone.

#[tokio::test(start_paused = true)]
async fn a_region_that_an_operator_has_taken_out_is_not_asked() {
    let (regions, builder) = probed(3).await;
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
async fn the_rotation_goes_on_as_if_there_were_none() {
    let (regions, builder) = probed(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    let mut last = None;
    for _ in 0..100 {
        let result = store.get(&key()).await.unwrap();
        let served = result.extensions.get::<object_store_failover::ServedBy>().unwrap().region.to_string();
        assert_ne!(last.replace(served.clone()), Some(served));
        sleep(ms(777)).await;
    }
    assert!(calls(&regions).iter().sum::<u64>() > 120);
}

#[tokio::test(start_paused = true)]
async fn they_are_not_hedged_and_take_no_ones_place_in_a_pace() {
    let (regions, builder) = probed(2).await;
    let throttle = settings(json!({"reads_per_second": 1}));
    let probe = settings(json!({"path": CANARY, "interval": "1s"}));
    let store = builder.hedge(settings(json!({"after": "10ms"}))).throttle(throttle).probe(probe).build().unwrap();
    let _probes = store.start_probes();
    regions[1].set(Mode::Slow(ms(300)));
    sleep(secs(100)).await;
    for calls in calls(&regions) {
        assert!((90..=111).contains(&calls), "{calls}");
    }
    let began = Instant::now();
    read(&store).await.unwrap();
    assert!(began.elapsed() <= ms(300), "the user's read found room");
}

#[tokio::test(start_paused = true)]
async fn nothing_but_the_head_is_read_of_an_object_that_is_no_canary() {
    let (regions, builder) = probed(1).await;
    regions[0].bucket().put(&CANARY.into(), vec![b'1'; 1 << 20].into()).await.unwrap();
    regions[0].set(Mode::StallAfter(0));
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    sleep(secs(60)).await;
    let health = store.health();
    assert_eq!((health.regions[0].failures, health.regions[0].in_flight), (0, 0));
    assert!(health.regions[0].successes >= 10);
}

// A canary that is missing.

fn on_paused_clock(life: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(life);
}

#[test]
fn a_missing_canary_is_an_answer_and_is_told_once() {
    let said = logged(|| {
        on_paused_clock(async {
            let (regions, builder) = strangers(2);
            put_at(&regions[0], CANARY).await;
            let store = builder.probe(ProbeConfig::default()).build().unwrap();
            let _probes = store.start_probes();
            sleep(secs(60)).await;
            let health = store.health();
            assert_eq!((health.regions[1].failures, circuits(&store)), (0, vec![Closed, Closed]));
            assert!(health.regions[1].successes >= 10);
            assert!(regions[0].calls() <= 14, "nobody searches for it");
        });
    });
    assert_eq!(said.matches("missing").count(), 1, "{said}");
    assert!(said.contains("eu-west-1") && said.contains("store=default"), "{said}");
}

#[test]
fn the_canarys_key_and_the_text_of_errors_were_in_the_log() {
    let log = Log::at(LevelFilter::DEBUG);
    on_paused_clock(async {
        let (regions, builder) = strangers(3);
        put_at(&regions[0], CANARY).await;
        regions[2].set(Mode::Fail(Fault::Status(503, "ServiceUnavailable")));
        let store = builder.name("assets").probe(ProbeConfig::default()).build().unwrap();
        let _probes = store.start_probes();
        sleep(secs(20)).await;
        regions[2].set(Mode::Hang);
        sleep(secs(20)).await;
    });
    let lines = log.take();
    let told = |what: &str| lines.iter().find(|line| line.contains(what)).unwrap_or_else(|| panic!("{what}: {lines:?}"));
    assert!(told("bears no time").contains("store=assets") && told("canary is missing").contains("store=assets"));
    let failed = told("a probe failed");
    assert!(failed.contains("class=unavailable status=503 code=\"ServiceUnavailable\"") && failed.contains("store=assets"), "{failed}");
    assert!(lines.iter().all(|line| !line.contains(CANARY) && !line.contains("http://")), "{lines:?}");
}

#[test]
fn a_canary_that_goes_missing_again_is_told_again() {
    let said = logged(|| {
        on_paused_clock(async {
            let (regions, builder) = probed(1).await;
            let store = builder.build().unwrap();
            let _probes = store.start_probes();
            for _ in 0..2 {
                regions[0].bucket().delete(&CANARY.into()).await.unwrap();
                sleep(secs(30)).await;
                put_at(&regions[0], CANARY).await;
                sleep(secs(30)).await;
            }
        });
    });
    assert_eq!(said.matches("missing").count(), 2, "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_region_without_a_canary_comes_back_all_the_same() {
    let (regions, builder) = strangers(2);
    put_at(&regions[0], CANARY).await;
    let store = builder.probe(ProbeConfig::default()).build().unwrap();
    let _probes = store.start_probes();
    regions[1].fail();
    until(&store, 1, Open).await;
    regions[1].serve();
    assert!(until(&store, 1, Closed).await <= secs(34));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_is_no_bucket_does_not_pass_for_one_without_a_canary() {
    let (regions, builder) = probed(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].set(Mode::Fail(Fault::Status(404, "NoSuchBucket")));
    sleep(secs(60)).await;
    assert_eq!(store.health().regions[1].successes, 0);
}

/// An alert that nothing could end but a restart.
#[tokio::test(start_paused = true)]
async fn a_lag_that_was_no_longer_known_stood_on_the_gauge_for_ever() {
    let recorded = Recorded::default();
    let kept: &'static Recorded = Box::leak(Box::new(recorded.clone()));
    let _guard = metrics::set_default_local_recorder(kept);
    let (regions, builder) = strangers(2);
    let stamp = async |region: usize, stamp: &'static str| {
        regions[region].bucket().put(&CANARY.into(), stamp.into()).await.unwrap();
        sleep(secs(12)).await;
    };
    let store = builder.probe(ProbeConfig::default()).build().unwrap();
    let lag = || recorded.gauge("replication_lag_seconds", &[("bucket_region", NAMES[1])]);
    let probes = store.start_probes();
    stamp(0, "2").await;
    assert_eq!(lag(), None, "no reading is no series");
    stamp(1, "1").await;
    assert!(lag().unwrap() > 1.0);
    stamp(1, "no time").await;
    assert!(lag().unwrap().is_nan(), "it bears no time");
    stamp(1, "1").await;
    assert!(lag().unwrap() > 1.0);
    regions[1].bucket().delete(&CANARY.into()).await.unwrap();
    sleep(secs(12)).await;
    assert!(lag().unwrap().is_nan(), "it is missing");
    stamp(1, "1").await;
    assert!(lag().unwrap() > 1.0);
    drop(probes);
    sleep(ms(1)).await;
    assert!(lag().unwrap().is_nan(), "nobody looks any longer");
    assert_eq!(store.health().regions[1].replication_lag, None);
}

// Who writes it.

#[tokio::test(start_paused = true)]
async fn the_canary_goes_where_writes_go() {
    let put = |builder: FailoverStoreBuilder, writes| async move {
        let store = builder.probe(ProbeConfig::default()).writes(settings(writes)).build().unwrap();
        store.write_canary().await
    };
    let (regions, builder) = strangers(3);
    let refused = put(builder.clone(), json!({"policy": "none"})).await.unwrap_err();
    assert!(matches!(refused, Error::NotSupported { .. }) && refused.to_string().contains("writes"), "{refused}");
    assert_eq!(calls(&regions), [0, 0, 0]);

    put(builder.clone(), json!({"policy": "home", "home": "eu-west-1"})).await.unwrap();
    assert_eq!(calls(&regions), [0, 1, 0]);
    let body = regions[1].bucket().get(&CANARY.into()).await.unwrap().bytes().await.unwrap();
    let line = std::str::from_utf8(&body).unwrap();
    assert!(line.ends_with('\n') && line.trim_end().parse::<u64>().is_ok_and(|millis| millis > 1_700_000_000_000), "{line:?}");

    put(builder, json!({"policy": "any"})).await.unwrap();
    assert_eq!(calls(&regions).iter().sum::<u64>(), 2, "one region, as any put");
}

#[tokio::test(start_paused = true)]
async fn without_settings_there_is_no_canary_to_write_and_the_error_names_the_key() {
    let (regions, builder) = replicas(1);
    let store = builder.writes(settings(json!({"policy": "any"}))).build().unwrap();
    let error = store.write_canary().await.unwrap_err().to_string();
    assert!(error.contains("probe.path"), "{error}");
    assert_eq!(regions[0].calls(), 0);
}

// Settings.

#[tokio::test(start_paused = true)]
async fn a_document_names_the_canary_in_its_table() {
    let region = json!({"name": "one", "url": "memory:///"});
    for (probe, wanted) in [(json!({}), None), (json!({"probe": {"path": "a/bird", "interval": "1m"}}), Some("writes.policy"))] {
        let mut document = json!({"regions": [region]});
        document.as_object_mut().unwrap().extend(probe.as_object().unwrap().clone());
        let store = settings::<FailoverConfig>(document).build().unwrap();
        let error = store.write_canary().await.unwrap_err().to_string();
        assert!(error.contains(wanted.unwrap_or("probe.path")), "{error}");
    }
    let document = json!({"regions": [region], "probe": {"path": "a/"}});
    assert!(settings::<FailoverConfig>(document).build().unwrap_err().to_string().starts_with("probe.path"));
}

#[tokio::test(start_paused = true)]
async fn path_and_interval_are_what_they_say() {
    let (regions, builder) = strangers(1);
    put_at(&regions[0], "elsewhere/bird").await;
    let probe = settings(json!({"path": "/elsewhere/bird", "interval": "20s"}));
    let writes = settings(json!({"policy": "any"}));
    let store = builder.probe(probe).writes(writes).build().unwrap();
    store.write_canary().await.unwrap();
    assert_ne!(regions[0].bucket().get(&"elsewhere/bird".into()).await.unwrap().bytes().await.unwrap(), "v");
    let _probes = store.start_probes();
    let found = moments(&regions[0], secs(100)).await;
    assert!(found.windows(2).all(|pair| (17_998..=22_002).contains(&(pair[1] - pair[0]))), "{found:?}");
    assert_eq!(settings::<ProbeConfig>(json!({})), ProbeConfig::default());
}

#[test]
fn nonsense_is_refused_with_the_key() {
    for (probe, wanted) in [
        (json!({"path": ""}), "probe.path: must not be empty"),
        (json!({"path": "/"}), "probe.path: \"/\" is a folder"),
        (json!({"path": "health/"}), "probe.path: \"health/\" is a folder"),
        (json!({"path": "a//b"}), "probe.path: is no key"),
        (json!({"path": "../b"}), "probe.path: is no key"),
        (json!({"interval": "0s"}), "probe.interval: must be longer than zero"),
        (json!({"interval": "99ms"}), "probe.interval: must be at least 100ms"),
        (json!({"interval": "366days"}), "probe.interval: must not be longer than a year"),
    ] {
        let error = replicas(1).1.probe(settings(probe)).build().unwrap_err().to_string();
        assert!(error.starts_with(wanted), "{error}");
    }
    assert!(serde_json::from_value::<ProbeConfig>(json!({"key": "a"})).is_err());
}
