//! The document of `--config`: read, and fit for a run of some seconds.

use std::path::Path;
use std::time::Duration;

use object_store_failover::{FailoverConfig, HedgeConfig, TimeoutConfig};

use super::told::one_line;
use crate::args::{Args, SECONDS_WITH_DEFAULTS};
use crate::run::store_name;
use crate::scenario::Scenario;
use crate::tuning::Tuning;

/// Over a real network nothing shorter than this tells a sick region from a far one.
const LEAST_ATTEMPT: Duration = Duration::from_secs(2);
const LEAST_STALL: Duration = Duration::from_secs(2);
const LEAST_OPEN: Duration = Duration::from_secs(1);
const LEAST_RAMP: Duration = Duration::from_millis(300);

/// A document, or one line that says what is wrong with it.
pub(crate) fn read(path: &Path) -> Result<FailoverConfig, String> {
    let file = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("--config {file}: {error}"))?;
    let wrong = |error: toml::de::Error| format!("--config {file}{}: {}", line(&text, &error), one_line(error.message()));
    let config: FailoverConfig = toml::from_str(&text).map_err(wrong)?;
    if config.regions.len() < 2 {
        return Err(format!("--config {file}: with one region there is nowhere to fail over to; name two or more"));
    }
    Ok(config)
}

/// Which line it is about.
fn line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    before.map_or_else(String::new, |before| format!(", line {}", before.matches('\n').count() + 1))
}

/// Settles what a scenario's store is: as the file has it, with times that fit the length of the run unless they are to stay (`--defaults`).
/// Limits of attempts and bodies stay above two seconds, for the network is real; what a region's own `[breaker]` says stays as it is.
pub(super) fn settle(config: &mut FailoverConfig, args: &Args, scenario: &Scenario) -> Tuning {
    config.name = store_name(scenario);
    if scenario.store.hedging {
        config.hedge.get_or_insert_with(HedgeConfig::default);
    }
    if !args.defaults {
        shorten(config, args.length());
    }
    tuning(config)
}

/// The limits of the file, as far as the drill needs them.
pub(super) fn tuning(config: &FailoverConfig) -> Tuning {
    let (shipped, timeouts) = (Tuning::shipped(), &config.timeouts);
    Tuning {
        attempt: timeouts.attempt.unwrap_or(shipped.attempt),
        total: timeouts.total.unwrap_or(shipped.total),
        stall: timeouts.stall.unwrap_or(shipped.stall),
        breaker: config.breaker.clone(),
    }
}

fn shorten(config: &mut FailoverConfig, length: Duration) {
    let share = (length.as_secs_f64() / Duration::from_secs(SECONDS_WITH_DEFAULTS).as_secs_f64()).min(1.0);
    let scale = |time: Duration, least: Duration| time.mul_f64(share).max(least.min(time));
    let limits = |timeouts: &mut TimeoutConfig| {
        timeouts.attempt = timeouts.attempt.map(|time| scale(time, LEAST_ATTEMPT));
        timeouts.stall = timeouts.stall.map(|time| scale(time, LEAST_STALL));
    };
    let now = tuning(config);
    (config.timeouts.attempt, config.timeouts.stall) = (Some(now.attempt), Some(now.stall));
    limits(&mut config.timeouts);
    config.regions.iter_mut().for_each(|region| limits(&mut region.timeouts));
    let breaker = &mut config.breaker;
    breaker.open_for = scale(breaker.open_for, LEAST_OPEN);
    breaker.open_for_max = scale(breaker.open_for_max, LEAST_OPEN * 2);
    breaker.ramp = scale(breaker.ramp, LEAST_RAMP);
}
