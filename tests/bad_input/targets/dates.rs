//! Dates: in heads and in listings, and any moment in the conditions of calls.
//!
//! Input: a line of seconds since 1970 and nanoseconds, then an answer.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverStore, Region};

use super::answer::{Answer, line};
use super::{run, sound, wire};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<wire::Region> = wire::regions();
        static MEMORY: (InMemory, FailoverStore) = run(memory());
    }
    let (moment, rest) = line(data);
    let conditions = moment_of(&moment).map_or_else(Vec::new, conditions);
    MEMORY.with(|(plain, store)| conditions.iter().for_each(|options| run(compare(plain, store, options))));
    let answer = Answer::parse(rest);
    REGIONS.with(|regions| regions.iter().for_each(|region| run(on_the_wire(region, &conditions, &answer))));
}

async fn memory() -> (InMemory, FailoverStore) {
    let plain = InMemory::new();
    plain.put(&"k".into(), "v".into()).await.unwrap();
    let region = |name| Region::new(name, Arc::new(plain.clone()));
    (plain.clone(), FailoverStore::builder().region(region("a")).region(region("b")).build().unwrap())
}

/// Conditions mean what they mean in a plain bucket.
async fn compare(plain: &InMemory, store: &FailoverStore, options: &GetOptions) {
    match (plain.get_opts(&"k".into(), options.clone()).await, store.get_opts(&"k".into(), options.clone()).await) {
        (Ok(_), Ok(_)) => {}
        (Err(plain), Err(ours)) => assert!(sound::same_kind(&ours, &plain), "{ours:?} where a plain bucket says {plain:?}"),
        (plain, ours) => panic!("{options:?}: {ours:?} where a plain bucket gives {plain:?}"),
    }
}

/// A date arrives as it was sent, or the call fails; a listing has the dates of its items, or fails.
async fn on_the_wire(region: &wire::Region, conditions: &[GetOptions], answer: &Answer) {
    region.play(&answer.clone().of_an_object());
    for options in conditions.iter().cloned().chain([GetOptions::default()]) {
        match region.store.get_opts(&"k".into(), options).await {
            Ok(got) => {
                let sent = answer.header("last-modified").unwrap_or("Sat, 21 Nov 2026 00:00:00 GMT");
                assert_eq!(Ok(got.meta.last_modified), DateTime::parse_from_rfc2822(sent).map(|date| date.with_timezone(&Utc)));
            }
            Err(error) => drop(sound::failure(&error)),
        }
    }
    let (plain, ours) = (wire::list(&*region.plain, &Path::from("k")).await, wire::list(&region.store, &Path::from("k")).await);
    match (plain, ours) {
        (Ok(plain), Ok(ours)) => assert_eq!(ours, plain),
        (Err(plain), Err(ours)) => assert_eq!(sound::failure(&ours).is_throttle(), sound::failure(&plain).is_throttle()),
        (plain, ours) => panic!("{ours:?} where object_store gives {plain:?}"),
    }
}

fn conditions(moment: DateTime<Utc>) -> Vec<GetOptions> {
    let (since, until) = (GetOptions::default(), GetOptions::default());
    vec![GetOptions { if_modified_since: Some(moment), ..since }, GetOptions { if_unmodified_since: Some(moment), ..until }]
}

fn moment_of(line: &str) -> Option<DateTime<Utc>> {
    let (seconds, nanoseconds) = line.split_once(' ')?;
    DateTime::from_timestamp(seconds.parse().ok()?, nanoseconds.parse().ok()?)
}
