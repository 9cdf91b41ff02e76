//! Writes: where they go, what may be repeated, and what is told when nobody knows.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, Error, MultipartUpload, ObjectStore, ObjectStoreExt, PutMode, PutOptions, RenameOptions, RenameTargetMode,
};
use object_store_failover::{CallOptions, CircuitState, ConfigError, FailoverError, FailoverStore, FailoverStoreBuilder};
use serde_json::json;
use support::*;
use tokio::time::Instant;

const DOWN: Mode = Mode::Fail(Fault::Status(500, "InternalError"));

fn home(builder: FailoverStoreBuilder) -> FailoverStore {
    builder.writes(settings(json!({"policy": "home", "home": "eu-west-1"}))).build().unwrap()
}

fn any(builder: FailoverStoreBuilder) -> FailoverStore {
    builder.writes(settings(json!({"policy": "any"}))).build().unwrap()
}

fn any_with_home(builder: FailoverStoreBuilder) -> FailoverStore {
    builder.writes(settings(json!({"policy": "any", "home": "eu-west-1"}))).build().unwrap()
}

fn create() -> PutOptions {
    PutOptions { mode: PutMode::Create, ..Default::default() }
}

fn region_of(error: &Error) -> Option<&str> {
    match FailoverError::find(error) {
        Some(FailoverError::Indeterminate { region, .. }) => Some(region),
        _ => None,
    }
}

// Home.

#[tokio::test(start_paused = true)]
async fn under_home_every_write_goes_home_and_nowhere_else() {
    let (regions, builder) = strangers(3);
    let store = home(builder);
    store.put(&key(), "v".into()).await.unwrap();
    store.put_opts(&"b".into(), "v".into(), create()).await.unwrap();
    store.copy(&key(), &"c".into()).await.unwrap();
    store.copy_if_not_exists(&key(), &"d".into()).await.unwrap();
    store.rename(&"d".into(), &"e".into()).await.unwrap();
    let mut upload = store.put_multipart(&"f".into()).await.unwrap();
    upload.put_part("part".into()).await.unwrap();
    upload.complete().await.unwrap();
    store.delete(&"b".into()).await.unwrap();
    let log = regions[1].log();
    assert_eq!(
        log,
        ["put_opts", "put_opts", "copy_opts", "copy_opts", "rename_opts", "put_multipart_opts", "put_part", "complete", "delete_stream"]
    );
    assert_eq!((regions[0].calls(), regions[2].calls()), (0, 0));
    let kept: Vec<_> = regions[1].bucket().list(None).map_ok(|meta| meta.location.to_string()).try_collect().await.unwrap();
    assert_eq!(kept, ["c", "e", "f", "folder/key"]);
}

#[tokio::test(start_paused = true)]
async fn with_home_down_writes_fail_closed_and_reads_go_on() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = home(builder);
    regions[1].set(DOWN);
    for _ in 0..8 {
        let error = store.put(&key(), "w".into()).await.unwrap_err();
        assert!(error.to_string().contains("eu-west-1") && !error.to_string().contains("us-east-1"), "{error}");
        assert_eq!(read(&store).await.unwrap(), "v");
    }
    let regions_health = store.health().regions;
    assert_eq!(regions_health[1].write.state, CircuitState::Open);
    assert_eq!(regions_health[0].write.state, CircuitState::Closed);
    regions[1].serve();
    tokio::time::advance(secs(1)).await;
    store.put(&key(), "w".into()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn writes_and_reads_have_circuits_of_their_own() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = home(builder.retry(settings(json!({"enabled": false}))));
    for _ in 0..5 {
        regions[1].next([DOWN]);
        store.put(&key(), "w".into()).await.unwrap_err();
    }
    let health = &store.health().regions[1];
    assert_eq!((health.write.state, health.read.state), (CircuitState::Open, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn an_overwriting_put_is_repeated_at_home_and_one_that_must_not_overwrite_is_not() {
    let (regions, builder) = replicas(2);
    let store = home(builder);
    regions[1].next([Mode::Fail(Fault::Reset), Mode::Fail(Fault::Status(503, "SlowDown"))]);
    store.put(&key(), "v".into()).await.unwrap();
    regions[1].log();
    regions[1].next([Mode::Fail(Fault::Reset)]);
    let error = store.put_opts(&"lock".into(), "me".into(), create()).await.unwrap_err();
    assert_eq!((region_of(&error), regions[1].log()), (Some("eu-west-1"), vec!["put_opts"]), "{error}");
}

// What nobody knows.

#[tokio::test(start_paused = true)]
async fn a_conditional_write_whose_answer_was_not_heard_is_told_as_such_and_never_repeated() {
    let ambiguous = [
        Mode::DoneThen(Fault::Status(500, "InternalError")),
        Mode::DoneThen(Fault::Reset),
        Mode::Fail(Fault::Strange),
        Mode::Hang,
        Mode::Slow(secs(40)),
    ];
    for mode in ambiguous {
        let (regions, builder) = replicas(3);
        let store = any_with_home(builder);
        regions[1].bucket().put(&"source".into(), "v".into()).await.unwrap();
        regions[1].set(mode);
        let (from, to): (Path, Path) = ("source".into(), "target".into());
        let copy = CopyOptions { mode: CopyMode::Create, ..Default::default() };
        let rename = RenameOptions { target_mode: RenameTargetMode::Create, ..Default::default() };
        let mut errors = vec![store.put_opts(&"lock".into(), "me".into(), create()).await.unwrap_err()];
        if mode != Mode::Slow(secs(40)) {
            errors.push(store.copy_opts(&from, &to, copy).await.unwrap_err());
            let _ = regions[1].bucket().delete(&to).await;
            errors.push(store.rename_opts(&from, &to, rename).await.unwrap_err());
        }
        for error in &errors {
            assert_eq!(region_of(error), Some("eu-west-1"), "{mode:?}: {error}");
        }
        assert_eq!((regions[0].calls(), regions[1].calls(), regions[2].calls()), (0, errors.len() as u64, 0), "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_conditional_write_that_was_surely_not_done_is_tried_again_at_home() {
    let (regions, builder) = replicas(2);
    let store = home(builder);
    for fault in [Fault::Connect, Fault::Status(503, "SlowDown"), Fault::Status(429, ""), Fault::Status(409, "ConditionalRequestConflict")]
    {
        regions[1].next([Mode::Fail(fault)]);
        let path = Path::from(format!("{fault:?}"));
        store.put_opts(&path, "me".into(), create()).await.unwrap();
        let error = store.put_opts(&path, "you".into(), create()).await.unwrap_err();
        assert!(matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
    assert_eq!(store.health().regions[1].failures, 1, "only the refused connection is the region's fault");
}

#[tokio::test(start_paused = true)]
async fn a_conflict_on_the_way_to_overwriting_is_not_told_as_already_exists() {
    let (regions, builder) = replicas(2);
    let store = home(builder.retry(settings(json!({"enabled": false}))));
    regions[1].set(Mode::Fail(Fault::Status(409, "")));
    let error = store.put(&key(), "v".into()).await.unwrap_err();
    assert!(matches!(error, Error::Generic { .. }), "{error:?}");
}

// Any.

#[tokio::test(start_paused = true)]
async fn under_any_unconditional_writes_rotate_and_move_on_any_failure() {
    for fault in [Mode::Fail(Fault::Connect), Mode::Fail(Fault::Reset), DOWN, Mode::Hang, Mode::Fail(Fault::Status(503, "SlowDown"))] {
        let (regions, builder) = replicas(3);
        let store = any(builder);
        regions[0].set(fault);
        for n in 0..6 {
            store.put(&Path::from(format!("k{n}")), "v".into()).await.unwrap();
            store.copy(&Path::from(format!("k{n}")), &"copy".into()).await.unwrap();
            store.put_multipart(&"upload".into()).await.unwrap();
        }
        let calls = calls(&regions);
        assert!(calls.iter().all(|calls| *calls >= 4), "{fault:?}: {calls:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_conditional_write_without_a_home_is_refused_by_name() {
    let (regions, builder) = replicas(2);
    let store = any(builder);
    let errors = [
        store.put_opts(&key(), "v".into(), create()).await.unwrap_err(),
        store.copy_if_not_exists(&key(), &"b".into()).await.unwrap_err(),
        store.rename_if_not_exists(&key(), &"b".into()).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, Error::NotSupported { .. }), "{error:?}");
        assert!(matches!(story(&error), FailoverError::HomeRequired { .. }) && error.to_string().contains("writes.home"), "{error}");
    }
    assert_eq!(calls(&regions), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_finds_its_source_wherever_it_is() {
    let (regions, builder) = strangers(3);
    put(&regions[2], "v").await;
    let store = any(builder);
    for n in 0..3 {
        store.copy(&key(), &Path::from(format!("copy{n}"))).await.unwrap();
    }
    assert_eq!(regions[2].bucket().list(None).count().await, 4);
    let error = store.copy(&"nowhere".into(), &"x".into()).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_rename_moves_only_where_nothing_was_sent() {
    let (regions, builder) = replicas(2);
    put(&regions[0], "v").await;
    let store = any(builder);
    regions[0].set(Mode::Fail(Fault::Connect));
    store.rename(&key(), &"b".into()).await.unwrap();
    store.rename(&"b".into(), &"c".into()).await.unwrap();
    regions.iter().for_each(|region| region.set(Mode::DoneThen(Fault::Reset)));
    let error = store.rename(&"c".into(), &"d".into()).await.unwrap_err();
    assert!(region_of(&error).is_some(), "{error}");
}

// Uploads.

#[tokio::test(start_paused = true)]
async fn an_upload_lives_and_dies_in_the_region_that_began_it() {
    let (regions, builder) = strangers(3);
    let store = any(builder);
    regions[0].set(DOWN);
    for _ in 0..2 {
        let mut upload = store.put_multipart(&key()).await.unwrap();
        let shown = format!("{upload:?}");
        let at = if shown.contains("eu-west-1") { 1 } else { 2 };
        upload.put_part("part".into()).await.unwrap();
        regions[at].set(Mode::Fail(Fault::Reset));
        let error = upload.put_part("part".into()).await.unwrap_err();
        assert!(error.to_string().contains(NAMES[at]), "{error}");
        assert_eq!(region_of(&upload.complete().await.unwrap_err()), Some(NAMES[at]), "it may be there");
        assert_eq!(store.health().regions[at].failures, 2, "charged where it lives");
        regions[at].serve();
        upload.abort().await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn parts_may_be_uploaded_side_by_side_and_a_hanging_one_ends_at_its_limit() {
    let (regions, builder) = replicas(2);
    let store = home(builder);
    let mut upload = store.put_multipart(&key()).await.unwrap();
    let parts = [upload.put_part("a".into()), upload.put_part("b".into()), upload.put_part("c".into())];
    futures::future::try_join_all(parts).await.unwrap();
    upload.complete().await.unwrap();
    assert_eq!(regions[1].bucket().get(&key()).await.unwrap().bytes().await.unwrap(), "abc");
    let mut upload = store.put_multipart(&key()).await.unwrap();
    regions[1].set(Mode::Hang);
    let began = Instant::now();
    upload.put_part(vec![0; 3 << 20].into()).await.unwrap_err();
    assert_eq!(began.elapsed(), secs(33), "30 s and a second for each MiB");
}

#[tokio::test(start_paused = true)]
async fn a_put_has_a_second_more_for_each_mebibyte() {
    let (regions, builder) = replicas(2);
    let store = home(builder.retry(settings(json!({"enabled": false}))));
    regions[1].set(Mode::Hang);
    let began = Instant::now();
    store.put(&key(), vec![0; 10 << 20].into()).await.unwrap_err();
    assert_eq!(began.elapsed(), secs(40));
    assert_eq!(store.health().regions[1].failures, 1);
    assert_eq!(store.health().regions[1].read.consecutive_failures, 0, "no read circuit is charged");
}

// Deletes.

#[tokio::test(start_paused = true)]
async fn deletes_have_no_circuit_and_answer_one_for_one_in_order() {
    for store_of in [home as fn(FailoverStoreBuilder) -> FailoverStore, any] {
        let (regions, builder) = replicas(3);
        let store = store_of(builder);
        let paths: Vec<Path> = (0..50).map(|n| Path::from(format!("k{n:02}"))).collect();
        for path in &paths {
            regions[0].bucket().put(path, "v".into()).await.unwrap();
        }
        let asked = stream::iter(paths.clone().into_iter().map(Ok)).boxed();
        assert_eq!(store.delete_stream(asked).try_collect::<Vec<_>>().await.unwrap(), paths);
        assert_eq!(regions[0].bucket().list(None).count().await, 0);
        regions.iter().for_each(|region| region.set(DOWN));
        for _ in 0..10 {
            store.delete(&key()).await.unwrap_err();
        }
        assert!(store.health().regions.iter().all(|region| region.write.state == CircuitState::Closed));
    }
}

#[tokio::test(start_paused = true)]
async fn under_any_a_delete_moves_on_and_under_home_it_does_not() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let store = any(builder);
    regions[0].set(DOWN);
    regions[1].set(Mode::Fail(Fault::Reset));
    store.delete(&key()).await.unwrap();
    let (regions, builder) = replicas(3);
    let store = home(builder);
    regions[1].set(DOWN);
    store.delete(&key()).await.unwrap_err();
    assert_eq!(calls(&regions), [0, 1, 0]);
}

#[tokio::test(start_paused = true)]
async fn a_home_that_hangs_ends_a_stream_of_deletes() {
    let (regions, builder) = replicas(2);
    let store = home(builder);
    regions[1].set(Mode::Hang);
    let began = Instant::now();
    let error = store.delete(&key()).await.unwrap_err();
    assert!(error.to_string().contains("eu-west-1") && began.elapsed() == secs(30), "{error}");
}

// The caller's word.

fn steered(options: CallOptions) -> object_store::GetOptions {
    let mut get = object_store::GetOptions::default();
    get.extensions.insert(options);
    get
}

#[tokio::test(start_paused = true)]
async fn a_pin_is_hard_and_what_is_avoided_is_never_asked() {
    let (regions, builder) = strangers(3);
    put(&regions[2], "v").await;
    let store = builder.build().unwrap();
    let pin = |name: &str| steered(CallOptions { pin: Some(name.into()), ..Default::default() });
    for _ in 0..3 {
        assert!(store.get_opts(&key(), pin("ap-south-1")).await.is_ok());
        let error = store.get_opts(&key(), pin("us-east-1")).await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "the one that was asked has answered: {error:?}");
    }
    assert_eq!(calls(&regions), [3, 0, 3]);
    let avoid = steered(CallOptions { avoid: vec!["ap-south-1".into()], ..Default::default() });
    let error = store.get_opts(&key(), avoid).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    assert_eq!(regions[2].calls(), 3);
    regions[0].set(DOWN);
    let error = store.get_opts(&key(), pin("us-east-1")).await.unwrap_err().to_string();
    assert!(error.contains("us-east-1") && !error.contains("ap-south-1"), "{error}");
    for options in
        [pin("mars"), steered(CallOptions { pin: Some("us-east-1".into()), avoid: vec!["us-east-1".into()], ..Default::default() })]
    {
        let error = store.get_opts(&key(), options).await.unwrap_err();
        assert!(matches!(story(&error), FailoverError::NoRegionAllowed { .. }), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_the_callers_ends_the_call_and_charges_nobody() {
    let (regions, builder) = replicas(2);
    regions.iter().for_each(|region| region.set(Mode::Hang));
    let store = builder.build().unwrap();
    for _ in 0..10 {
        let began = Instant::now();
        let options = steered(CallOptions { deadline: Some(ms(300)), ..Default::default() });
        let error = store.get_opts(&key(), options).await.unwrap_err();
        assert!(matches!(story(&error), FailoverError::DeadlineExceeded { .. }), "{error}");
        assert_eq!(began.elapsed(), ms(300));
    }
    assert_eq!(circuits(&store), [CircuitState::Closed; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_pinned_write_goes_there_and_a_conditional_one_only_if_that_is_home() {
    let (regions, builder) = strangers(3);
    let store = any_with_home(builder);
    let mut options = PutOptions::default();
    options.extensions.insert(CallOptions { pin: Some("ap-south-1".into()), ..Default::default() });
    store.put_opts(&key(), "v".into(), options.clone()).await.unwrap();
    assert_eq!(calls(&regions), [0, 0, 1]);
    let error = store.put_opts(&key(), "v".into(), PutOptions { mode: PutMode::Create, ..options }).await.unwrap_err();
    assert!(matches!(story(&error), FailoverError::NoRegionAllowed { .. }), "{error}");
}

#[test]
fn a_home_that_could_not_be_written_to_is_refused() {
    let region = |name: &str, weight| {
        object_store_failover::Region::new(name, std::sync::Arc::new(object_store::memory::InMemory::new())).weight(weight)
    };
    let build = |weight, home: &str| {
        let writes = settings(json!({"policy": "home", "home": home}));
        FailoverStore::builder().region(region("a", weight)).region(region("b", 1)).writes(writes).build()
    };
    assert!(matches!(build(1, "mars").unwrap_err(), ConfigError::UnknownRegion { .. }));
    assert!(build(0, "a").unwrap_err().to_string().contains("writes.home"));
    build(1, "a").unwrap();
}

/// Once a bug: a region's own rename may be a copy and a delete, and a refusal of the second says nothing about the first.
#[tokio::test(start_paused = true)]
async fn a_rename_that_was_refused_after_it_was_sent_is_told_as_unknown() {
    for fault in [Fault::Status(503, "SlowDown"), Fault::Status(403, "AccessDenied")] {
        let (regions, builder) = replicas(2);
        put(&regions[0], "v").await;
        let store = any(builder);
        regions.iter().for_each(|region| region.set(Mode::Fail(fault)));
        let error = store.rename(&key(), &"b".into()).await.unwrap_err();
        assert!(region_of(&error).is_some(), "{error}");
        assert_eq!(calls(&regions).iter().sum::<u64>(), 1);
    }
}

/// Once a bug: a caller that was slow to name the next path looked like a home that hangs.
#[tokio::test(start_paused = true)]
async fn a_caller_that_takes_its_time_is_no_home_that_hangs() {
    let (regions, builder) = replicas(2);
    let store = home(builder);
    for name in ["a", "b"] {
        regions[0].bucket().put(&name.into(), "v".into()).await.unwrap();
    }
    let paths = stream::iter(["a", "b"]).then(|name| async move {
        tokio::time::sleep(secs(100)).await;
        Ok(Path::from(name))
    });
    assert_eq!(store.delete_stream(paths.boxed()).try_collect::<Vec<_>>().await.unwrap().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_abort_ends_at_its_limit_and_charges_nobody() {
    let (regions, builder) = replicas(2);
    let store = home(builder);
    let mut upload = store.put_multipart(&key()).await.unwrap();
    regions[1].set(Mode::Hang);
    let began = Instant::now();
    upload.abort().await.unwrap_err();
    assert_eq!(began.elapsed(), secs(30));
    assert_eq!(store.health().regions[1].write.consecutive_failures, 0);
}
