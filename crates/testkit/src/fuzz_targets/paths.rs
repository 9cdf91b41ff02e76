//! Keys: a key that object_store accepts is the same key in every region and in listings.
//!
//! Input: a key.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{CopyOptions, Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverStore, Region, WritePolicy};

use super::response::Response;
use super::{checks, client, run};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<client::Region> = client::regions();
    }
    let text = String::from_utf8_lossy(data);
    let paths = [
        Path::parse(&text).ok(),
        Some(Path::from(&*text)),
        Path::from_url_path(&text).ok(),
    ];
    for path in paths.into_iter().flatten() {
        if path.as_ref().len() > MAX_KEY_BYTES {
            REGIONS.with(|regions| {
                regions
                    .iter()
                    .for_each(|region| run(too_long(region, &path)))
            });
            continue;
        }
        run(in_memory(&path));
        REGIONS.with(|regions| {
            regions
                .iter()
                .for_each(|region| run(on_the_wire(region, &path)))
        });
    }
}

/// A key too long for a URL is rejected without a request.
async fn too_long(region: &client::Region, key: &Path) {
    region.respond_with(&Response::parse(b"200\n\nbytes").with_object_headers());
    let copy = CopyOptions::default();
    let results = [
        region.store.get(key).await.map(drop),
        region.store.put(key, "v".into()).await.map(drop),
        region.store.list_with_delimiter(Some(key)).await.map(drop),
        client::list(&region.store, key).await.map(drop),
        region.store.copy_opts(&"k".into(), key, copy).await,
        region.store.delete(key).await,
    ];
    for result in results {
        assert!(
            matches!(result, Err(Error::NotSupported { .. })),
            "{result:?}"
        );
    }
    assert_eq!(region.client.requests().len(), 0);
}

/// Put, get, list, copy and delete have the same results over two regions as over a plain bucket.
async fn in_memory(key: &Path) {
    let bucket = InMemory::new();
    let plain = InMemory::new();
    let region = |name| Region::new(name, Arc::new(bucket.clone()));
    let store = FailoverStore::builder()
        .writes(WritePolicy::Any {
            home: Some("a".into()),
        })
        .region(region("a"))
        .region(region("b"))
        .build()
        .unwrap();
    assert!(checks::same_kind(
        &store.get(key).await.unwrap_err(),
        &plain.get(key).await.unwrap_err()
    ));
    let (ours, theirs) = (
        store.put(key, "v".into()).await,
        plain.put(key, "v".into()).await,
    );
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?}");
    let keys = |listed: Vec<object_store::ObjectMeta>| {
        listed
            .into_iter()
            .map(|meta| meta.location)
            .collect::<Vec<_>>()
    };
    for prefix in [None, Some(key), parent(key).as_ref()] {
        let ours = keys(store.list(prefix).try_collect().await.unwrap());
        assert_eq!(ours, keys(plain.list(prefix).try_collect().await.unwrap()));
        let (ours, theirs) = (
            store.list_with_delimiter(prefix).await.unwrap(),
            plain.list_with_delimiter(prefix).await.unwrap(),
        );
        assert_eq!(
            (keys(ours.objects), ours.common_prefixes),
            (keys(theirs.objects), theirs.common_prefixes)
        );
    }
    assert_eq!(store.get(key).await.unwrap().bytes().await.unwrap(), "v");
    let copy = Path::from("a copy");
    store.copy(key, &copy).await.unwrap();
    assert_eq!(store.head(&copy).await.unwrap().location, copy);
    for key in [key, &copy] {
        store.delete(key).await.unwrap();
    }
    assert_eq!(keys(store.list(None).try_collect().await.unwrap()), []);
}

/// The request goes to the region's host and bucket, for exactly this key.
async fn on_the_wire(region: &client::Region, key: &Path) {
    region.respond_with(&Response::parse(b"200\n\nbytes").with_object_headers());
    let response = region.store.get(key).await;
    for (target, _) in region.client.requests() {
        let target = http::Uri::try_from(target).unwrap();
        let host = target.host().unwrap();
        assert!(HOSTS.contains(&host), "{key} leads to {host}");
        let path = target
            .path()
            .strip_prefix("/bucket")
            .unwrap_or_else(|| panic!("{key} leads to {target}"));
        let sent = Path::from_url_path(path).unwrap();
        assert_eq!((&sent, target.query()), (key, None), "{target}");
    }
    match response {
        Ok(response) => assert_eq!(
            (&response.meta.location, region.client.requests().len()),
            (key, 1)
        ),
        Err(error) => drop(checks::failure(&error)),
    }
}

fn parent(key: &Path) -> Option<Path> {
    let parts: Vec<_> = key.parts().collect();
    Some(Path::from_iter(
        parts.get(..parts.len().checked_sub(1)?)?.iter().cloned(),
    ))
}

/// Longer keys are rejected.
const MAX_KEY_BYTES: usize = 16 * 1024;
const HOSTS: [&str; 4] = [
    "s3.us-east-1.amazonaws.com",
    "storage.googleapis.com",
    "account.blob.core.windows.net",
    "host",
];
