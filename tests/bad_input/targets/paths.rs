//! Keys: whatever object_store takes for one is the same key in every region, and in a listing.
//!
//! Input: a key.

use std::sync::Arc;

use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{CopyOptions, Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverStore, Region, WritePolicy};

use super::answer::Answer;
use super::{run, sound, wire};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<wire::Region> = wire::regions();
    }
    let text = String::from_utf8_lossy(data);
    let paths = [Path::parse(&text).ok(), Some(Path::from(&*text)), Path::from_url_path(&text).ok()];
    for path in paths.into_iter().flatten() {
        if path.as_ref().len() > LONGEST {
            REGIONS.with(|regions| regions.iter().for_each(|region| run(too_long(region, &path))));
            continue;
        }
        run(life(&path));
        REGIONS.with(|regions| regions.iter().for_each(|region| run(asked(region, &path))));
    }
}

/// No URL can hold it: nobody is asked.
async fn too_long(region: &wire::Region, key: &Path) {
    region.play(&Answer::parse(b"200\n\nbytes").of_an_object());
    let copy = CopyOptions::default();
    let refused = [
        region.store.get(key).await.map(drop),
        region.store.put(key, "v".into()).await.map(drop),
        region.store.list_with_delimiter(Some(key)).await.map(drop),
        wire::list(&region.store, key).await.map(drop),
        region.store.copy_opts(&"k".into(), key, copy).await,
        region.store.delete(key).await,
    ];
    for answer in refused {
        assert!(matches!(answer, Err(Error::NotSupported { .. })), "{answer:?}");
    }
    assert_eq!(region.script.requests().len(), 0);
}

/// Written, read, listed and deleted, over two regions and over one plain bucket.
async fn life(key: &Path) {
    let bucket = InMemory::new();
    let plain = InMemory::new();
    let region = |name| Region::new(name, Arc::new(bucket.clone()));
    let store = FailoverStore::builder()
        .writes(WritePolicy::Any { home: Some("a".into()) })
        .region(region("a"))
        .region(region("b"))
        .build()
        .unwrap();
    assert!(sound::same_kind(&store.get(key).await.unwrap_err(), &plain.get(key).await.unwrap_err()));
    let (ours, theirs) = (store.put(key, "v".into()).await, plain.put(key, "v".into()).await);
    assert_eq!(ours.is_ok(), theirs.is_ok(), "{ours:?}");
    let keys = |listed: Vec<object_store::ObjectMeta>| listed.into_iter().map(|meta| meta.location).collect::<Vec<_>>();
    for prefix in [None, Some(key), parent(key).as_ref()] {
        let ours = keys(store.list(prefix).try_collect().await.unwrap());
        assert_eq!(ours, keys(plain.list(prefix).try_collect().await.unwrap()));
        let (ours, theirs) = (store.list_with_delimiter(prefix).await.unwrap(), plain.list_with_delimiter(prefix).await.unwrap());
        assert_eq!((keys(ours.objects), ours.common_prefixes), (keys(theirs.objects), theirs.common_prefixes));
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

/// A request for it is one for the region's own bucket, and for this key.
async fn asked(region: &wire::Region, key: &Path) {
    region.play(&Answer::parse(b"200\n\nbytes").of_an_object());
    let answer = region.store.get(key).await;
    for (target, _) in region.script.requests() {
        let target = http::Uri::try_from(target).unwrap();
        let host = target.host().unwrap();
        assert!(HOSTS.contains(&host), "{key} leads to {host}");
        let path = target.path().strip_prefix("/bucket").unwrap_or_else(|| panic!("{key} leads to {target}"));
        let sent = Path::from_url_path(path).unwrap();
        assert_eq!((&sent, target.query()), (key, None), "{target}");
    }
    match answer {
        Ok(answer) => assert_eq!((&answer.meta.location, region.script.requests().len()), (key, 1)),
        Err(error) => drop(sound::failure(&error)),
    }
}

fn parent(key: &Path) -> Option<Path> {
    let parts: Vec<_> = key.parts().collect();
    Some(Path::from_iter(parts.get(..parts.len().checked_sub(1)?)?.iter().cloned()))
}

/// Keys of more bytes are refused.
const LONGEST: usize = 16 * 1024;
const HOSTS: [&str; 4] = ["s3.us-east-1.amazonaws.com", "storage.googleapis.com", "account.blob.core.windows.net", "host"];
