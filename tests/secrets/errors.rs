//! Errors: the key for whoever asked, secrets for nobody.

use std::error::Error as _;

use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverError, FailoverStore, Failure};

use crate::marked::{KEY, Marked, secrets_in, shows_key};

/// An error as anybody may write it down: itself, and all its sources.
fn written(error: &Error) -> String {
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
    let list = futures::StreamExt::next(&mut store.list(Some(&key))).await.map(|item| item.map(drop));
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
async fn a_story_has_the_key_and_no_secret() {
    let marked = Marked::regions(false).await;
    let config: FailoverConfig = serde_json::from_value(marked.document.clone()).unwrap();
    let store: FailoverStore = config.build().unwrap();
    let mut stories = 0;
    for error in errors(&store).await {
        let text = written(&error);
        assert_eq!(secrets_in(&text), [""; 0], "{text}");
        let Some(story) = FailoverError::find(&error) else { continue };
        stories += 1;
        assert!(shows_key(&story.to_string()), "it does not say what was asked for: {story}");
        if let FailoverError::AllRegionsFailed { attempts, .. } = story {
            assert!(!shows_key(&attempts.to_string()), "once is enough: {attempts}");
            let parts: Vec<_> =
                attempts.iter().filter_map(|report| report.failure()).map(|failure| format!("{failure} {failure:?}")).collect();
            assert!(!parts.is_empty() && parts.iter().all(|part| !shows_key(part)), "{parts:?}");
        }
    }
    assert!(stories > 4, "{stories}");
}

#[tokio::test]
async fn what_one_region_says_has_no_secret_either() {
    let marked = Marked::regions(false).await;
    let config: FailoverConfig = serde_json::from_value(marked.document.clone()).unwrap();
    for (name, store) in config.region_stores().unwrap() {
        if name == "hangs" {
            continue;
        }
        let errors = errors(&*store).await;
        assert!(errors.len() > 5, "{name} has served");
        for error in errors {
            let (text, failure) = (written(&error), Failure::of(&error));
            assert_eq!(secrets_in(&text), [""; 0], "{name}: {text}");
            let meant = format!("{failure} {failure:?}");
            assert_eq!((secrets_in(&meant), shows_key(&meant)), (Vec::new(), false), "{name}: {meant}");
        }
    }
}
