//! SlateDB, with and without a home region.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use failover_testkit::NAMES;
use failover_testkit::s3::Server;
use object_store::ObjectStore;
use object_store::memory::InMemory;
use rand::RngExt;
use slatedb::config::{CompactorOptions, FlushOptions, FlushType};
use slatedb::{Db, Settings};
use tokio::time::timeout;

use crate::{HOME, builder, failures, rng, seed, servers, store_with_home, within_limit};

const KEYS: usize = 4000;
/// Time after which an operation that must not finish counts as waiting.
const WAITING: Duration = Duration::from_secs(2);
const FAULTS: [fn(&Server); 2] = [Server::kill, Server::hang];

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

async fn open<S: ObjectStore + Clone>(store: &S) -> Db {
    try_open(store).await.unwrap()
}

/// Opens a database with small tables and frequent background work.
async fn try_open<S: ObjectStore + Clone>(store: &S) -> Result<Db, slatedb::Error> {
    let poll_interval = Duration::from_millis(200);
    let compactor = CompactorOptions {
        poll_interval,
        ..CompactorOptions::default()
    };
    let settings = Settings {
        flush_interval: Some(Duration::from_millis(20)),
        l0_sst_size_bytes: 256 << 10,
        manifest_poll_interval: poll_interval,
        compactor_options: Some(compactor),
        garbage_collector_options: None,
        ..Settings::default()
    };
    Db::builder("db", Arc::new(store.clone()))
        .with_settings(settings)
        .with_seed(seed())
        .with_db_cache_disabled()
        .build()
        .await
}

/// Puts random keys, some of them twice, and flushes. Returns the expected content.
async fn fill(db: &Db) -> Rows {
    let mut rng = rng();
    let mut rows = Rows::new();
    for _ in 0..KEYS {
        let key = format!("key-{:06}", rng.random_range(0..KEYS * 4)).into_bytes();
        let length = rng.random_range(100..900);
        let value: Vec<u8> = (0..length).map(|_| rng.random()).collect();
        db.put(&key, &value).await.unwrap();
        rows.insert(key, value);
    }
    let flush_type = FlushType::MemTable;
    db.flush_with_options(FlushOptions { flush_type })
        .await
        .unwrap();
    rows
}

/// Reads all rows in order. Calls `after_each` with the number of rows so far.
async fn scan(db: &Db, mut after_each: impl FnMut(usize)) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut rows = db.scan::<std::ops::RangeFull>(..).await.unwrap();
    while let Some(row) = rows.next().await.unwrap() {
        found.push((row.key.to_vec(), row.value.to_vec()));
        after_each(found.len());
    }
    found
}

fn in_order(rows: &Rows) -> Vec<(Vec<u8>, Vec<u8>)> {
    rows.clone().into_iter().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_the_same_despite_failing_replicas() {
    let plain = InMemory::new();
    let db = open(&plain).await;
    let rows = fill(&db).await;
    db.close().await.unwrap();
    let db = open(&plain).await;
    let expected = scan(&db, |_| {}).await;
    db.close().await.unwrap();
    assert!(expected == in_order(&rows));

    let servers = servers(&InMemory::new()).await;
    let store = store_with_home(&servers);
    let db = within_limit(open(&store)).await;
    assert!(within_limit(fill(&db)).await == rows);
    within_limit(db.close()).await.unwrap();

    let db = within_limit(open(&store)).await;
    for replica in [1, 2] {
        let before = failures(&store, replica);
        // Faults at the first row of a sixth of the scan.
        let inject_faults = |count| match count * 6 / rows.len() {
            sixth if (count - 1) * 6 / rows.len() == sixth => {}
            1 => servers[replica].kill(),
            2 => servers[replica].revive(),
            3 => servers[replica].hang(),
            5 => servers[replica].revive(),
            _ => {}
        };
        assert!(
            within_limit(scan(&db, inject_faults)).await == expected,
            "while {} was failing",
            NAMES[replica]
        );
        assert!(
            failures(&store, replica) > before,
            "no attempt met the faults: {:?}",
            store.health()
        );
    }
    // Single keys, each read while a replica is failing.
    for (n, (key, value)) in rows.iter().step_by(rows.len() / 40).enumerate() {
        let replica = &servers[1 + n % 2];
        let fault = if n % 3 == 0 {
            Server::hang
        } else {
            Server::kill
        };
        fault(replica);
        let found = within_limit(db.get(key)).await.unwrap();
        assert_eq!(found.as_deref(), Some(value.as_slice()));
        let missing = [key.as_slice(), b"-never"].concat();
        assert_eq!(within_limit(db.get(missing)).await.unwrap(), None);
        replica.revive();
    }
    within_limit(db.close()).await.unwrap();
}

/// Opening a database requests manifests and logs that do not exist. SlateDB accepts `NotFound`,
/// and retries forever after any other error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_home_missing_keys_are_not_found_despite_failing_replica() {
    for fault in FAULTS {
        let servers = servers(&InMemory::new()).await;
        let store = store_with_home(&servers);
        fault(&servers[2]);
        let db = within_limit(open(&store)).await;
        let missing = within_limit(db.get("key that never existed")).await;
        assert_eq!(missing.unwrap(), None);
        let write = within_limit(db.put("key", "value")).await.unwrap();
        within_limit(write.await_durable()).await.unwrap();
        within_limit(db.close()).await.unwrap();
        let db = within_limit(open(&store)).await;
        let found = within_limit(db.get("key")).await.unwrap();
        assert_eq!(found.unwrap(), "value");
        within_limit(db.close()).await.unwrap();
        assert!(
            failures(&store, 2) > 0,
            "no attempt met the fault: {:?}",
            store.health()
        );
    }
}

/// Without a home region a missing manifest is undecided while a replica is down, because that
/// replica may hold a later one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_home_open_waits_for_the_failing_replica() {
    let bucket = InMemory::new();
    let servers = servers(&bucket).await;
    within_limit(open(&bucket).await.close()).await.unwrap();
    let store = builder(&servers).build().unwrap();
    servers[2].kill();
    let mut opening = Box::pin(try_open(&store));
    let early = timeout(WAITING, &mut opening).await;
    assert!(
        early.is_err(),
        "opened without the replica: {:?}",
        early.map(|result| result.err())
    );
    servers[2].revive();
    // The missing manifest is now `NotFound`, and the next step is a write.
    let error = within_limit(opening).await.err().unwrap();
    assert!(error.to_string().contains("writes.policy"), "{error}");
}

/// Writes a row and waits until it is durable.
async fn put_durably(db: &Db, n: usize) -> (Vec<u8>, Vec<u8>) {
    let key = format!("later-{n:06}").into_bytes();
    let value = n.to_string().into_bytes();
    let write = db.put(&key, &value).await.unwrap();
    write.await_durable().await.unwrap();
    (key, value)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_wait_for_home_and_none_is_lost() {
    for fault in FAULTS {
        let servers = servers(&InMemory::new()).await;
        let store = store_with_home(&servers);
        let db = within_limit(open(&store)).await;
        let mut rows = within_limit(fill(&db)).await;
        within_limit(db.close()).await.unwrap();

        // `rows` holds every acknowledged write.
        let db = within_limit(open(&store)).await;
        let tables = in_order(&rows);
        for n in 0..20 {
            rows.extend([within_limit(put_durably(&db, n)).await]);
        }
        fault(&servers[HOME]);
        let mut pending = Box::pin(put_durably(&db, 20));
        assert!(
            timeout(WAITING, &mut pending).await.is_err(),
            "acknowledged while home was failing"
        );
        for (key, value) in tables.iter().step_by(tables.len() / 50) {
            let found = within_limit(db.get(key)).await.unwrap();
            assert_eq!(found.as_deref(), Some(value.as_slice()));
        }
        servers[HOME].revive();
        rows.extend([within_limit(pending).await]);
        for n in 21..40 {
            rows.extend([within_limit(put_durably(&db, n)).await]);
        }
        assert!(within_limit(scan(&db, |_| {})).await == in_order(&rows));
        within_limit(db.close()).await.unwrap();

        servers[1].kill();
        let db = within_limit(open(&store)).await;
        assert!(within_limit(scan(&db, |_| {})).await == in_order(&rows));
        within_limit(db.close()).await.unwrap();
    }
}
