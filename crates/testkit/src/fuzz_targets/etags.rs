//! ETags in responses and in the conditions of calls. A body never mixes two versions.
//!
//! Input: a line with an ETag for `If-Match`, one for `If-None-Match`, a response, a line `--`, and
//! the response of a second region.

use std::sync::Arc;

use http::HeaderValue;
use object_store::memory::InMemory;
use object_store::{Error, GetOptions, ObjectStore, ObjectStoreExt, PutMode, UpdateVersion};
use object_store_failover::{FailoverStore, Region, WritePolicy};

use super::client::{self, Pair};
use super::response::{Response, line, split};
use super::{checks, run};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<client::Region> = client::regions();
        static PAIR: Pair = Pair::new();
        static MEMORY: (InMemory, FailoverStore) = run(memory());
    }
    let (matching, rest) = line(data);
    let (other, rest) = line(rest);
    let tags = [matching, other].map(|tag| Some(tag).filter(|tag| !tag.is_empty()));
    let (first, second) = split(rest, b"\n--\n");
    MEMORY.with(|(plain, store)| run(conditions(plain, store, &tags)));
    let responses = [first, second].map(Response::parse);
    REGIONS.with(|regions| {
        regions
            .iter()
            .for_each(|region| run(on_the_wire(region, &tags, &responses[0])))
    });
    PAIR.with(|pair| {
        run(two_regions(
            pair,
            responses.map(Response::with_object_headers),
        ))
    });
}

type Tags = [Option<String>; 2];

async fn memory() -> (InMemory, FailoverStore) {
    let plain = InMemory::new();
    plain.put(&"k".into(), "v".into()).await.unwrap();
    let region = |name| Region::new(name, Arc::new(plain.clone()));
    let store = FailoverStore::builder()
        .writes(WritePolicy::Any {
            home: Some("a".into()),
        })
        .region(region("a"))
        .region(region("b"))
        .build()
        .unwrap();
    (plain, store)
}

fn options([if_match, if_none_match]: &Tags) -> GetOptions {
    GetOptions {
        if_match: if_match.clone(),
        if_none_match: if_none_match.clone(),
        ..GetOptions::default()
    }
}

/// Conditions have the same result as in a plain bucket.
async fn conditions(plain: &InMemory, store: &FailoverStore, tags: &Tags) {
    if tags
        .iter()
        .flatten()
        .any(|tag| HeaderValue::from_str(tag).is_err())
    {
        let rejected = store
            .get_opts(&"k".into(), options(tags))
            .await
            .unwrap_err();
        assert!(
            matches!(rejected, Error::NotSupported { .. }),
            "{rejected:?}"
        );
        return;
    }
    match (
        plain.get_opts(&"k".into(), options(tags)).await,
        store.get_opts(&"k".into(), options(tags)).await,
    ) {
        (Ok(plain), Ok(ours)) => assert_eq!(ours.meta.e_tag, plain.meta.e_tag),
        (Err(plain), Err(ours)) => assert!(
            checks::same_kind(&ours, &plain),
            "{ours:?}, but a plain bucket gives {plain:?}"
        ),
        (plain, ours) => panic!("{tags:?}: {ours:?}, but a plain bucket gives {plain:?}"),
    }
}

/// An ETag is returned as it was sent, and the caller's ETags are sent unchanged.
async fn on_the_wire(region: &client::Region, tags: &Tags, response: &Response) {
    let response = response.clone().with_object_headers();
    region.respond_with(&response);
    match region.store.get_opts(&"k".into(), options(tags)).await {
        Ok(got) => assert_eq!(got.meta.e_tag.as_deref(), response.header("etag")),
        Err(error) => drop(checks::failure(&error)),
    }
    for (_, headers) in region.client.requests() {
        for (name, tag) in ["if-match", "if-none-match"].into_iter().zip(tags) {
            assert_eq!(
                headers.get(name).map(|value| value.as_bytes()),
                tag.as_deref().map(str::as_bytes),
                "the caller's own {name}"
            );
        }
    }
    let version = UpdateVersion {
        e_tag: tags[0].clone(),
        version: tags[1].clone(),
    };
    match region
        .store
        .put_opts(&"k".into(), "v".into(), PutMode::Update(version).into())
        .await
    {
        Ok(put) => assert_eq!(put.e_tag.as_deref(), response.header("etag")),
        Err(error) => drop(checks::failure(&error)),
    }
}

/// A body that ends early in the first region resumes in the second one only for the same version.
async fn two_regions(pair: &Pair, responses: [Response; 2]) {
    for (client, response) in pair.clients.iter().zip(&responses) {
        client.respond_with(response);
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
    let whole = responses.iter().any(|response| response.body == bytes);
    let [first, second] = responses.each_ref().map(|response| response.header("etag"));
    let strong = first.is_some_and(|tag| !tag.starts_with("W/"));
    // A response with `content-length: 0` is complete without its body; no bytes are mixed.
    assert!(
        bytes.is_empty() || whole || (strong && first == second),
        "bytes of {first:?} and {second:?} in one body"
    );
}
