//! Refusals: what a call makes of regions that reject its request, each for its own reason.

use failover_testkit::*;
use object_store::Error;
use object_store_failover::CircuitState::Closed;
use object_store_failover::FailoverError;

const REDIRECT: Mode = Mode::Fail(Fault::Status(301, "PermanentRedirect"));
const NO_BUCKET: Mode = Mode::Fail(Fault::Status(404, "NoSuchBucket"));
const ARCHIVED: Mode = Mode::Fail(Fault::AlreadyExists("BlobArchived"));
const CONFLICT: Mode = Mode::Fail(Fault::AlreadyExists(""));

#[tokio::test(start_paused = true)]
async fn redirect_beside_missing_bucket_is_no_not_found() {
    for modes in [[REDIRECT, NO_BUCKET], [NO_BUCKET, REDIRECT]] {
        let (regions, builder) = independent_regions(2);
        regions
            .iter()
            .zip(modes)
            .for_each(|(region, mode)| region.set(mode));
        let error = read(&builder.build().unwrap()).await.unwrap_err();
        assert!(!matches!(error, Error::NotFound { .. }), "{error:?}");
        let FailoverError::AllRegionsFailed { attempts, .. } = failover_error(&error) else {
            panic!("{error}")
        };
        assert_eq!(attempts.iter().count(), 2, "{error}");
        let line = error.to_string();
        assert!(line.contains("301 PermanentRedirect"), "{line}");
        assert!(line.contains("404 NoSuchBucket"), "{line}");
    }
}

#[tokio::test(start_paused = true)]
async fn denied_read_names_every_region() {
    let (regions, builder) = replicas(3);
    put(&regions[0], "v").await;
    let codes = ["AccessDenied", "InvalidAccessKeyId", "ExpiredToken"];
    for (region, code) in regions.iter().zip(codes) {
        region.set(Mode::Fail(Fault::Status(403, code)));
    }
    let store = builder.build().unwrap();
    let error = read(&store).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    let line = error.to_string();
    for (name, code) in NAMES.iter().zip(codes) {
        assert!(line.contains(&format!("{name}: 403 {code}")), "{line}");
    }
    assert!(!line.contains('\n'), "{line}");
    assert_eq!(circuits(&store), [Closed; 3]);
}

#[tokio::test(start_paused = true)]
async fn conflict_moves_a_read_to_the_next_region() {
    for refusal in [ARCHIVED, CONFLICT] {
        let (regions, builder) = replicas(2);
        put(&regions[1], "v").await;
        regions[0].set(refusal);
        let store = builder.build().unwrap();
        for _ in 0..4 {
            assert_eq!(read(&store).await.unwrap(), "v");
        }
        assert_eq!(circuits(&store), [Closed; 2]);
        regions[1].set(refusal);
        let error = read(&store).await.unwrap_err();
        assert!(!matches!(error, Error::AlreadyExists { .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn archived_object_opens_no_circuit() {
    let (regions, builder) = replicas(2);
    put(&regions[1], "v").await;
    regions[0].set(ARCHIVED);
    let store = builder.build().unwrap();
    for _ in 0..20 {
        assert_eq!(read(&store).await.unwrap(), "v");
    }
    assert_eq!(circuits(&store), [Closed; 2]);
    assert_eq!(store.health().regions[0].failures, 0);
}
