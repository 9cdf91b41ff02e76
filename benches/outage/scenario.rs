//! What happens to the first region while it is read.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::ProgressBar;
use object_store_failover::HedgeCounts;

use crate::clock::pause;
use crate::rig::answers::KIB;
use crate::rig::clients::{Client, Settings, Way};
use crate::rig::load::{Seen, load};
use crate::rig::regions::Regions;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scenario {
    /// Nothing happens.
    #[value(skip)]
    Healthy,
    /// Its process is killed, and started again.
    Killed,
    /// Its process is stopped, and goes on.
    Hanging,
}

/// When it happens, from the beginning of the load.
pub(crate) struct Times {
    pub(crate) whole: Duration,
    pub(crate) from: Duration,
    pub(crate) until: Duration,
}

pub(crate) const READERS: usize = 16;
/// The one that a client of one region reads.
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

    async fn happen(self, regions: &mut Regions, times: &Times) -> Result<(), String> {
        if self == Self::Healthy {
            return Ok(());
        }
        pause(times.from).await;
        match self {
            Self::Killed => regions.kill(FIRST)?,
            _ => regions.hang(FIRST)?,
        }
        pause(times.until - times.from).await;
        match self {
            Self::Killed => regions.revive(FIRST).await,
            _ => regions.thaw(FIRST),
        }
    }
}

/// Readers of a fresh client over fresh regions, one of which breaks and returns.
pub(crate) async fn play(way: Way, scenario: Scenario, times: &Times, bar: &ProgressBar) -> Result<(Seen, Option<HedgeCounts>), String> {
    let mut regions = Regions::apart().await?;
    let client = Arc::new(Client::start(way, &regions.shared(), &Settings::of_a_second()).await?);
    load(&client, KIB, READERS, WARM_UP).await;
    let both = async { tokio::join!(load(&client, KIB, READERS, times.whole), scenario.happen(&mut regions, times)) };
    let (seen, happened) = tokio::select! {
        both = both => both,
        never = tick(bar) => match never {},
    };
    happened.map(|()| (seen, client.hedges().filter(|_| way == Way::Hedged)))
}

async fn tick(bar: &ProgressBar) -> Infallible {
    loop {
        pause(Duration::from_secs(1)).await;
        bar.inc(1);
    }
}
