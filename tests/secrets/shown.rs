//! Everything that is shown to operators: logs, metrics, snapshots, events, the page, and whatever has a `Debug`.

use std::sync::Arc;

use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverStore, Region};
use tracing_subscriber::filter::LevelFilter;

use crate::log::Log;
use crate::marked::{CANARY, KEY, Marked, secrets_in, shows_key};
use crate::site::{REGIONS, Site};

#[tokio::test]
async fn neither_a_secret_nor_a_key_is_shown_to_operators() {
    let log = Log::at(LevelFilter::TRACE);
    let marked = Marked::regions(true).await;
    let site = Site::over(&toml::to_string(&marked.document).unwrap(), None);
    let store = &site.service.store;
    let mut events = store.subscribe();
    let probes = store.start_probes();
    let served = site.get(&format!("/objects/{KEY}")).await;
    assert_eq!(served.text(), "bytes");
    use_it(store).await;
    let unserved = site.get(&format!("/objects/{KEY}")).await;
    steer(&site).await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;

    let mut shown = vec![("what another caller is told".to_owned(), unserved.text().to_owned())];
    for path in ["/", "/metrics", "/health", "/ready", "/live"] {
        shown.push((format!("the page {path}"), site.get(path).await.text().to_owned()));
    }
    shown.push(("the store".into(), format!("{store} {store:?} {store:#?}")));
    shown.push(("the snapshot".into(), format!("{:?} {}", store.health(), serde_json::to_string(&store.health()).unwrap())));
    shown.push(("hedges, probes".into(), format!("{:?} {probes:?}", store.hedges())));
    let mut told = 0;
    while let Ok(event) = events.try_recv() {
        told += 1;
        shown.push(("an event".into(), format!("{event:?}")));
    }
    let lines = log.take();
    let ours = lines.iter().filter(|line| line.split_whitespace().nth(1).is_some_and(|target| target.starts_with("object_store_failover")));
    shown.extend(ours.map(|line| ("a line of the log".into(), line.clone())));

    let whole = |what: &str| shown.iter().filter(|(name, _)| name == what).map(|(_, text)| text.as_str()).collect::<String>();
    assert!(told > 5 && whole("a line of the log").contains("circuit opened"), "nothing has happened: {shown:?}");
    assert!(whole("the page /metrics").contains("object_store_failover_region_admitted{"), "nothing was counted");
    for (name, text) in &shown {
        assert_eq!(secrets_in(text), [""; 0], "{name} shows a secret: {text}");
        assert!(!shows_key(text), "{name} shows a key: {text}");
        assert!(!text.contains(CANARY) || SETTINGS.contains(&name.as_str()), "{name} shows the canary: {text}");
    }
}

#[tokio::test]
async fn neither_documents_nor_what_they_become_show_a_secret() {
    let marked = Marked::regions(true).await;
    let config: FailoverConfig = serde_json::from_value(marked.document.clone()).unwrap();
    let mut shown = vec![format!("{config:?} {config:#?}"), format!("{:?}", config.regions[0])];
    let mut builder = FailoverStore::builder();
    for (name, store) in config.region_stores().unwrap() {
        let region = Region::new(name, store);
        shown.push(format!("{region:?}"));
        builder = builder.region(region);
    }
    shown.push(format!("{builder:?} {builder:#?}"));
    let store = builder.build().unwrap();
    shown.push(format!("{store} {store:?} {store:#?}"));
    let shared: Arc<dyn ObjectStore> = Arc::new(store);
    shown.push(format!("{shared:?}"));
    assert!(["refuses", "busy", "keyed"].iter().all(|name| shown.concat().contains(&format!("Region({name}: "))), "it shows its regions");
    for text in shown {
        assert_eq!(secrets_in(&text), [""; 0], "{text}");
    }
}

/// What shows the settings as well.
const SETTINGS: [&str; 2] = ["the store", "hedges, probes"];

/// Every kind of call, some of which fail.
async fn use_it(store: &FailoverStore) {
    let key = KEY.into();
    for _ in 0..4 {
        store.get(&key).await.unwrap().bytes().await.unwrap();
    }
    let _ = store.head(&key).await;
    let _ = store.get_ranges(&key, &[0..1, 3..4]).await;
    let _ = store.put(&key, "v".into()).await;
    let _ = store.delete(&key).await;
    let _ = store.copy(&key, &key).await;
    let _ = store.list_with_delimiter(Some(&key)).await;
    let _ = futures::StreamExt::next(&mut store.list(Some(&key))).await;
    let _ = store.put_multipart(&key).await;
}

/// Every word of an operator.
async fn steer(site: &Site) {
    for action in ["drain", "undrain", "force_open", "force_closed", "metrics_only", "reset"] {
        site.post(&format!("/regions/serves/{action}")).await;
        site.post(&format!("/regions/{}/{action}", REGIONS[0])).await;
    }
}
