//! Writes, overwrites and deletes in the first region, while the readers go on.

use std::sync::Arc;

use object_store::path::Path;
use rand::SeedableRng;
use rand::rngs::SmallRng;

use super::corpus::{Corpus, body};
use super::entry::Entry;
use crate::clock::now;
use crate::ground::Ground;
use crate::scenario::Act;

/// New keys are small: lag is about whether they are there.
const SIZE: usize = 16 * 1024;
const NEW: usize = 20;
/// Of this many objects one is changed.
const ONE_OF: usize = 2;

/// Does it; what is no change of data does nothing.
pub(crate) async fn write(act: Act, corpus: &Corpus, ground: &dyn Ground) -> Result<(), String> {
    match act {
        Act::Write => add(corpus, ground).await,
        Act::Overwrite => for_some(corpus, ground, true).await,
        Act::Delete => for_some(corpus, ground, false).await,
        _ => Ok(()),
    }
}

async fn add(corpus: &Corpus, ground: &dyn Ground) -> Result<(), String> {
    let mut dice = SmallRng::seed_from_u64(corpus.seed().wrapping_add(1));
    for index in 0..NEW {
        let (body, content) = body(SIZE, &mut dice);
        let path = Path::from(format!("drill/new-{index:03}"));
        ground.put(&path, body).await?;
        corpus.notice(&Arc::new(Entry::new(path, content, now())));
    }
    Ok(())
}

/// Overwrites or deletes some: all kinds of keys, home's and others.
async fn for_some(corpus: &Corpus, ground: &dyn Ground, overwrite: bool) -> Result<(), String> {
    let mut dice = SmallRng::seed_from_u64(corpus.seed().wrapping_add(2));
    let homes = corpus.objects().iter().filter(|entry| entry.is_homes());
    let others = corpus.objects().iter().filter(|entry| !entry.is_homes()).step_by(10);
    for entry in homes.step_by(ONE_OF).chain(others) {
        let fresh = overwrite.then(|| body(SIZE, &mut dice));
        entry.begin(fresh.as_ref().map(|(_, content)| *content));
        match fresh {
            Some((body, _)) => ground.put(&entry.path, body).await?,
            None => ground.delete(&entry.path).await?,
        }
        entry.settle(now());
        corpus.notice(entry);
    }
    Ok(())
}
