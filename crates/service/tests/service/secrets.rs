//! What operators see: logs, metrics, snapshots, events, the pages. None of it contains a secret or
//! a key, although regions fail in different ways.

use failover_testkit::Log;
use failover_testkit::markers::{CANARY, KEY, MarkedRegions, contains_key, secrets_in};
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::FailoverStore;
use tracing_subscriber::filter::LevelFilter;

use crate::test_service::{REGIONS, TestService};

#[tokio::test]
async fn operator_outputs_contain_no_secret_and_no_key() {
    let log = Log::at(LevelFilter::TRACE);
    let marked = MarkedRegions::start(true).await;
    let service = TestService::over(&toml::to_string(&marked.document).unwrap(), None);
    let store = &service.service.store;
    let mut events = store.subscribe();
    let probes = store.start_probes();
    let served = service.get(&format!("/objects/{KEY}")).await;
    assert_eq!(served.text(), "bytes");
    call_everything(store).await;
    let unserved = service.get(&format!("/objects/{KEY}")).await;
    apply_overrides(&service).await;
    tokio::time::sleep(std::time::Duration::from_millis(600)).await;

    let mut outputs = pages_and_state(&service).await;
    outputs.push((
        "the error of another caller".into(),
        unserved.text().to_owned(),
    ));
    outputs.push(("probes".into(), format!("{probes:?}")));
    let mut event_count = 0;
    while let Ok(event) = events.try_recv() {
        event_count += 1;
        outputs.push(("an event".into(), format!("{event:?}")));
    }
    let lines = log.take();
    let own_lines = lines.iter().filter(|line| {
        line.split_whitespace()
            .nth(1)
            .is_some_and(|target| target.starts_with("object_store_failover"))
    });
    outputs.extend(own_lines.map(|line| ("a log line".into(), line.clone())));

    let all_of = |wanted: &str| {
        outputs
            .iter()
            .filter(|(name, _)| name == wanted)
            .map(|(_, text)| text.as_str())
            .collect::<String>()
    };
    assert!(
        event_count > 5 && all_of("a log line").contains("circuit opened"),
        "there were no events: {outputs:?}"
    );
    assert!(
        all_of("the page /metrics").contains("object_store_failover_region_admitted{"),
        "there are no metrics"
    );
    for (name, text) in &outputs {
        assert_eq!(
            secrets_in(text),
            [""; 0],
            "{name} contains a secret: {text}"
        );
        assert!(!contains_key(text), "{name} contains a key: {text}");
        assert!(
            !text.contains(CANARY) || WITH_SETTINGS.contains(&name.as_str()),
            "{name} contains the canary: {text}"
        );
    }
}

/// The outputs that contain settings, such as the canary key.
const WITH_SETTINGS: [&str; 2] = ["the store", "probes"];

/// The pages of the service, and the store in every format.
async fn pages_and_state(service: &TestService) -> Vec<(String, String)> {
    let mut outputs = Vec::new();
    for path in ["/", "/metrics", "/health", "/ready", "/live"] {
        let page = service.get(path).await;
        outputs.push((format!("the page {path}"), page.text().to_owned()));
    }
    let store = &service.service.store;
    let health = store.health();
    let json = serde_json::to_string(&health).unwrap();
    outputs.push(("the store".into(), format!("{store} {store:?} {store:#?}")));
    outputs.push(("the snapshot".into(), format!("{health:?} {json}")));
    outputs.push(("hedges".into(), format!("{:?}", store.hedges())));
    outputs
}

/// Every kind of call, some of which fail.
async fn call_everything(store: &FailoverStore) {
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

/// Every operator action, on a known and an unknown region.
async fn apply_overrides(service: &TestService) {
    for action in [
        "drain",
        "undrain",
        "force_open",
        "force_closed",
        "metrics_only",
        "reset",
    ] {
        service.post(&format!("/regions/serves/{action}")).await;
        service
            .post(&format!("/regions/{}/{action}", REGIONS[0]))
            .await;
    }
}
