//! Ranges: any numbers in requests and in responses.
//!
//! Input: a line of ranges (`2-5` for bytes 2 to 4, `7-` from byte 7, `-3` for the last three),
//! then a response.

use std::ops::Range;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload};
use object_store_failover::{FailoverStore, Region};

use super::response::{Response, line};
use super::{checks, client, run};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<client::Region> = client::regions();
        static MEMORY: (InMemory, FailoverStore) = run(memory());
    }
    let (ranges, rest) = line(data);
    let ranges: Vec<_> = ranges
        .split(' ')
        .filter_map(parse_range)
        .take(MAX_RANGES)
        .collect();
    MEMORY.with(|(plain, store)| {
        ranges
            .iter()
            .for_each(|range| run(one(plain, store, range)));
        run(several(plain, store, &bounded(&ranges)));
    });
    let response = Response::parse(rest).with_object_headers();
    REGIONS.with(|regions| {
        regions
            .iter()
            .for_each(|region| run(on_the_wire(region, &ranges, &response)))
    });
}

async fn memory() -> (InMemory, FailoverStore) {
    let plain = InMemory::new();
    plain
        .put(&"k".into(), PutPayload::from_static(CONTENT))
        .await
        .unwrap();
    let region = |name| Region::new(name, Arc::new(plain.clone()));
    let store = FailoverStore::builder()
        .region(region("a"))
        .region(region("b"))
        .build()
        .unwrap();
    (plain, store)
}

/// The result of a plain bucket, or an error of the same class.
async fn one(plain: &InMemory, store: &FailoverStore, range: &GetRange) {
    let options = || GetOptions {
        range: Some(range.clone()),
        ..GetOptions::default()
    };
    match (
        plain.get_opts(&"k".into(), options()).await,
        store.get_opts(&"k".into(), options()).await,
    ) {
        (Ok(plain), Ok(ours)) => {
            assert_eq!(
                (&ours.range, ours.meta.size),
                (&plain.range, plain.meta.size)
            );
            assert_eq!(ours.bytes().await.unwrap(), plain.bytes().await.unwrap());
        }
        (Err(plain), Err(ours)) => assert_eq!(
            checks::failure(&ours).class(),
            checks::failure(&plain).class()
        ),
        (plain, ours) => panic!("{range:?}: {ours:?}, but a plain bucket gives {plain:?}"),
    }
}

/// Each range has its bytes, in request order. If one range is invalid the call fails.
async fn several(plain: &InMemory, store: &FailoverStore, ranges: &[Range<u64>]) {
    let ours = store.get_ranges(&"k".into(), ranges).await;
    match ours {
        Ok(parts) => {
            assert_eq!(parts.len(), ranges.len());
            for (part, range) in parts.iter().zip(ranges) {
                let end = range.end.min(CONTENT.len() as u64);
                assert_eq!(
                    part,
                    &CONTENT[range.start as usize..end as usize],
                    "{range:?} of {ranges:?}"
                );
            }
        }
        Err(error) => {
            assert!(
                plain.get_ranges(&"k".into(), ranges).await.is_err(),
                "{error}, but a plain bucket succeeds"
            );
            let _ = checks::failure(&error);
        }
    }
}

/// Whatever the headers claim, the caller gets the bytes of the range or an error.
async fn on_the_wire(region: &client::Region, ranges: &[GetRange], response: &Response) {
    region.respond_with(response);
    for range in ranges.iter().cloned().map(Some).chain([None]) {
        let options = GetOptions {
            range: range.clone(),
            ..GetOptions::default()
        };
        let got = match region.store.get_opts(&"k".into(), options).await {
            Ok(got) => got,
            Err(error) => {
                let _ = checks::failure(&error);
                continue;
            }
        };
        let wanted = range.map_or(0..got.meta.size, |range| {
            range.as_range(got.meta.size).unwrap()
        });
        assert_eq!(got.range, wanted);
        match got.bytes().await {
            Ok(bytes) => assert!(
                bytes.len() as u64 == wanted.end - wanted.start
                    && response.body.starts_with(&bytes),
                "{bytes:?}"
            ),
            Err(error) => drop(checks::failure(&error)),
        }
    }
    let ranges = bounded(ranges);
    match region.store.get_ranges(&"k".into(), &ranges).await {
        Ok(parts) => assert_eq!(parts.len(), ranges.len()),
        Err(error) => drop(checks::failure(&error)),
    }
}

fn parse_range(text: &str) -> Option<GetRange> {
    let (start, end) = text.split_once('-')?;
    Some(match (start, end) {
        ("", last) => GetRange::Suffix(last.parse().ok()?),
        (start, "") => GetRange::Offset(start.parse().ok()?),
        (start, end) => GetRange::Bounded(start.parse().ok()?..end.parse().ok()?),
    })
}

fn bounded(ranges: &[GetRange]) -> Vec<Range<u64>> {
    let bounds = |range: &GetRange| match range {
        GetRange::Bounded(range) => Some(range.clone()),
        GetRange::Offset(_) | GetRange::Suffix(_) => None,
    };
    ranges.iter().filter_map(bounds).collect()
}

const CONTENT: &[u8] = b"0123456789";
/// Each range costs a request per region.
const MAX_RANGES: usize = 8;
