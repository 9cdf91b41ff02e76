//! Parts of objects: any numbers in what is asked for, and in what is answered.
//!
//! Input: a line of ranges (`2-5` for bytes 2 to 4, `7-` from 7 on, `-3` the last three), then an answer.

use std::ops::Range;
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload};
use object_store_failover::{FailoverStore, Region};

use super::answer::{Answer, line};
use super::{run, sound, wire};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<wire::Region> = wire::regions();
        static MEMORY: (InMemory, FailoverStore) = run(memory());
    }
    let (ranges, rest) = line(data);
    let ranges: Vec<_> = ranges.split(' ').filter_map(range).take(MOST).collect();
    MEMORY.with(|(plain, store)| {
        ranges.iter().for_each(|range| run(one(plain, store, range)));
        run(several(plain, store, &bounded(&ranges)));
    });
    let answer = Answer::parse(rest).of_an_object();
    REGIONS.with(|regions| regions.iter().for_each(|region| run(on_the_wire(region, &ranges, &answer))));
}

async fn memory() -> (InMemory, FailoverStore) {
    let plain = InMemory::new();
    plain.put(&"k".into(), PutPayload::from_static(CONTENT)).await.unwrap();
    let region = |name| Region::new(name, Arc::new(plain.clone()));
    let store = FailoverStore::builder().region(region("a")).region(region("b")).build().unwrap();
    (plain, store)
}

/// What a plain bucket gives, or an error of the same meaning.
async fn one(plain: &InMemory, store: &FailoverStore, range: &GetRange) {
    let options = || GetOptions { range: Some(range.clone()), ..GetOptions::default() };
    match (plain.get_opts(&"k".into(), options()).await, store.get_opts(&"k".into(), options()).await) {
        (Ok(plain), Ok(ours)) => {
            assert_eq!((&ours.range, ours.meta.size), (&plain.range, plain.meta.size));
            assert_eq!(ours.bytes().await.unwrap(), plain.bytes().await.unwrap());
        }
        (Err(plain), Err(ours)) => assert_eq!(sound::failure(&ours).class(), sound::failure(&plain).class()),
        (plain, ours) => panic!("{range:?}: {ours:?} where a plain bucket gives {plain:?}"),
    }
}

/// Each range has its own bytes, in the order in which they were asked for. Any of them may be refused; then all are.
async fn several(plain: &InMemory, store: &FailoverStore, ranges: &[Range<u64>]) {
    let ours = store.get_ranges(&"k".into(), ranges).await;
    match ours {
        Ok(parts) => {
            assert_eq!(parts.len(), ranges.len());
            for (part, range) in parts.iter().zip(ranges) {
                let end = range.end.min(CONTENT.len() as u64);
                assert_eq!(part, &CONTENT[range.start as usize..end as usize], "{range:?} of {ranges:?}");
            }
        }
        Err(error) => {
            assert!(plain.get_ranges(&"k".into(), ranges).await.is_err(), "{error} for what a plain bucket gives");
            let _ = sound::failure(&error);
        }
    }
}

/// Whatever the region says of what it gives: the caller gets the bytes of the range, or an error.
async fn on_the_wire(region: &wire::Region, ranges: &[GetRange], answer: &Answer) {
    region.play(answer);
    for range in ranges.iter().cloned().map(Some).chain([None]) {
        let options = GetOptions { range: range.clone(), ..GetOptions::default() };
        let got = match region.store.get_opts(&"k".into(), options).await {
            Ok(got) => got,
            Err(error) => {
                let _ = sound::failure(&error);
                continue;
            }
        };
        let wanted = range.map_or(0..got.meta.size, |range| range.as_range(got.meta.size).unwrap());
        assert_eq!(got.range, wanted);
        match got.bytes().await {
            Ok(bytes) => assert!(bytes.len() as u64 == wanted.end - wanted.start && answer.body.starts_with(&bytes), "{bytes:?}"),
            Err(error) => drop(sound::failure(&error)),
        }
    }
    let ranges = bounded(ranges);
    match region.store.get_ranges(&"k".into(), &ranges).await {
        Ok(parts) => assert_eq!(parts.len(), ranges.len()),
        Err(error) => drop(sound::failure(&error)),
    }
}

fn range(word: &str) -> Option<GetRange> {
    let (start, end) = word.split_once('-')?;
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
/// Each is asked of each region.
const MOST: usize = 8;
