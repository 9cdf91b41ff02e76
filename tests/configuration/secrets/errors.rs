//! Errors contain the caller's key and no secret.

use std::error::Error as _;

use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverError, FailoverStore, Failure};

use failover_testkit::markers::{KEY, MarkedRegions, contains_key, secrets_in};

/// An error and all its sources, in every format.
fn full_text(error: &Error) -> String {
    let mut text = format!("{error} {error:?} {error:#?}");
    let mut next = error.source();
    while let Some(source) = next {
        text += &format!(" {source} {source:?}");
        next = source.source();
    }
    text
}

/// The errors of every kind of call.
async fn errors(store: &dyn ObjectStore) -> Vec<Error> {
    let key = KEY.into();
    let list = futures::StreamExt::next(&mut store.list(Some(&key)))
        .await
        .map(|item| item.map(drop));
    let results = [
        store.get(&key).await.map(drop),
        store.head(&key).await.map(drop),
        store.get_ranges(&key, &[0..1, 3..4]).await.map(drop),
        store.put(&key, "v".into()).await.map(drop),
        store.delete(&key).await,
        store.copy(&key, &key).await,
        store.list_with_delimiter(Some(&key)).await.map(drop),
        list.unwrap_or(Ok(())),
        store.put_multipart(&key).await.map(drop),
    ];
    results.into_iter().filter_map(Result::err).collect()
}

#[tokio::test]
async fn failover_errors_have_the_key_and_no_secret() {
    let marked = MarkedRegions::start(false).await;
    let config: FailoverConfig = serde_json::from_value(marked.document.clone()).unwrap();
    let store: FailoverStore = config.build().unwrap();
    let mut count = 0;
    for error in errors(&store).await {
        let text = full_text(&error);
        assert_eq!(secrets_in(&text), [""; 0], "{text}");
        let Some(failed) = FailoverError::find(&error) else {
            continue;
        };
        count += 1;
        assert!(
            contains_key(&failed.to_string()),
            "the key is missing: {failed}"
        );
        if let FailoverError::AllRegionsFailed { attempts, .. } = failed {
            assert!(
                !contains_key(&attempts.to_string()),
                "the key is repeated in {attempts}"
            );
            let parts: Vec<_> = attempts
                .iter()
                .filter_map(|report| report.failure())
                .map(|failure| format!("{failure} {failure:?}"))
                .collect();
            assert!(
                !parts.is_empty() && parts.iter().all(|part| !contains_key(part)),
                "{parts:?}"
            );
        }
    }
    assert!(count > 4, "{count}");
}

#[tokio::test]
async fn region_errors_have_no_secret() {
    let marked = MarkedRegions::start(false).await;
    let config: FailoverConfig = serde_json::from_value(marked.document.clone()).unwrap();
    for (name, store) in config.region_stores().unwrap() {
        if name == "hangs" {
            continue;
        }
        let errors = errors(&*store).await;
        assert!(errors.len() > 5, "{name} succeeded");
        for error in errors {
            let (text, failure) = (full_text(&error), Failure::of(&error));
            assert_eq!(secrets_in(&text), [""; 0], "{name}: {text}");
            let failure_text = format!("{failure} {failure:?}");
            assert_eq!(
                (secrets_in(&failure_text), contains_key(&failure_text)),
                (Vec::new(), false),
                "{name}: {failure_text}"
            );
        }
    }
}
