//! Dates in headers, listings and the conditions of calls.
//!
//! Input: a line with seconds since 1970 and nanoseconds, then a response.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverStore, Region};

use super::response::{Response, line};
use super::{checks, client, run};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<client::Region> = client::regions();
        static MEMORY: (InMemory, FailoverStore) = run(memory());
    }
    let (moment, rest) = line(data);
    let conditions = moment_of(&moment).map_or_else(Vec::new, conditions);
    MEMORY.with(|(plain, store)| {
        conditions
            .iter()
            .for_each(|options| run(compare(plain, store, options)))
    });
    let response = Response::parse(rest);
    REGIONS.with(|regions| {
        regions
            .iter()
            .for_each(|region| run(on_the_wire(region, &conditions, &response)))
    });
}

async fn memory() -> (InMemory, FailoverStore) {
    let plain = InMemory::new();
    plain.put(&"k".into(), "v".into()).await.unwrap();
    let region = |name| Region::new(name, Arc::new(plain.clone()));
    (
        plain.clone(),
        FailoverStore::builder()
            .region(region("a"))
            .region(region("b"))
            .build()
            .unwrap(),
    )
}

/// Conditions have the same result as in a plain bucket.
async fn compare(plain: &InMemory, store: &FailoverStore, options: &GetOptions) {
    match (
        plain.get_opts(&"k".into(), options.clone()).await,
        store.get_opts(&"k".into(), options.clone()).await,
    ) {
        (Ok(_), Ok(_)) => {}
        (Err(plain), Err(ours)) => assert!(
            checks::same_kind(&ours, &plain),
            "{ours:?}, but a plain bucket gives {plain:?}"
        ),
        (plain, ours) => panic!("{options:?}: {ours:?}, but a plain bucket gives {plain:?}"),
    }
}

/// A date is returned as it was sent, or the call fails; the same for the items of a listing.
async fn on_the_wire(region: &client::Region, conditions: &[GetOptions], response: &Response) {
    region.respond_with(&response.clone().with_object_headers());
    for options in conditions.iter().cloned().chain([GetOptions::default()]) {
        match region.store.get_opts(&"k".into(), options).await {
            Ok(got) => {
                let sent = response
                    .header("last-modified")
                    .unwrap_or("Sat, 21 Nov 2026 00:00:00 GMT");
                assert_eq!(
                    Ok(got.meta.last_modified),
                    DateTime::parse_from_rfc2822(sent).map(|date| date.with_timezone(&Utc))
                );
            }
            Err(error) => drop(checks::failure(&error)),
        }
    }
    let (plain, ours) = (
        client::list(&*region.plain, &Path::from("k")).await,
        client::list(&region.store, &Path::from("k")).await,
    );
    match (plain, ours) {
        (Ok(plain), Ok(ours)) => assert_eq!(ours, plain),
        (Err(plain), Err(ours)) => assert_eq!(
            checks::failure(&ours).is_throttle(),
            checks::failure(&plain).is_throttle()
        ),
        (plain, ours) => panic!("{ours:?}, but object_store gives {plain:?}"),
    }
}

fn conditions(moment: DateTime<Utc>) -> Vec<GetOptions> {
    let (since, until) = (GetOptions::default(), GetOptions::default());
    vec![
        GetOptions {
            if_modified_since: Some(moment),
            ..since
        },
        GetOptions {
            if_unmodified_since: Some(moment),
            ..until
        },
    ]
}

fn moment_of(line: &str) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = line.split_once(' ')?;
    DateTime::from_timestamp(seconds.parse().ok()?, nanoseconds.parse().ok()?)
}
