//! Tags: in answers, and in the conditions of calls. No two versions in one body.
//!
//! Input: a line of a tag for `If-Match`, one for `If-None-Match`, then an answer; behind a line of two dashes another region's.

use std::sync::Arc;

use http::HeaderValue;
use object_store::memory::InMemory;
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};
use object_store_failover::{FailoverStore, Region, WritePolicy};

use super::answer::{Answer, line, split};
use super::wire::{self, Pair};
use super::{run, sound};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<wire::Region> = wire::regions();
        static PAIR: Pair = Pair::new();
        static MEMORY: (InMemory, FailoverStore) = run(memory());
    }
    let (matching, rest) = line(data);
    let (other, rest) = line(rest);
    let tags = [matching, other].map(|tag| Some(tag).filter(|tag| !tag.is_empty()));
    let (first, second) = split(rest, b"\n--\n");
    MEMORY.with(|(plain, store)| run(conditions(plain, store, &tags)));
    let answers = [first, second].map(Answer::parse);
    REGIONS.with(|regions| regions.iter().for_each(|region| run(on_the_wire(region, &tags, &answers[0]))));
    PAIR.with(|pair| run(two_regions(pair, answers.map(Answer::of_an_object))));
}

type Tags = [Option<String>; 2];

async fn memory() -> (InMemory, FailoverStore) {
    let plain = InMemory::new();
    plain.put(&"k".into(), "v".into()).await.unwrap();
    let region = |name| Region::new(name, Arc::new(plain.clone()));
    let store = FailoverStore::builder()
        .writes(WritePolicy::Any { home: Some("a".into()) })
        .region(region("a"))
        .region(region("b"))
        .build()
        .unwrap();
    (plain, store)
}

fn options([if_match, if_none_match]: &Tags) -> GetOptions {
    GetOptions { if_match: if_match.clone(), if_none_match: if_none_match.clone(), ..GetOptions::default() }
}

/// Conditions mean what they mean in a plain bucket.
async fn conditions(plain: &InMemory, store: &FailoverStore, tags: &Tags) {
    if tags.iter().flatten().any(|tag| HeaderValue::from_str(tag).is_err()) {
        let refused = store.get_opts(&"k".into(), options(tags)).await.unwrap_err();
        assert!(matches!(refused, Error::NotSupported { .. }), "{refused:?}");
        return;
    }
    match (plain.get_opts(&"k".into(), options(tags)).await, store.get_opts(&"k".into(), options(tags)).await) {
        (Ok(plain), Ok(ours)) => assert_eq!(ours.meta.e_tag, plain.meta.e_tag),
        (Err(plain), Err(ours)) => assert!(sound::same_kind(&ours, &plain), "{ours:?} where a plain bucket says {plain:?}"),
        (plain, ours) => panic!("{tags:?}: {ours:?} where a plain bucket gives {plain:?}"),
    }
}

/// A tag arrives as it was sent, or not at all; an update under any tag ends with one that was sent.
async fn on_the_wire(region: &wire::Region, tags: &Tags, answer: &Answer) {
    let answer = answer.clone().of_an_object();
    region.play(&answer);
    match region.store.get_opts(&"k".into(), options(tags)).await {
        Ok(got) => assert_eq!(got.meta.e_tag.as_deref(), answer.header("etag")),
        Err(error) => drop(sound::failure(&error)),
    }
    for (_, headers) in region.script.requests() {
        for (name, tag) in ["if-match", "if-none-match"].into_iter().zip(tags) {
            assert_eq!(headers.get(name).map(|value| value.as_bytes()), tag.as_deref().map(str::as_bytes), "the caller's own {name}");
        }
    }
    let version = UpdateVersion { e_tag: tags[0].clone(), version: tags[1].clone() };
    match region.store.put_opts(&"k".into(), "v".into(), PutMode::Update(version).into()).await {
        Ok(put) => assert_eq!(put.e_tag.as_deref(), answer.header("etag")),
        Err(error) => drop(sound::failure(&error)),
    }
}

/// The first region's body, and where it is shorter than announced the rest from the other one: only ever of the same version.
async fn two_regions(pair: &Pair, answers: [Answer; 2]) {
    for (script, answer) in pair.scripts.iter().zip(&answers) {
        script.play(answer);
    }
    let bytes = match pair.store.get(&"k".into()).await {
        Ok(got) => {
            let size = got.meta.size;
            got.bytes().await.map(|bytes| (bytes, size))
        }
        Err(error) => Err(error),
    };
    let (bytes, size) = match bytes {
        Ok(bytes) => bytes,
        Err(error) => {
            let _: Error = error;
            return;
        }
    };
    assert_eq!(bytes.len() as u64, size);
    let whole = answers.iter().any(|answer| answer.body == bytes);
    let [first, second] = answers.each_ref().map(|answer| answer.header("etag"));
    let strong = first.is_some_and(|tag| !tag.starts_with("W/"));
    assert!(whole || (strong && first == second), "bytes of {first:?} and {second:?} in one body");
}
