//! object_store's own suite, over `FailoverStore`: every function that fits. docs/conformance.md says which runs where, and why not.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;

use object_store::aws::S3CopyIfNotExists;
use object_store::integration::{self, MarkerHttpConnector};
use object_store::memory::InMemory;
use object_store::{Error, ObjectStore};
use object_store_failover::{FailoverStore, FailoverStoreBuilder, Region};
use serde_json::json;
use support::s3::Server;
use support::{NAMES, Scripted, settings};

/// A store under test, and what its regions run on: that ends with the test.
struct Subject {
    store: FailoverStore,
    _servers: Vec<Server>,
}

/// Over these regions, of which the last is home.
fn over(stores: Vec<Arc<dyn ObjectStore>>) -> Subject {
    let home = NAMES[stores.len() - 1];
    let region = |builder: FailoverStoreBuilder, (store, name)| builder.region(Region::new(name, store));
    let builder = stores.into_iter().zip(NAMES).fold(FailoverStore::builder().seed(7), region);
    let store = builder.writes(settings(json!({"policy": "home", "home": home}))).build().unwrap();
    Subject { store, _servers: Vec::new() }
}

/// So many regions over clones of one bucket: perfect replicas.
async fn in_memory(regions: usize) -> Subject {
    let bucket = InMemory::new();
    over((0..regions).map(|_| Arc::new(bucket.clone()) as Arc<dyn ObjectStore>).collect())
}

/// Three regions, of which the first fails every call.
async fn with_a_dead_region() -> Subject {
    let bucket = InMemory::new();
    let dead = Scripted::over(bucket.clone());
    dead.fail();
    over(vec![Arc::new(dead), Arc::new(bucket.clone()), Arc::new(bucket)])
}

/// Three regions that are S3 servers over one bucket.
async fn on_s3() -> Subject {
    let bucket = InMemory::new();
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start("bucket", Arc::new(bucket.clone())).await);
    }
    let client = |server: &Server| {
        let client = server.client().with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
        Arc::new(client.with_http_connector(MarkerHttpConnector::default()).build().unwrap()) as Arc<dyn ObjectStore>
    };
    Subject { store: over(servers.iter().map(client).collect()).store, _servers: servers }
}

/// A test for each function, each on a fresh store.
macro_rules! functions {
    ($store:expr; $($name:ident($($more:expr),*)),* $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            let subject = $store.await;
            integration::$name(&subject.store $(, $more)*).await;
        }
    )*};
}

/// A module with a test for each function that runs everywhere.
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
                let error = integration::get_nonexistent_object(&subject.store, None).await.unwrap_err();
                assert!(matches!(error, Error::NotFound { .. }), "{error}");
            }
        }
    };
}

suite!(over_one_region, in_memory(1));
suite!(over_three_regions, in_memory(3));
suite!(over_three_s3_servers, on_s3());
suite!(with_region_0_failing_every_call, with_a_dead_region());

/// The only function that needs a wire.
mod over_three_s3_servers_too {
    use super::*;

    functions! { on_s3(); response_extensions(true) }
}
