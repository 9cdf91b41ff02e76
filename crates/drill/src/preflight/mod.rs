//! `--scenario preflight`: checks whether regions are suitable for failover, with reads and
//! listings only.

mod checks;
mod consistency;
mod first_requests;
mod response_notes;

use std::sync::Arc;

use futures::future::join_all;
use object_store::ObjectStore;
use object_store_failover::FailoverConfig;
use serde::Serialize;

use consistency::Consistency;
use first_requests::FirstRead;
use response_notes::{RecordingConnector, ResponseNotes};

/// The checks of all regions.
#[derive(Debug, Serialize)]
pub(crate) struct Preflight {
    pub(crate) regions: Vec<RegionChecks>,
}

/// The checks of one region.
#[derive(Debug, Serialize)]
pub(crate) struct RegionChecks {
    pub(crate) region: String,
    pub(crate) checks: Vec<Check>,
}

/// One check.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// `word` in the report.
    #[serde(rename = "word")]
    pub(crate) level: Level,
    /// The finding and, unless it is good, the remedy.
    pub(crate) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    Ok,
    Warn,
    Fail,
}

/// A region with its client.
struct Region {
    name: String,
    store: Arc<dyn ObjectStore>,
    /// `None` for a region without network.
    notes: Option<Arc<ResponseNotes>>,
}

impl Preflight {
    /// Whether no check failed.
    pub(crate) fn passes(&self) -> bool {
        self.fails().next().is_none()
    }

    /// The failed checks as lines.
    pub(crate) fn fails(&self) -> impl Iterator<Item = String> {
        let lines = |region: &RegionChecks| {
            let fails = region
                .checks
                .iter()
                .filter(|check| check.level == Level::Fail);
            fails
                .map(|check| format!("{}: {}: {}", region.region, check.name, check.text))
                .collect::<Vec<_>>()
        };
        self.regions.iter().flat_map(lines)
    }
}

/// Checks every region of the document.
pub(crate) async fn check(mut config: FailoverConfig) -> Result<Preflight, String> {
    let mut notes = Vec::new();
    for region in &mut config.regions {
        let has_network = !matches!(region.url.scheme(), "file" | "memory");
        notes.push(has_network.then(Arc::<ResponseNotes>::default));
        region.connector = notes
            .last()
            .cloned()
            .flatten()
            .map(|notes| Arc::new(RecordingConnector::new(notes)) as _);
    }
    let stores = config.region_stores().map_err(|error| error.to_string())?;
    let regions: Vec<_> = stores
        .into_iter()
        .zip(notes)
        .map(|((name, store), notes)| Region { name, store, notes })
        .collect();
    let listings = join_all(regions.iter().map(Region::list)).await;
    let reads = regions
        .iter()
        .zip(&listings)
        .map(|(region, listing)| FirstRead::of(region, listing, &listings));
    let reads = join_all(reads).await;
    let consistency = Consistency::of(&regions, &listings).await;
    let checks_of = |(index, region): (usize, &Region)| {
        let checks = checks::of(
            &config,
            index,
            region,
            &listings[index],
            &reads[index],
            &consistency,
        );
        RegionChecks {
            region: region.name.clone(),
            checks,
        }
    };
    Ok(Preflight {
        regions: regions.iter().enumerate().map(checks_of).collect(),
    })
}

/// Prints the checks.
pub(crate) fn print(found: &Preflight) {
    for region in &found.regions {
        println!("{}", region.region);
        for check in &region.checks {
            let level = match check.level {
                Level::Ok => "OK",
                Level::Warn => "WARN",
                Level::Fail => "FAIL",
            };
            println!("  {level:<4} {:<12} {}", check.name, check.text);
        }
    }
    let count = |level: Level| {
        found
            .regions
            .iter()
            .flat_map(|region| &region.checks)
            .filter(|check| check.level == level)
            .count()
    };
    println!(
        "\npreflight: {} ok, {} warnings, {} failures\n",
        count(Level::Ok),
        count(Level::Warn),
        count(Level::Fail)
    );
}
