//! The policy `any` with `reads.home_prefixes`: what is read at home is written at home.

use std::sync::Arc;

use failover_testkit::{Scripted, calls, independent_regions, put_at, settings};
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStoreExt};
use object_store_failover::FailoverStore;
use serde_json::json;

use crate::any_store_with_home;

fn store_over_three() -> (Vec<Arc<Scripted>>, FailoverStore) {
    let (regions, builder) = independent_regions(3);
    let reads = settings(json!({"home_prefixes": ["users"]}));
    (regions, any_store_with_home(builder.reads(reads)))
}

#[tokio::test(start_paused = true)]
async fn puts_and_deletes_of_home_prefixes_go_home() {
    let (regions, store) = store_over_three();
    for n in 0..3 {
        let path = Path::from(format!("users/{n}"));
        store.put(&path, "v".into()).await.unwrap();
        store.get(&path).await.unwrap();
        let mut upload = store.put_multipart(&path).await.unwrap();
        upload.put_part("v".into()).await.unwrap();
        upload.complete().await.unwrap();
        store.delete(&path).await.unwrap();
        regions[1].bucket().head(&path).await.unwrap_err();
    }
    assert_eq!(calls(&regions), [0, 18, 0]);
    for n in 0..3 {
        let path = Path::from(format!("others/{n}"));
        store.put(&path, "v".into()).await.unwrap();
    }
    assert_eq!(calls(&regions), [1, 19, 1], "other keys rotate");
}

#[tokio::test(start_paused = true)]
async fn copies_to_or_from_home_prefixes_go_home() {
    let (regions, store) = store_over_three();
    for region in &regions {
        for path in ["users/a", "others/a"] {
            put_at(region, path).await;
        }
    }
    let pairs = [
        ("users/a", "users/b"),
        ("users/a", "others/b"),
        ("others/a", "users/c"),
    ];
    for n in 0..3 {
        for (from, to) in pairs {
            let (from, to) = (Path::from(from), Path::from(format!("{to}{n}")));
            store.copy(&from, &to).await.unwrap();
            store.rename(&to, &from).await.unwrap();
        }
    }
    assert_eq!(calls(&regions), [0, 18, 0]);
    for _ in 0..3 {
        let (from, to) = ("others/a".into(), "others/b".into());
        store.copy(&from, &to).await.unwrap();
    }
    assert_eq!(calls(&regions), [1, 19, 1], "other keys rotate");
}
