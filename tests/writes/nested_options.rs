//! Call options of a write are not passed to the store of a region, which may have other regions.

use std::sync::Arc;

use failover_testkit::{key, put, replicas, settings};
use object_store::path::Path;
use object_store::{
    CopyOptions, MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    RenameOptions,
};
use object_store_failover::{CallOptions, FailoverStore, Region};
use serde_json::json;

use crate::home_store;

#[tokio::test(start_paused = true)]
async fn call_options_do_not_reach_the_store_below() {
    let (regions, builder) = replicas(2);
    let inner = Region::new("inner", Arc::new(home_store(builder)));
    let writes = settings(json!({"policy": "home", "home": "inner"}));
    let outer = FailoverStore::builder().region(inner).writes(writes);
    let outer = outer.build().unwrap();
    put(&regions[1], "v").await;
    let call = CallOptions {
        pin: Some("inner".into()),
        ..Default::default()
    };
    let (path, to) = (key(), Path::from("to"));

    let mut options = PutOptions::default();
    options.extensions.insert(call.clone());
    outer.put_opts(&path, "w".into(), options).await.unwrap();

    let mut options = PutMultipartOptions::default();
    options.extensions.insert(call.clone());
    let mut upload = outer.put_multipart_opts(&path, options).await.unwrap();
    upload.put_part("w".into()).await.unwrap();
    upload.complete().await.unwrap();

    let mut options = CopyOptions::default();
    options.extensions.insert(call.clone());
    outer.copy_opts(&path, &to, options).await.unwrap();

    let mut options = RenameOptions::default();
    options.extensions.insert(call);
    outer
        .rename_opts(&to, &"new".into(), options)
        .await
        .unwrap();
    regions[1].bucket().head(&"new".into()).await.unwrap();
    assert_eq!(regions[1].calls(), 6, "every write arrived");
}
