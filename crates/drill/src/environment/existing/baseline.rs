//! The expected content of existing objects: the content on which all regions agree before the
//! first fault.

use std::time::Duration;

use futures::{StreamExt, stream};
use object_store::path::Path;
use object_store::{Error, ObjectMeta, ObjectStoreExt};
use tokio::time::timeout;

use super::Regions;
use super::one_line::describe;
use crate::load::corpus::fingerprint;
use crate::load::entry::Content;

const MAX_CONCURRENT: usize = 8;
/// Limit to read an object from one region.
const PATIENCE: Duration = Duration::from_secs(60);
/// Limit of one HEAD request.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// The most excluded keys to print.
const LINES: usize = 10;

/// Keys on which all regions agree, with their content.
pub(super) type Baseline = Vec<(Path, Content)>;

/// The result of reading one key from every region.
enum KeyCheck {
    Agreed(Content),
    /// Why the key is excluded.
    Excluded(String),
}

/// Fails if a region cannot be read at all; no choice of keys would help.
pub(super) async fn reach(regions: &Regions, key: &Path) -> Result<(), String> {
    for (name, store) in regions {
        let why = match timeout(HEAD_LIMIT, store.head(key)).await {
            Ok(Ok(_) | Err(Error::NotFound { .. })) => continue,
            Ok(Err(error)) => describe(&error),
            Err(_) => format!("no response within {} s", HEAD_LIMIT.as_secs()),
        };
        return Err(format!(
            "{name} cannot be read before the first fault: {why} (run --scenario preflight)"
        ));
    }
    Ok(())
}

/// The objects on which all regions agree. Excluded keys are printed.
pub(super) async fn find(regions: &Regions, keys: Vec<ObjectMeta>) -> Result<Baseline, String> {
    let total = keys.len();
    let results: Vec<_> = stream::iter(keys)
        .map(|meta| check(regions, meta.location))
        .buffer_unordered(MAX_CONCURRENT)
        .collect()
        .await;
    let (mut baseline, mut excluded) = (Vec::new(), Vec::new());
    for (path, check) in results {
        match check {
            KeyCheck::Agreed(content) => baseline.push((path, content)),
            KeyCheck::Excluded(why) => excluded.push(format!("{path}: {why}")),
        }
    }
    // A seed selects by position, so the order must not depend on which response came first.
    baseline.sort_by(|a, b| a.0.cmp(&b.0));
    excluded.sort();
    println!(
        "baseline: {} of {total} keys are the same in all regions, {} are excluded",
        baseline.len(),
        excluded.len()
    );
    for line in excluded.iter().take(LINES) {
        println!("  excluded: {line}");
    }
    if excluded.len() > LINES {
        println!("  and {} more", excluded.len() - LINES);
    }
    if baseline.is_empty() {
        let first = excluded
            .first()
            .map_or("no key is small enough", String::as_str);
        return Err(format!(
            "nothing to read ({first}); the drill needs objects of up to 8 MiB that all regions \
             hold, and a sufficient --max-bytes"
        ));
    }
    Ok(baseline)
}

async fn check(regions: &Regions, path: Path) -> (Path, KeyCheck) {
    let mut agreed: Option<(&str, Content)> = None;
    for (name, store) in regions {
        let reading = async { fingerprint(store.get(&path).await?.into_stream()).await };
        let out = match timeout(PATIENCE, reading).await {
            Ok(Ok(read)) => match agreed {
                Some((other, content)) if content != read => {
                    format!("{name} has other content than {other}")
                }
                _ => {
                    agreed.get_or_insert((name, read));
                    continue;
                }
            },
            Ok(Err(Error::NotFound { .. })) => format!("{name} does not have it"),
            Ok(Err(error)) => format!("{name}: {}", describe(&error)),
            Err(_) => format!("{name}: not read within {} s", PATIENCE.as_secs()),
        };
        return (path, KeyCheck::Excluded(out));
    }
    let check = agreed.map_or_else(
        || KeyCheck::Excluded("there is no region".into()),
        |(_, content)| KeyCheck::Agreed(content),
    );
    (path, check)
}
