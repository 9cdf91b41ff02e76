//! Parquet's asynchronous reader.

use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::TryStreamExt;
use futures::future::join_all;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ParquetRecordBatchStreamBuilder;
#[allow(deprecated, reason = "released programs use it")]
use parquet::arrow::async_reader::ParquetObjectReader;
use parquet::data_type::{ByteArrayType, Int64Type};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use rand::RngExt;

use crate::{builder, failures, rng, servers, within_limit};

const GROUPS: usize = 48;
const ROWS_PER_GROUP: usize = 4096;
const ROWS_PER_BATCH: usize = 1024;
const READERS: usize = 4;
const MIN_FILE_BYTES: usize = 5 << 20;

/// A file with many row groups of random numbers, which do not compress.
fn parquet_file() -> Vec<u8> {
    let mut rng = rng();
    let schema = "message row { required int64 number; required binary text (UTF8); }";
    let schema = parse_message_type(schema).unwrap();
    let properties = WriterProperties::builder()
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let (schema, properties) = (Arc::new(schema), Arc::new(properties));
    let mut file = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
    for _ in 0..GROUPS {
        let numbers: Vec<i64> = (0..ROWS_PER_GROUP).map(|_| rng.random()).collect();
        let texts: Vec<_> = numbers
            .iter()
            .map(|number| format!("{number:032x}").into_bytes().into())
            .collect();
        let mut group = file.next_row_group().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let writer = column.typed::<Int64Type>();
        writer.write_batch(&numbers, None, None).unwrap();
        column.close().unwrap();
        let mut column = group.next_column().unwrap().unwrap();
        let writer = column.typed::<ByteArrayType>();
        writer.write_batch(&texts, None, None).unwrap();
        column.close().unwrap();
        group.close().unwrap();
    }
    file.into_inner().unwrap()
}

/// Reads all batches in order. Calls `after_each` once per batch.
#[allow(deprecated, reason = "released programs use it")]
async fn read_batches(
    store: Arc<dyn ObjectStore>,
    after_each: &(dyn Fn() + Sync),
) -> Vec<impl PartialEq + Debug + use<>> {
    let reader = ParquetObjectReader::new(store, Path::from("table.parquet"));
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await.unwrap();
    let batches = builder.with_batch_size(ROWS_PER_BATCH).build().unwrap();
    let batches = batches.inspect_ok(|_| after_each());
    batches.try_collect().await.unwrap()
}

#[tokio::test]
async fn batches_are_the_same_despite_dead_and_hanging_servers() {
    let bucket = InMemory::new();
    let (file, path) = (parquet_file(), Path::from("table.parquet"));
    assert!(file.len() > MIN_FILE_BYTES, "{}", file.len());
    bucket.put(&path, file.into()).await.unwrap();
    let expected = read_batches(Arc::new(bucket.clone()), &|| {}).await;
    assert_eq!(expected.len(), GROUPS * ROWS_PER_GROUP / ROWS_PER_BATCH);

    let servers = servers(&bucket).await;
    let store = builder(&servers).build().unwrap();
    let total = READERS * expected.len();
    let done = AtomicUsize::new(0);
    let inject_faults = || match done.fetch_add(1, Ordering::SeqCst) + 1 {
        count if count == total / 4 => servers[0].kill(),
        count if count == total / 2 => servers[1].hang(),
        count if count == total * 3 / 4 => servers[0].revive(),
        _ => {}
    };
    let readers = (0..READERS).map(|_| read_batches(Arc::new(store.clone()), &inject_faults));
    let results = within_limit(join_all(readers)).await;
    for (reader, batches) in results.into_iter().enumerate() {
        assert_eq!(batches.len(), expected.len(), "reader {reader}");
        for (index, (batch, expected)) in batches.iter().zip(&expected).enumerate() {
            assert!(batch == expected, "reader {reader}, batch {index}");
        }
    }
    assert!(
        failures(&store, 0) > 0 && failures(&store, 1) > 0,
        "no attempt met the faults: {:?}",
        store.health()
    );
}
