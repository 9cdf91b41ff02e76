//! The object that probes read: missing, without a timestamp, too large; and the lag that it shows.

use failover_testkit::{
    Fault, Log, Mode, NAMES, calls, circuits, independent_regions, logged, ms, put_at, replicas,
    secs, settings,
};
use object_store::{Error, ObjectStoreExt};
use object_store_failover::CircuitState::{Closed, Open};
use object_store_failover::FailoverStoreBuilder;
use object_store_failover::config::ProbeConfig;
use serde_json::json;
use tokio::time::sleep;
use tracing_subscriber::filter::LevelFilter;

use super::{CANARY, block_on_paused, probed_replicas, until};
use crate::record_metrics;

#[tokio::test(start_paused = true)]
async fn body_of_an_oversized_canary_is_not_read() {
    let (regions, builder) = probed_replicas(1).await;
    let large = vec![b'1'; 1 << 20];
    regions[0]
        .bucket()
        .put(&CANARY.into(), large.into())
        .await
        .unwrap();
    // A read of the body would time out.
    regions[0].set(Mode::StallAfter(0));
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    sleep(secs(60)).await;
    let region = &store.health().regions[0];
    assert_eq!((region.failures, region.in_flight), (0, 0));
    assert!(region.successes >= 10);
}

#[test]
fn missing_canary_is_healthy_and_logged_once() {
    let log = logged(|| {
        block_on_paused(async {
            let (regions, builder) = independent_regions(2);
            put_at(&regions[0], CANARY).await;
            let store = builder.probe(ProbeConfig::default()).build().unwrap();
            let _probes = store.start_probes();
            sleep(secs(60)).await;
            let region = &store.health().regions[1];
            assert_eq!(
                (region.failures, circuits(&store)),
                (0, vec![Closed, Closed])
            );
            assert!(region.successes >= 10);
            // No search for it in the other region.
            assert!(regions[0].calls() <= 14);
        });
    });
    assert_eq!(log.matches("missing").count(), 1, "{log}");
    assert!(
        log.contains("eu-west-1") && log.contains("store=default"),
        "{log}"
    );
}

#[test]
fn log_holds_no_canary_key_or_url() {
    let log = Log::at(LevelFilter::DEBUG);
    block_on_paused(async {
        let (regions, builder) = independent_regions(3);
        put_at(&regions[0], CANARY).await;
        regions[2].set(Mode::Fail(Fault::Status(503, "ServiceUnavailable")));
        let store = builder.name("assets").probe(ProbeConfig::default());
        let store = store.build().unwrap();
        let _probes = store.start_probes();
        sleep(secs(20)).await;
        regions[2].set(Mode::Hang);
        sleep(secs(20)).await;
    });
    let lines = log.take();
    let find = |message: &str| {
        let line = lines.iter().find(|line| line.contains(message));
        line.unwrap_or_else(|| panic!("{message}: {lines:?}"))
    };
    assert!(find("canary without timestamp").contains("store=assets"));
    assert!(find("canary missing").contains("store=assets"));
    let failed = find("probe failed");
    assert!(failed.contains("store=assets"), "{failed}");
    let fields = "class=unavailable status=503 code=\"ServiceUnavailable\"";
    assert!(failed.contains(fields), "{failed}");
    for line in &lines {
        assert!(
            !line.contains(CANARY) && !line.contains("http://"),
            "{line}"
        );
    }
}

#[test]
fn canary_missing_again_is_logged_again() {
    let log = logged(|| {
        block_on_paused(async {
            let (regions, builder) = probed_replicas(1).await;
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
    assert_eq!(log.matches("missing").count(), 2, "{log}");
}

#[tokio::test(start_paused = true)]
async fn region_without_canary_recovers() {
    let (regions, builder) = independent_regions(2);
    put_at(&regions[0], CANARY).await;
    let store = builder.probe(ProbeConfig::default()).build().unwrap();
    let _probes = store.start_probes();
    regions[1].fail();
    until(&store, 1, Open).await;
    regions[1].serve();
    assert!(until(&store, 1, Closed).await <= secs(34));
}

#[tokio::test(start_paused = true)]
async fn missing_bucket_is_not_a_missing_canary() {
    let (regions, builder) = probed_replicas(2).await;
    let store = builder.build().unwrap();
    let _probes = store.start_probes();
    regions[1].set(Mode::Fail(Fault::Status(404, "NoSuchBucket")));
    sleep(secs(60)).await;
    assert_eq!(store.health().regions[1].successes, 0);
}

/// A stale value would keep an alert firing until a restart.
#[tokio::test(start_paused = true)]
async fn unknown_lag_clears_the_gauge() {
    let (recorded, _guard) = record_metrics();
    let (regions, builder) = independent_regions(2);
    let write = async |region: usize, timestamp: &'static str| {
        let bucket = regions[region].bucket();
        bucket.put(&CANARY.into(), timestamp.into()).await.unwrap();
        sleep(secs(12)).await;
    };
    let store = builder.probe(ProbeConfig::default()).build().unwrap();
    let labels = [("bucket_region", NAMES[1])];
    let lag = || recorded.gauge("replication_lag_seconds", &labels);
    let probes = store.start_probes();
    write(0, "2").await;
    assert_eq!(lag(), None, "no series before the first value");
    write(1, "1").await;
    assert!(lag().unwrap() > 1.0);
    write(1, "no time").await;
    assert!(lag().unwrap().is_nan(), "no timestamp");
    write(1, "1").await;
    assert!(lag().unwrap() > 1.0);
    regions[1].bucket().delete(&CANARY.into()).await.unwrap();
    sleep(secs(12)).await;
    assert!(lag().unwrap().is_nan(), "missing");
    write(1, "1").await;
    assert!(lag().unwrap() > 1.0);
    drop(probes);
    sleep(ms(1)).await;
    assert!(lag().unwrap().is_nan(), "probes stopped");
    assert_eq!(store.health().regions[1].replication_lag, None);
}

#[tokio::test(start_paused = true)]
async fn canary_is_written_by_the_write_policy() {
    let write = |builder: FailoverStoreBuilder, writes| async move {
        let builder = builder.probe(ProbeConfig::default());
        let store = builder.writes(settings(writes)).build().unwrap();
        store.write_canary().await
    };
    let (regions, builder) = independent_regions(3);
    let result = write(builder.clone(), json!({"policy": "none"})).await;
    let error = result.unwrap_err();
    assert!(matches!(error, Error::NotSupported { .. }), "{error:?}");
    assert!(error.to_string().contains("writes"), "{error}");
    assert_eq!(calls(&regions), [0, 0, 0]);

    let home = json!({"policy": "home", "home": "eu-west-1"});
    write(builder.clone(), home).await.unwrap();
    assert_eq!(calls(&regions), [0, 1, 0]);
    let stored = regions[1].bucket().get(&CANARY.into()).await.unwrap();
    let body = stored.bytes().await.unwrap();
    let text = std::str::from_utf8(&body).unwrap();
    let millis = text.strip_suffix('\n').unwrap().parse::<u64>();
    assert!(
        millis.is_ok_and(|millis| millis > 1_700_000_000_000),
        "{text:?}"
    );

    // One region, like any other put.
    write(builder, json!({"policy": "any"})).await.unwrap();
    assert_eq!(calls(&regions).iter().sum::<u64>(), 2);
}

#[tokio::test(start_paused = true)]
async fn write_canary_without_settings_names_the_key() {
    let (regions, builder) = replicas(1);
    let writes = settings(json!({"policy": "any"}));
    let store = builder.writes(writes).build().unwrap();
    let error = store.write_canary().await.unwrap_err().to_string();
    assert!(error.contains("probe.path"), "{error}");
    assert_eq!(regions[0].calls(), 0);
}
