//! `Debug` and `Display` output of documents, builders and stores.

use std::sync::Arc;

use failover_testkit::markers::{MarkedRegions, secrets_in};
use object_store::ObjectStore;
use object_store_failover::{FailoverConfig, FailoverStore, Region};

#[tokio::test]
async fn debug_output_discloses_no_secret() {
    let marked = MarkedRegions::start(true).await;
    let config: FailoverConfig = serde_json::from_value(marked.document.clone()).unwrap();
    let mut outputs = vec![
        format!("{config:?} {config:#?}"),
        format!("{:?}", config.regions[0]),
    ];
    let mut builder = FailoverStore::builder();
    for (name, store) in config.region_stores().unwrap() {
        let region = Region::new(name, store);
        outputs.push(format!("{region:?}"));
        builder = builder.region(region);
    }
    outputs.push(format!("{builder:?} {builder:#?}"));
    let store = builder.build().unwrap();
    outputs.push(format!("{store} {store:?} {store:#?}"));
    let shared: Arc<dyn ObjectStore> = Arc::new(store);
    outputs.push(format!("{shared:?}"));
    assert!(
        ["rejects", "busy", "keyed"]
            .iter()
            .all(|name| outputs.concat().contains(&format!("Region({name}: "))),
        "the output names the regions"
    );
    for text in outputs {
        assert_eq!(secrets_in(&text), [""; 0], "{text}");
    }
}
