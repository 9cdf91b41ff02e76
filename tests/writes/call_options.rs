//! `CallOptions`: pinned and avoided regions, and the deadline of one call.

use failover_testkit::{
    Mode, calls, circuits, failover_error, independent_regions, key, ms, put, replicas,
};
use object_store::{Error, GetOptions, ObjectStore, PutMode, PutOptions};
use object_store_failover::{CallOptions, CircuitState, FailoverError};
use tokio::time::Instant;

use crate::{DOWN, any_store_with_home};

fn get_with(options: CallOptions) -> GetOptions {
    let mut get = GetOptions::default();
    get.extensions.insert(options);
    get
}

fn pin(region: &str) -> CallOptions {
    CallOptions {
        pin: Some(region.into()),
        ..Default::default()
    }
}

fn avoid(region: &str) -> CallOptions {
    CallOptions {
        avoid: vec![region.into()],
        ..Default::default()
    }
}

#[tokio::test(start_paused = true)]
async fn pin_and_avoid_are_strict() {
    let (regions, builder) = independent_regions(3);
    put(&regions[2], "v").await;
    let store = builder.build().unwrap();
    let path = key();
    let get_pinned = |name| store.get_opts(&path, get_with(pin(name)));
    for _ in 0..3 {
        assert!(get_pinned("ap-south-1").await.is_ok());
        // The only region that the call may use has responded, so that the absence is certain.
        let error = get_pinned("us-east-1").await.unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
    assert_eq!(calls(&regions), [3, 0, 3]);
    let result = store.get_opts(&key(), get_with(avoid("ap-south-1"))).await;
    // The excluded region may hold the object.
    let error = result.unwrap_err();
    let cause = failover_error(&error);
    assert!(
        matches!(cause, FailoverError::Undecided { .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("excluded by the caller"),
        "{error}"
    );
    assert_eq!(regions[2].calls(), 3);
    regions[0].set(DOWN);
    let error = get_pinned("us-east-1").await.unwrap_err().to_string();
    assert!(
        error.contains("us-east-1") && !error.contains("ap-south-1"),
        "{error}"
    );
    let pinned_and_avoided = CallOptions {
        avoid: vec!["us-east-1".into()],
        ..pin("us-east-1")
    };
    for options in [pin("mars"), pinned_and_avoided] {
        let error = store.get_opts(&key(), get_with(options)).await.unwrap_err();
        let cause = failover_error(&error);
        assert!(
            matches!(cause, FailoverError::NoRegionAllowed { .. }),
            "{error}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn call_deadline_opens_no_circuit() {
    let (regions, builder) = replicas(2);
    regions.iter().for_each(|region| region.set(Mode::Hang));
    let store = builder.build().unwrap();
    for _ in 0..10 {
        let began = Instant::now();
        let options = get_with(CallOptions {
            deadline: Some(ms(300)),
            ..Default::default()
        });
        let error = store.get_opts(&key(), options).await.unwrap_err();
        let cause = failover_error(&error);
        assert!(
            matches!(cause, FailoverError::DeadlineExceeded { .. }),
            "{error}"
        );
        assert_eq!(began.elapsed(), ms(300));
    }
    assert_eq!(circuits(&store), [CircuitState::Closed; 2]);
}

#[tokio::test(start_paused = true)]
async fn conditional_write_may_be_pinned_to_home_only() {
    let (regions, builder) = independent_regions(3);
    let store = any_store_with_home(builder);
    let mut options = PutOptions::default();
    options.extensions.insert(pin("ap-south-1"));
    store
        .put_opts(&key(), "v".into(), options.clone())
        .await
        .unwrap();
    assert_eq!(calls(&regions), [0, 0, 1]);
    let options = PutOptions {
        mode: PutMode::Create,
        ..options
    };
    let error = store
        .put_opts(&key(), "v".into(), options)
        .await
        .unwrap_err();
    let cause = failover_error(&error);
    assert!(
        matches!(cause, FailoverError::NoRegionAllowed { .. }),
        "{error}"
    );
}
