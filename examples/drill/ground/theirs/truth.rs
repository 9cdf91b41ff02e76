//! What the objects hold: nobody tells us, so it is what all regions agree on before anything is broken.

use std::time::Duration;

use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStoreExt};

use super::Regions;
use super::told::told;
use crate::clock::within;
use crate::load::corpus::fingerprint;
use crate::load::entry::Content;

const AT_A_TIME: usize = 8;
/// Nothing is broken yet, so what takes longer will not do for a drill.
const PATIENCE: Duration = Duration::from_secs(60);
/// To the head of an answer.
const REACH: Duration = Duration::from_secs(10);
/// More lines tell nothing new.
const LINES: usize = 10;

/// Keys on which all regions agree, with what they hold.
pub(super) type Truth = Vec<(Path, Content)>;

/// What the regions say of one key.
enum Word {
    Agreed(Content),
    /// Why it is left out.
    Out(String),
}

/// A region that cannot be read at all is no matter of keys; this says so at once.
pub(super) async fn reach(regions: &Regions, key: &Path) -> Result<(), String> {
    for (name, store) in regions {
        let why = match within(REACH, store.head(key)).await {
            Some(Ok(_) | Err(Error::NotFound { .. })) => continue,
            Some(Err(error)) => told(&error),
            None => format!("no answer within {} s", REACH.as_secs()),
        };
        return Err(format!("{name} cannot be read before anything is broken: {why} (--scenario preflight says more)"));
    }
    Ok(())
}

/// The objects on which all regions agree. Those that are left out are told, and counted.
pub(super) async fn find(regions: &Regions, keys: Vec<ObjectMeta>) -> Result<Truth, String> {
    let asked = keys.len();
    let words: Vec<_> = stream::iter(keys).map(|meta| word(regions, meta.location)).buffer_unordered(AT_A_TIME).collect().await;
    let (mut truth, mut left_out) = (Vec::new(), Vec::new());
    for (path, word) in words {
        match word {
            Word::Agreed(content) => truth.push((path, content)),
            Word::Out(why) => left_out.push(format!("{path}: {why}")),
        }
    }
    // The order in which answers came in must not decide what a seed means.
    truth.sort_by(|a, b| a.0.cmp(&b.0));
    left_out.sort();
    println!("truth: {} of {asked} keys are the same in all regions, {} are left out", truth.len(), left_out.len());
    for line in left_out.iter().take(LINES) {
        println!("  left out: {line}");
    }
    if left_out.len() > LINES {
        println!("  and {} more", left_out.len() - LINES);
    }
    if truth.is_empty() {
        let first = left_out.first().map_or("no key is small enough", String::as_str);
        return Err(format!(
            "nothing to read ({first}); the drill needs objects of up to 8 MiB that all regions hold, and --max-bytes to read them"
        ));
    }
    Ok(truth)
}

async fn word(regions: &Regions, path: Path) -> (Path, Word) {
    let mut agreed: Option<(&str, Content)> = None;
    for (name, store) in regions {
        let reading = async { fingerprint(store.get(&path).await?.into_stream()).await };
        let out = match within(PATIENCE, reading).await {
            Some(Ok(read)) => match agreed {
                Some((other, content)) if content != read => format!("{name} holds other bytes than {other}"),
                _ => {
                    agreed.get_or_insert((name, read));
                    continue;
                }
            },
            Some(Err(Error::NotFound { .. })) => format!("{name} does not have it"),
            Some(Err(error)) => format!("{name}: {}", told(&error)),
            None => format!("{name}: not read within {} s", PATIENCE.as_secs()),
        };
        return (path, Word::Out(out));
    }
    let word = agreed.map_or_else(|| Word::Out("there is no region".into()), |(_, content)| Word::Agreed(content));
    (path, word)
}
