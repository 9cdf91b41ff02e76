//! `--scenario preflight`: are these regions fit for failover at all? Reads and listings only; nothing is broken.

mod alike;
mod asked;
mod checks;
mod notes;

use std::sync::Arc;

use futures::future::join_all;
use object_store::ObjectStore;
use object_store_failover::FailoverConfig;
use serde::Serialize;

use alike::Alike;
use asked::Asked;
use notes::{Notes, Noting};

/// What was found, region by region.
#[derive(Debug, Serialize)]
pub(crate) struct Preflight {
    pub(crate) regions: Vec<Look>,
}

/// One region.
#[derive(Debug, Serialize)]
pub(crate) struct Look {
    pub(crate) region: String,
    pub(crate) checks: Vec<Check>,
}

/// One line about it.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) word: Word,
    /// What was seen and, unless it is well, what would mend it.
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Word {
    Ok,
    Warn,
    Fail,
}

/// A region that is asked, beside what its client sees.
struct Region {
    name: String,
    store: Arc<dyn ObjectStore>,
    /// None where there is no wire.
    notes: Option<Arc<Notes>>,
}

impl Preflight {
    /// Nothing that would make a drill, or failover, fail.
    pub(crate) fn passes(&self) -> bool {
        self.fails().next().is_none()
    }

    /// The lines that say why not.
    pub(crate) fn fails(&self) -> impl Iterator<Item = String> {
        let lines = |look: &Look| {
            let fails = look.checks.iter().filter(|check| check.word == Word::Fail);
            fails.map(|check| format!("{}: {}: {}", look.region, check.name, check.text)).collect::<Vec<_>>()
        };
        self.regions.iter().flat_map(lines)
    }
}

/// Asks every region of the document.
pub(crate) async fn look(mut config: FailoverConfig) -> Result<Preflight, String> {
    let mut notes = Vec::new();
    for region in &mut config.regions {
        let wired = !matches!(region.url.scheme(), "file" | "memory");
        notes.push(wired.then(Arc::<Notes>::default));
        region.connector = notes.last().cloned().flatten().map(|notes| Arc::new(Noting::new(notes)) as _);
    }
    let stores = config.region_stores().map_err(|error| error.to_string())?;
    let regions: Vec<_> = stores.into_iter().zip(notes).map(|((name, store), notes)| Region { name, store, notes }).collect();
    let listings = join_all(regions.iter().map(Region::list)).await;
    let asked = regions.iter().zip(&listings).map(|(region, listing)| Asked::of(region, listing, &listings));
    let asked = join_all(asked).await;
    let alike = Alike::of(&regions, &listings).await;
    let look = |(index, region): (usize, &Region)| {
        let checks = checks::of(&config, index, region, &listings[index], &asked[index], &alike);
        Look { region: region.name.clone(), checks }
    };
    Ok(Preflight { regions: regions.iter().enumerate().map(look).collect() })
}

/// The report for people.
pub(crate) fn print(found: &Preflight) {
    for look in &found.regions {
        println!("{}", look.region);
        for check in &look.checks {
            let word = match check.word {
                Word::Ok => "OK",
                Word::Warn => "WARN",
                Word::Fail => "FAIL",
            };
            println!("  {word:<4} {:<12} {}", check.name, check.text);
        }
    }
    let count = |word: Word| found.regions.iter().flat_map(|look| &look.checks).filter(|check| check.word == word).count();
    println!("\npreflight: {} ok, {} warnings, {} failures\n", count(Word::Ok), count(Word::Warn), count(Word::Fail));
}
