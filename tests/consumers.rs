//! Programs that people run over object_store, over regions that die: parquet's asynchronous reader, and SlateDB.
//!
//! Each does its work twice, undisturbed and while servers are killed, hang and come back, and both must come to the same. The servers
//! share one bucket, so replication is perfect; what remains is failover.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::TryStreamExt;
use futures::future::join_all;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverStore, FailoverStoreBuilder, Region};
use parquet::arrow::ParquetRecordBatchStreamBuilder;
#[allow(deprecated, reason = "it is what its users still run on")]
use parquet::arrow::async_reader::ParquetObjectReader;
use parquet::data_type::{ByteArrayType, Int64Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;
use slatedb::config::{CompactorOptions, FlushOptions, FlushType};
use slatedb::{Db, Settings};
use support::s3::Server;
use support::{NAMES, ms, secs, settings};
use tokio::time::timeout;

/// Where SlateDB writes; [`NAMES`] has its name.
const HOME: usize = 0;
/// Far more than anything here takes; reached only by a test that fails.
const LONG: Duration = secs(90);

/// Three servers over one bucket.
async fn servers(bucket: &InMemory) -> Vec<Server> {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start("bucket", Arc::new(bucket.clone())).await);
    }
    servers
}

/// A store over them. A server that hangs costs a second, and is asked again soon after it was given up. Only a machine that stands
/// still could make a healthy one fail three rounds.
fn over(servers: &[Server]) -> FailoverStoreBuilder {
    let one = || json!({"attempt": "1s"});
    let last = ["list", "list_with_delimiter", "put", "put_part", "copy", "rename", "complete", "delete"];
    let operations: BTreeMap<_, _> = last.into_iter().map(|operation| (operation, one())).collect();
    let builder = FailoverStore::builder()
        .seed(seed())
        .breaker(settings(json!({"failure_threshold": 2, "open_for": "200ms", "open_for_max": "1s", "ramp": "0s"})))
        .retry(settings(json!({"rounds": 3, "base_delay": "100ms"})))
        .timeouts(settings(json!({"attempt": "1s", "stall": "1s", "operations": operations})));
    servers.iter().zip(NAMES).fold(builder, |builder, (server, name)| builder.region(Region::new(name, Arc::new(server.store()))))
}

/// The same, with a home.
fn homed(servers: &[Server]) -> FailoverStore {
    over(servers).writes(settings(json!({"policy": "home", "home": NAMES[HOME]}))).build().unwrap()
}

/// `SEED=n` replays a run as far as chance decides it.
fn seed() -> u64 {
    std::env::var("SEED").map_or(7, |seed| seed.parse().unwrap())
}

fn dice() -> StdRng {
    println!("SEED={}", seed());
    StdRng::seed_from_u64(seed())
}

async fn soon<T>(work: impl Future<Output = T>) -> T {
    timeout(LONG, work).await.expect("it takes no such time")
}

/// Attempts that were that region's fault.
fn failures(store: &FailoverStore, region: usize) -> u64 {
    store.health().regions[region].failures
}

const GROUPS: usize = 48;
const ROWS_OF_A_GROUP: usize = 4096;
const ROWS_OF_A_BATCH: usize = 1024;
const READERS: usize = 4;

/// A file of some MiB in many row groups, which nothing can compress away.
fn parquet_file() -> Vec<u8> {
    let mut dice = dice();
    let schema = parse_message_type("message row { required int64 number; required binary text (UTF8); }").unwrap();
    let properties = WriterProperties::builder().set_dictionary_enabled(false).set_statistics_enabled(EnabledStatistics::None).build();
    let mut file = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties)).unwrap();
    for _ in 0..GROUPS {
        let numbers: Vec<i64> = (0..ROWS_OF_A_GROUP).map(|_| dice.random()).collect();
        let texts: Vec<_> = numbers.iter().map(|number| format!("{number:032x}").into_bytes().into()).collect();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<Int64Type>().write_batch(&numbers, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&texts, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

/// All batches of the file, in order. `after_each` is called once for each of them.
#[allow(deprecated, reason = "it is what its users still run on")]
async fn batches(store: Arc<dyn ObjectStore>, after_each: &(dyn Fn() + Sync)) -> Vec<impl PartialEq + Debug + use<>> {
    let reader = ParquetObjectReader::new(store, Path::from("table.parquet"));
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await.unwrap();
    let rows = builder.with_batch_size(ROWS_OF_A_BATCH).build().unwrap();
    rows.inspect_ok(|_| after_each()).try_collect().await.unwrap()
}

#[tokio::test]
async fn parquet_reads_the_same_batches_while_one_server_dies_and_another_hangs() {
    let bucket = InMemory::new();
    let file = parquet_file();
    assert!(file.len() > 5 << 20, "{}", file.len());
    bucket.put(&Path::from("table.parquet"), file.into()).await.unwrap();
    let undisturbed = batches(Arc::new(bucket.clone()), &|| {}).await;
    assert_eq!(undisturbed.len(), GROUPS * ROWS_OF_A_GROUP / ROWS_OF_A_BATCH);

    let servers = servers(&bucket).await;
    let store = over(&servers).build().unwrap();
    let all = READERS * undisturbed.len();
    let seen = AtomicUsize::new(0);
    let disturb = || match seen.fetch_add(1, Ordering::SeqCst) + 1 {
        count if count == all / 4 => servers[0].kill(),
        count if count == all / 2 => servers[1].hang(),
        count if count == all * 3 / 4 => servers[0].revive(),
        _ => {}
    };
    let readers = (0..READERS).map(|_| batches(Arc::new(store.clone()), &disturb));
    for (reader, disturbed) in soon(join_all(readers)).await.into_iter().enumerate() {
        assert_eq!(disturbed.len(), undisturbed.len(), "reader {reader}");
        for (at, (one, other)) in disturbed.iter().zip(&undisturbed).enumerate() {
            assert!(one == other, "reader {reader}, batch {at}");
        }
    }
    assert!(failures(&store, 0) > 0 && failures(&store, 1) > 0, "nobody has met the faults: {:?}", store.health());
}

const KEYS: usize = 4000;

type Rows = BTreeMap<Vec<u8>, Vec<u8>>;

/// A database with small tables, whose background work goes on at a pace that a test can see.
async fn open<S: ObjectStore + Clone>(store: &S) -> Db {
    try_open(store).await.unwrap()
}

async fn try_open<S: ObjectStore + Clone>(store: &S) -> Result<Db, slatedb::Error> {
    let settings = Settings {
        flush_interval: Some(ms(20)),
        l0_sst_size_bytes: 256 << 10,
        manifest_poll_interval: ms(200),
        compactor_options: Some(CompactorOptions { poll_interval: ms(200), ..CompactorOptions::default() }),
        garbage_collector_options: None,
        ..Settings::default()
    };
    Db::builder("db", Arc::new(store.clone())).with_settings(settings).with_seed(seed()).with_db_cache_disabled().build().await
}

/// Puts some thousands of keys, some of them twice, into tables, and says what a scan has to find.
async fn fill(db: &Db) -> Rows {
    let mut dice = dice();
    let mut rows = Rows::new();
    for _ in 0..KEYS {
        let key = format!("key-{:06}", dice.random_range(0..KEYS * 4)).into_bytes();
        let value: Vec<u8> = (0..dice.random_range(100..900)).map(|_| dice.random()).collect();
        db.put(&key, &value).await.unwrap();
        rows.insert(key, value);
    }
    db.flush_with_options(FlushOptions { flush_type: FlushType::MemTable }).await.unwrap();
    rows
}

/// All rows, in their order. `after_each` is called with the number of rows so far.
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
async fn slatedb_reads_the_same_rows_while_a_replica_dies_hangs_and_comes_back() {
    let plain = InMemory::new();
    let db = open(&plain).await;
    let rows = fill(&db).await;
    db.close().await.unwrap();
    let db = open(&plain).await;
    let undisturbed = scan(&db, |_| {}).await;
    db.close().await.unwrap();
    assert!(undisturbed == in_order(&rows));

    let bucket = InMemory::new();
    let servers = servers(&bucket).await;
    let store = homed(&servers);
    let db = soon(open(&store)).await;
    assert!(soon(fill(&db)).await == rows);
    soon(db.close()).await.unwrap();

    let db = soon(open(&store)).await;
    for replica in [1, 2] {
        let before = failures(&store, replica);
        let disturb = |count| match count * 6 / rows.len() {
            at if (count - 1) * 6 / rows.len() == at => {}
            1 => servers[replica].kill(),
            2 => servers[replica].revive(),
            3 => servers[replica].hang(),
            5 => servers[replica].revive(),
            _ => {}
        };
        assert!(soon(scan(&db, disturb)).await == undisturbed, "while {} was ill", NAMES[replica]);
        assert!(failures(&store, replica) > before, "nobody has met the faults: {:?}", store.health());
    }
    // Single keys, each answered while a replica is away.
    for (n, (key, value)) in rows.iter().step_by(rows.len() / 40).enumerate() {
        let replica = &servers[1 + n % 2];
        let fault = if n % 3 == 0 { Server::hang } else { Server::kill };
        fault(replica);
        assert_eq!(soon(db.get(key)).await.unwrap().as_deref(), Some(value.as_slice()));
        assert_eq!(soon(db.get([key.as_slice(), b"-never"].concat())).await.unwrap(), None);
        replica.revive();
    }
    soon(db.close()).await.unwrap();
}

/// To open a database is to ask for manifests and logs that do not exist. SlateDB takes `NotFound` for an answer and asks again without
/// end after any other error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slatedb_is_told_at_once_what_never_existed_while_a_replica_is_away_if_a_home_is_named() {
    for fault in [Server::kill as fn(&Server), Server::hang] {
        let bucket = InMemory::new();
        let servers = servers(&bucket).await;
        let store = homed(&servers);
        fault(&servers[2]);
        let db = soon(open(&store)).await;
        assert_eq!(soon(db.get("key that never existed")).await.unwrap(), None);
        soon(soon(db.put("key", "value")).await.unwrap().await_durable()).await.unwrap();
        soon(db.close()).await.unwrap();
        let db = soon(open(&store)).await;
        assert_eq!(soon(db.get("key")).await.unwrap().unwrap(), "value");
        soon(db.close()).await.unwrap();
        assert!(failures(&store, 2) > 0, "nobody has met the fault: {:?}", store.health());
    }
}

/// Why a home has to be named: without one a missing manifest is undecided while a replica is away, and must be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slatedb_waits_for_a_replica_that_is_away_if_no_home_is_named() {
    let bucket = InMemory::new();
    let servers = servers(&bucket).await;
    soon(open(&bucket).await.close()).await.unwrap();
    let store = over(&servers).build().unwrap();
    servers[2].kill();
    let mut opening = Box::pin(try_open(&store));
    let early = timeout(secs(2), &mut opening).await;
    assert!(early.is_err(), "a replica that is away may hold a later manifest, but {:?}", early.map(|opened| opened.err()));
    servers[2].revive();
    // That there is none is told now, and the next step is to write one.
    let error = soon(opening).await.err().unwrap();
    assert!(error.to_string().contains("writes.policy"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slatedb_waits_while_home_is_away_reads_on_and_loses_no_acknowledged_write() {
    for fault in [Server::kill as fn(&Server), Server::hang] {
        let bucket = InMemory::new();
        let servers = servers(&bucket).await;
        let store = homed(&servers);
        let db = soon(open(&store)).await;
        let mut rows = soon(fill(&db)).await;
        soon(db.close()).await.unwrap();

        let db = soon(open(&store)).await;
        let tables = in_order(&rows);
        // What is acknowledged is in `rows`.
        let put = async |n: usize| {
            let (key, value) = (format!("later-{n:06}").into_bytes(), n.to_string().into_bytes());
            db.put(&key, &value).await.unwrap().await_durable().await.unwrap();
            (key, value)
        };
        for n in 0..20 {
            rows.extend([soon(put(n)).await]);
        }
        fault(&servers[HOME]);
        let mut pending = Box::pin(put(20));
        assert!(timeout(secs(2), &mut pending).await.is_err(), "acknowledged by a home that is away");
        for (key, value) in tables.iter().step_by(tables.len() / 50) {
            assert_eq!(soon(db.get(key)).await.unwrap().as_deref(), Some(value.as_slice()));
        }
        servers[HOME].revive();
        rows.extend([soon(pending).await]);
        for n in 21..40 {
            rows.extend([soon(put(n)).await]);
        }
        assert!(soon(scan(&db, |_| {})).await == in_order(&rows));
        soon(db.close()).await.unwrap();

        servers[1].kill();
        let db = soon(open(&store)).await;
        assert!(soon(scan(&db, |_| {})).await == in_order(&rows));
        soon(db.close()).await.unwrap();
    }
}
