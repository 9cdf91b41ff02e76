//! `Retry-After`, beside whatever date: how long a region asks to be left alone, and that nobody waits longer than they may.
//!
//! Input: an answer.

use object_store::ObjectStoreExt;
use tokio::time::Instant;

use super::answer::Answer;
use super::wire::{Region, regions};
use super::{run, sound};

pub fn target(data: &[u8]) {
    thread_local! {
        static REGIONS: Vec<Region> = regions();
    }
    let answer = Answer::parse(data);
    REGIONS.with(|regions| regions.iter().for_each(|region| run(asked(region, &answer))));
}

async fn asked(region: &Region, answer: &Answer) {
    region.play(answer);
    let began = Instant::now();
    let Err(error) = region.store.get(&"k".into()).await else { return };
    assert!(began.elapsed().as_secs() <= TOTAL, "a call must end");
    let told = sound::failure(&error).retry_after().map(|time| time.as_secs());
    match answer.header("retry-after").map(str::trim) {
        None => assert_eq!(told, None, "nobody has said anything"),
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let seconds = text.parse::<u64>().ok().filter(|seconds| *seconds <= YEAR);
            // An answer of the caller's own (304, 404 ...) tells nothing of the region.
            assert!(told == seconds || object_store_failover::FailoverError::find(&error).is_none(), "{told:?} of {text}");
        }
        Some(text) if told.is_some() => assert!(text.contains(' ') && text.contains(':'), "{told:?} of {text}, which is no date"),
        Some(_) => {}
    }
}

/// The default `timeouts.total`.
const TOTAL: u64 = 30;
const YEAR: u64 = 86_400 * 365;
