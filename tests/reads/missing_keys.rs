//! Missing keys under every `not_found` policy, with regions that lag, fail and reject.

use std::sync::Arc;

use failover_testkit::*;
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt};
use object_store_failover::{CircuitState, ConfigError, FailoverError, NotFoundPolicy};
use object_store_failover::{FailoverStore, FailoverStoreBuilder};
use serde_json::json;
use tokio::time::Instant;

/// The result of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadResult {
    Served,
    NotFound,
    Undecided,
    Failed,
}

use ReadResult::{Failed, NotFound, Served, Undecided};

async fn result(store: &FailoverStore) -> ReadResult {
    match read(store).await {
        Ok(_) => Served,
        Err(Error::NotFound { .. }) => NotFound,
        Err(error) => match FailoverError::find(&error) {
            Some(FailoverError::Undecided { .. }) => Undecided,
            _ => Failed,
        },
    }
}

/// The results of three reads, one starting in each region, in the order of [`ReadResult`].
async fn results(
    policy: serde_json::Value,
    prepare: impl AsyncFn(&[Arc<Scripted>]),
    more: impl Fn(FailoverStoreBuilder) -> FailoverStoreBuilder,
) -> Vec<ReadResult> {
    let (regions, builder) = independent_regions(3);
    prepare(&regions).await;
    let store = more(builder.not_found(settings(policy))).build().unwrap();
    let mut results = Vec::new();
    for _ in 0..3 {
        results.push(result(&store).await);
    }
    results.sort_unstable_by_key(|result| *result as u8);
    assert_eq!(
        circuits(&store),
        [CircuitState::Closed; 3],
        "a 404 is no failure of the region"
    );
    results
}

fn with_home(builder: FailoverStoreBuilder) -> FailoverStoreBuilder {
    builder.writes(settings(json!({"policy": "none", "home": "us-east-1"})))
}

fn without_home(builder: FailoverStoreBuilder) -> FailoverStoreBuilder {
    builder
}

async fn absent(_: &[Arc<Scripted>]) {}

async fn only_in_last(regions: &[Arc<Scripted>]) {
    put(&regions[2], "v").await;
}

async fn only_at_home(regions: &[Arc<Scripted>]) {
    put(&regions[0], "v").await;
}

async fn absent_and_one_down(regions: &[Arc<Scripted>]) {
    regions[1].fail();
}

async fn absent_and_one_rejects(regions: &[Arc<Scripted>]) {
    regions[1].set(Mode::Fail(Fault::Status(403, "AccessDenied")));
}

async fn absent_and_one_throttles(regions: &[Arc<Scripted>]) {
    regions[1].set(Mode::Fail(Fault::Status(503, "SlowDown")));
}

async fn absent_and_home_down(regions: &[Arc<Scripted>]) {
    regions[0].fail();
}

async fn in_last_and_home_down(regions: &[Arc<Scripted>]) {
    regions[0].fail();
    put(&regions[2], "v").await;
}

#[tokio::test(start_paused = true)]
async fn unanimous_needs_a_404_from_every_region() {
    let unanimous = || json!("unanimous");
    assert_eq!(
        results(unanimous(), absent, without_home).await,
        [NotFound; 3]
    );
    assert_eq!(
        results(unanimous(), only_in_last, without_home).await,
        [Served; 3]
    );
    for case in [0, 1, 2] {
        let results = match case {
            0 => results(unanimous(), absent_and_one_down, without_home).await,
            1 => results(unanimous(), absent_and_one_rejects, without_home).await,
            _ => results(unanimous(), absent_and_one_throttles, without_home).await,
        };
        assert_eq!(results, [Undecided; 3]);
    }
}

#[tokio::test(start_paused = true)]
async fn not_found_at_home_is_final() {
    let unanimous = || json!("unanimous");
    assert_eq!(
        results(unanimous(), absent_and_one_down, with_home).await,
        [NotFound; 3]
    );
    assert_eq!(
        results(unanimous(), only_at_home, with_home).await,
        [Served; 3]
    );
    assert_eq!(
        results(unanimous(), absent_and_home_down, with_home).await,
        [Undecided; 3]
    );
    assert_eq!(
        results(unanimous(), in_last_and_home_down, with_home).await,
        [Served; 3]
    );
}

#[tokio::test(start_paused = true)]
async fn reachable_ignores_regions_without_a_response() {
    let reachable = || json!("reachable");
    assert_eq!(
        results(reachable(), absent, without_home).await,
        [NotFound; 3]
    );
    assert_eq!(
        results(reachable(), only_in_last, without_home).await,
        [Served; 3]
    );
    assert_eq!(
        results(reachable(), absent_and_one_down, without_home).await,
        [NotFound; 3]
    );
    assert_eq!(
        results(reachable(), absent_and_one_rejects, without_home).await,
        [NotFound; 3]
    );
}

#[tokio::test(start_paused = true)]
async fn first_returns_the_first_response() {
    let first = || json!("first");
    assert_eq!(
        results(first(), only_in_last, without_home).await,
        [Served, NotFound, NotFound]
    );
    assert_eq!(
        results(first(), absent_and_one_down, without_home).await,
        [NotFound; 3]
    );
}

#[tokio::test(start_paused = true)]
async fn home_policy_queries_home_before_the_others() {
    let home = || json!("home");
    assert_eq!(
        results(home(), absent_and_one_down, with_home).await,
        [NotFound; 3]
    );
    assert_eq!(results(home(), only_at_home, with_home).await, [Served; 3]);
    assert_eq!(
        results(home(), absent_and_home_down, with_home).await,
        [Undecided; 3]
    );
    assert_eq!(
        results(home(), in_last_and_home_down, with_home).await,
        [Served; 3]
    );
    let (regions, builder) = independent_regions(3);
    put(&regions[2], "remains of a deleted object").await;
    let store = with_home(builder.not_found(NotFoundPolicy::Home))
        .build()
        .unwrap();
    for _ in 0..3 {
        result(&store).await;
    }
    let calls = calls(&regions);
    assert_eq!(
        calls.iter().sum::<u64>(),
        4,
        "a replica's 404 costs one call to home: {calls:?}"
    );
    let error = independent_regions(2)
        .1
        .not_found(NotFoundPolicy::Home)
        .build()
        .unwrap_err();
    assert!(matches!(error, ConfigError::Invalid { .. }), "{error:?}");
    assert!(error.to_string().contains("writes.home"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn search_queries_other_regions_concurrently() {
    let (regions, builder) = independent_regions(3);
    regions
        .iter()
        .for_each(|region| region.set(Mode::Slow(ms(100))));
    let store = builder.build().unwrap();
    let start = Instant::now();
    assert_eq!(result(&store).await, NotFound);
    assert_eq!((start.elapsed(), calls(&regions)), (ms(200), vec![1, 1, 1]));
}

#[tokio::test(start_paused = true)]
async fn search_includes_drained_but_not_forced_open_regions() {
    let (regions, builder) = independent_regions(2);
    put(&regions[1], "v").await;
    let store = builder.build().unwrap();
    store.drain("eu-west-1").unwrap();
    assert_eq!(result(&store).await, Served);
    store.force_open("eu-west-1", None).unwrap();
    assert_eq!(result(&store).await, Undecided);
}

#[tokio::test(start_paused = true)]
async fn key_behind_an_open_circuit_is_found() {
    let (regions, builder) = independent_regions(2);
    put(&regions[1], "v").await;
    let store = builder.build().unwrap();
    regions[1].set(Mode::Fail(Fault::Reset));
    for _ in 0..20 {
        result(&store).await;
    }
    assert_eq!(store.health().regions[1].read.state, CircuitState::Open);
    regions[1].serve();
    tokio::time::advance(secs(1)).await;
    assert_eq!(result(&store).await, Served);
}

#[tokio::test(start_paused = true)]
async fn missing_keys_query_open_region_once_per_second() {
    let (regions, builder) = independent_regions(3);
    regions[1].fail();
    let store = builder
        .retry(settings(json!({"enabled": false})))
        .build()
        .unwrap();
    for _ in 0..10 {
        result(&store).await;
    }
    let before = regions[1].calls();
    for _ in 0..100 {
        assert_eq!(result(&store).await, Undecided);
        tokio::time::advance(ms(100)).await;
    }
    let sent = regions[1].calls() - before;
    assert!((9..=11).contains(&sent), "{sent} calls in ten seconds");
}

#[tokio::test(start_paused = true)]
async fn undecided_error_reports_every_region() {
    let (regions, builder) = independent_regions(2);
    regions[1].set(Mode::Fail(Fault::Status(403, "AccessDenied")));
    let store = builder.build().unwrap();
    let error = read(&store).await.unwrap_err().to_string();
    assert!(error.contains("us-east-1: not found"), "{error}");
    assert!(error.contains("eu-west-1: 403 AccessDenied"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn lagging_replica_does_not_decide_if_match() {
    let (regions, builder) = independent_regions(2);
    put(&regions[1], "old").await;
    let tag = {
        put(&regions[0], "older").await;
        put(&regions[0], "new").await;
        regions[0].bucket().head(&key()).await.unwrap().e_tag
    };
    let store = builder.build().unwrap();
    for _ in 0..2 {
        let options = GetOptions {
            if_match: tag.clone(),
            ..Default::default()
        };
        let result = store.get_opts(&key(), options).await.unwrap();
        assert_eq!(result.bytes().await.unwrap(), "new");
    }
    let options = GetOptions {
        if_match: Some("gone".into()),
        ..Default::default()
    };
    let error = store.get_opts(&key(), options).await.unwrap_err();
    assert!(matches!(error, Error::Precondition { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn missing_bucket_is_not_a_missing_key() {
    let (regions, builder) = independent_regions(2);
    put(&regions[0], "v").await;
    regions[1].set(Mode::Fail(Fault::Status(404, "NoSuchBucket")));
    let store = builder.build().unwrap();
    for _ in 0..12 {
        assert_eq!(result(&store).await, Served);
    }
    assert_eq!(
        store.health().regions[1].read.state,
        CircuitState::Open,
        "opens once another region has served"
    );
    let error = store.get(&"nothing".into()).await.unwrap_err();
    assert!(
        matches!(failover_error(&error), FailoverError::Undecided { .. }),
        "{error}"
    );
}

/// Regression: every missing key waited for a hanging region, which cost nearly all throughput.
#[tokio::test(start_paused = true)]
async fn missing_keys_do_not_wait_for_hanging_region() {
    let (regions, builder) = independent_regions(3);
    regions[1].set(Mode::Hang);
    let store = builder.build().unwrap();
    for _ in 0..15 {
        result(&store).await;
    }
    assert_eq!(store.health().regions[1].read.state, CircuitState::Open);
    let (before, start) = (regions[1].calls(), Instant::now());
    let readers: Vec<_> = (0..16)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut reads = 0;
                while start.elapsed() < secs(20) {
                    assert_eq!(result(&store).await, Undecided);
                    tokio::time::sleep(ms(10)).await;
                    reads += 1;
                }
                reads
            })
        })
        .collect();
    let mut reads = 0;
    for reader in readers {
        reads += reader.await.unwrap();
    }
    let sent = regions[1].calls() - before;
    assert!(sent <= 10, "one attempt at a time, not {sent}");
    assert!(reads > 16 * 20 * 60, "{reads} of at most 32,000 reads");
}

/// Regression: home's 404 was final, but the caller got a replica's earlier response.
#[tokio::test(start_paused = true)]
async fn caller_gets_the_deciding_response() {
    let (regions, builder) = independent_regions(2);
    put(&regions[1], "other").await;
    let store = with_home(builder).build().unwrap();
    for _ in 0..2 {
        let options = GetOptions {
            if_match: Some("gone".into()),
            ..Default::default()
        };
        let error = store.get_opts(&key(), options).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
}

/// Regression: the reachable regions had decided, and the call still waited for a further round.
#[tokio::test(start_paused = true)]
async fn reachable_decides_without_a_retry() {
    let (regions, builder) = independent_regions(2);
    regions[1].fail();
    let store = builder
        .not_found(NotFoundPolicy::Reachable)
        .build()
        .unwrap();
    let start = Instant::now();
    for _ in 0..4 {
        assert_eq!(result(&store).await, NotFound);
    }
    assert!(start.elapsed().is_zero());
}
