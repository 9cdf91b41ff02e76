//! Writes, overwrites and deletes in the first region during the run.

use std::sync::Arc;

use object_store::path::Path;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::time::Instant;

use super::corpus::{Corpus, body};
use super::entry::Entry;
use crate::environment::Environment;
use crate::scenario::Action;

/// Small, because replication lag is about the existence of keys.
const SIZE: usize = 16 * 1024;
const NEW_KEYS: usize = 20;
/// One of this many objects is changed.
const CHANGED_SHARE: usize = 2;

/// Changes the data; other actions are ignored.
pub(crate) async fn write(
    action: Action,
    corpus: &Corpus,
    environment: &dyn Environment,
) -> Result<(), String> {
    match action {
        Action::Write => add(corpus, environment).await,
        Action::Overwrite => change_some(corpus, environment, true).await,
        Action::Delete => change_some(corpus, environment, false).await,
        _ => Ok(()),
    }
}

async fn add(corpus: &Corpus, environment: &dyn Environment) -> Result<(), String> {
    let mut rng = SmallRng::seed_from_u64(corpus.seed().wrapping_add(1));
    for index in 0..NEW_KEYS {
        let (body, content) = body(SIZE, &mut rng);
        let path = Path::from(format!("drill/new-{index:03}"));
        environment.put(&path, body).await?;
        corpus.prefer(&Arc::new(Entry::new(path, content, Instant::now())));
    }
    Ok(())
}

/// Overwrites or deletes some objects, under `home/` and elsewhere.
async fn change_some(
    corpus: &Corpus,
    environment: &dyn Environment,
    overwrite: bool,
) -> Result<(), String> {
    let mut rng = SmallRng::seed_from_u64(corpus.seed().wrapping_add(2));
    let homes = corpus
        .objects()
        .iter()
        .filter(|entry| entry.belongs_to_home());
    let others = corpus
        .objects()
        .iter()
        .filter(|entry| !entry.belongs_to_home())
        .step_by(10);
    for entry in homes.step_by(CHANGED_SHARE).chain(others) {
        let fresh = overwrite.then(|| body(SIZE, &mut rng));
        entry.begin_change(fresh.as_ref().map(|(_, content)| *content));
        match fresh {
            Some((body, _)) => environment.put(&entry.path, body).await?,
            None => environment.delete(&entry.path).await?,
        }
        entry.end_change(Instant::now());
        corpus.prefer(entry);
    }
    Ok(())
}
