//! The fault of the first region while it is read.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use failover_bench::clients::{Candidate, Client, Settings};
use failover_bench::load::{Seen, load};
use failover_bench::regions::Regions;
use failover_bench::server::KIB;
use indicatif::ProgressBar;
use object_store_failover::health::HedgeCounts;
use tokio::time::sleep;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// No fault.
    #[value(skip)]
    Healthy,
    /// Its process is killed and restarted.
    Killed,
    /// Its process is stopped and continued.
    Hanging,
}

/// Times from the start of the load.
pub(crate) struct Times {
    pub(crate) whole: Duration,
    pub(crate) from: Duration,
    pub(crate) until: Duration,
}

pub(crate) const READERS: usize = 16;
/// The region of a client with one region.
const FIRST: usize = 0;
const WARM_UP: Duration = Duration::from_millis(500);

impl Scenario {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Killed => "killed",
            Self::Hanging => "hanging",
        }
    }

    async fn inject(self, regions: &mut Regions, times: &Times) -> Result<(), String> {
        if self == Self::Healthy {
            return Ok(());
        }
        sleep(times.from).await;
        match self {
            Self::Killed => regions.kill(FIRST)?,
            _ => regions.hang(FIRST)?,
        }
        sleep(times.until - times.from).await;
        match self {
            Self::Killed => regions.restart(FIRST).await,
            _ => regions.unfreeze(FIRST),
        }
    }
}

/// Readers of a new client over new regions, the first of which fails and returns.
pub(crate) async fn run(
    candidate: Candidate,
    scenario: Scenario,
    times: &Times,
    bar: &ProgressBar,
) -> Result<(Seen, Option<HedgeCounts>), String> {
    let mut regions = Regions::apart().await?;
    let client =
        Arc::new(Client::start(candidate, &regions.shared(), &Settings::one_second()).await?);
    load(&client, KIB, READERS, WARM_UP).await;
    let both = async {
        tokio::join!(
            load(&client, KIB, READERS, times.whole),
            scenario.inject(&mut regions, times)
        )
    };
    let (seen, injected) = tokio::select! {
        both = both => both,
        never = tick(bar) => match never {},
    };
    injected.map(|()| {
        (
            seen,
            client.hedges().filter(|_| candidate == Candidate::Hedged),
        )
    })
}

async fn tick(bar: &ProgressBar) -> Infallible {
    loop {
        sleep(Duration::from_secs(1)).await;
        bar.inc(1);
    }
}
