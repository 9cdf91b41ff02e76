//! object_store's conformance suite over `FailoverStore`. docs/conformance.md lists the functions
//! that run and those that do not apply.

use std::sync::Arc;

use failover_testkit::s3::Server;
use failover_testkit::{NAMES, Scripted, settings};
use object_store::aws::S3CopyIfNotExists;
use object_store::integration::{self, MarkerHttpConnector};
use object_store::memory::InMemory;
use object_store::{Error, ObjectStore};
use object_store_failover::{FailoverStore, FailoverStoreBuilder, Region};
use serde_json::json;

/// A store under test and the servers of its regions.
struct Subject {
    store: FailoverStore,
    _servers: Vec<Server>,
}

/// A store over these regions; the last one is home.
fn store_over(stores: Vec<Arc<dyn ObjectStore>>) -> Subject {
    let home = NAMES[stores.len() - 1];
    let region =
        |builder: FailoverStoreBuilder, (store, name)| builder.region(Region::new(name, store));
    let builder = stores
        .into_iter()
        .zip(NAMES)
        .fold(FailoverStore::builder().seed(7), region);
    let store = builder
        .writes(settings(json!({"policy": "home", "home": home})))
        .build()
        .unwrap();
    Subject {
        store,
        _servers: Vec::new(),
    }
}

/// Regions over clones of one bucket: perfect replicas.
async fn in_memory(regions: usize) -> Subject {
    let bucket = InMemory::new();
    store_over(
        (0..regions)
            .map(|_| Arc::new(bucket.clone()) as Arc<dyn ObjectStore>)
            .collect(),
    )
}

/// Three regions; the first one fails every call.
async fn with_failing_region() -> Subject {
    let bucket = InMemory::new();
    let failing = Scripted::over(bucket.clone());
    failing.fail();
    store_over(vec![
        Arc::new(failing),
        Arc::new(bucket.clone()),
        Arc::new(bucket),
    ])
}

/// Three S3 servers over one bucket.
async fn on_s3() -> Subject {
    let bucket = InMemory::new();
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start("bucket", Arc::new(bucket.clone())).await);
    }
    let client = |server: &Server| {
        let client = server
            .client()
            .with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
        Arc::new(
            client
                .with_http_connector(MarkerHttpConnector::default())
                .build()
                .unwrap(),
        ) as Arc<dyn ObjectStore>
    };
    Subject {
        store: store_over(servers.iter().map(client).collect()).store,
        _servers: servers,
    }
}

/// One test for each function, each on a new store.
macro_rules! functions {
    ($store:expr; $($name:ident($($more:expr),*)),* $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            let subject = $store.await;
            integration::$name(&subject.store $(, $more)*).await;
        }
    )*};
}

/// A module with one test for each function that applies to all stores.
macro_rules! suite {
    ($name:ident, $store:expr) => {
        mod $name {
            use super::*;

            functions! { $store;
                put_get_delete_list(),
                put_get_attributes(),
                get_opts(),
                put_opts(true),
                stream_get(),
                list_uses_directories_correctly(),
                list_with_delimiter(),
                list_with_offset_exclusivity(),
                rename_and_copy(),
                copy_if_not_exists(),
                copy_rename_nonexistent_object(),
                multipart_race_condition(true),
                multipart_out_of_order(),
            }

            #[tokio::test]
            async fn get_nonexistent_object() {
                let subject = $store.await;
                let error = integration::get_nonexistent_object(&subject.store, None)
                    .await
                    .unwrap_err();
                assert!(matches!(error, Error::NotFound { .. }), "{error}");
            }
        }
    };
}

suite!(over_one_region, in_memory(1));
suite!(over_three_regions, in_memory(3));
suite!(over_three_s3_servers, on_s3());
suite!(with_failing_region_0, with_failing_region());

/// The only function that needs HTTP.
mod response_extensions_on_s3 {
    use super::*;

    functions! { on_s3(); response_extensions(true) }
}
