//! A 404 to a write that needs no object: the bucket is missing.

use failover_testkit::{Fault, Mode, calls, failover_error, independent_regions, key};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt};
use object_store_failover::{CircuitState, FailoverError};

use crate::{any_store, home_store};

const MISSING: [Mode; 2] = [
    Mode::Fail(Fault::Status(404, "")),
    Mode::Fail(Fault::Status(404, "NoSuchBucket")),
];

#[tokio::test(start_paused = true)]
async fn put_and_upload_pass_a_missing_bucket() {
    for missing in MISSING {
        let (regions, builder) = independent_regions(2);
        let store = any_store(builder);
        regions[0].set(missing);
        for n in 0..12 {
            let path = Path::from(format!("k{n}"));
            store.put(&path, "v".into()).await.unwrap();
            regions[1].bucket().head(&path).await.unwrap();
            let mut upload = store.put_multipart(&path).await.unwrap();
            upload.put_part("v".into()).await.unwrap();
            upload.complete().await.unwrap();
        }
        assert!(regions[0].calls() > 0, "{missing:?}");
        let health = &store.health().regions[0];
        assert_eq!(health.successes, 0, "{missing:?} is no success");
        assert_eq!(health.write.state, CircuitState::Open, "{missing:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn missing_bucket_at_home_is_no_success() {
    for missing in MISSING {
        let (regions, builder) = independent_regions(2);
        let store = home_store(builder);
        regions[1].set(missing);
        let errors = [
            store.put(&key(), "v".into()).await.unwrap_err(),
            store.put_multipart(&key()).await.unwrap_err(),
        ];
        for error in errors {
            assert!(
                !matches!(error, object_store::Error::NotFound { .. }),
                "{error:?}"
            );
            // Its source names the region, unlike that of a missing object.
            let cause = failover_error(&error);
            let failed = matches!(cause, FailoverError::AllRegionsFailed { .. });
            assert!(failed, "{missing:?}: {error:?}");
            assert!(error.to_string().contains("eu-west-1"), "{error}");
        }
        assert_eq!(calls(&regions)[0], 0);
        assert_eq!(store.health().regions[1].successes, 0, "{missing:?}");
    }
}
