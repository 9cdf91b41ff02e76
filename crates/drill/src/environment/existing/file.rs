//! The document of `--config`: parsed, and scaled to the duration of a run.

use std::path::Path;
use std::time::Duration;

use object_store_failover::FailoverConfig;
use object_store_failover::config::{HedgeConfig, TimeoutConfig};

use super::one_line::one_line;
use crate::args::{Args, SECONDS_WITH_DEFAULTS};
use crate::run::store_name;
use crate::scenario::Scenario;
use crate::tuning::Tuning;

/// Lower bounds of scaled times. Over a real network a shorter limit mistakes a distant region for
/// a failing one.
const LEAST_ATTEMPT: Duration = Duration::from_secs(2);
const LEAST_STALL: Duration = Duration::from_secs(2);
const LEAST_OPEN: Duration = Duration::from_secs(1);
const LEAST_RAMP: Duration = Duration::from_millis(300);

/// Parses the document; an error is one line.
pub(crate) fn read(path: &Path) -> Result<FailoverConfig, String> {
    let file = path.display();
    let text =
        std::fs::read_to_string(path).map_err(|error| format!("--config {file}: {error}"))?;
    let wrong = |error: toml::de::Error| {
        format!(
            "--config {file}{}: {}",
            line(&text, &error),
            one_line(error.message())
        )
    };
    let config: FailoverConfig = toml::from_str(&text).map_err(wrong)?;
    if config.regions.len() < 2 {
        return Err(format!(
            "--config {file}: failover needs two regions; name two or more"
        ));
    }
    Ok(config)
}

/// The position of the error: `, line N`.
fn line(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    before.map_or_else(String::new, |before| {
        format!(", line {}", before.matches('\n').count() + 1)
    })
}

/// Sets name and hedging of the store for a scenario, and scales its times to the duration, unless
/// `--defaults` is given. `attempt` and `stall` stay above 2 s, because the network is real. The
/// `[breaker]` of a region is not changed.
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

/// The limits of the file that the drill needs.
pub(super) fn tuning(config: &FailoverConfig) -> Tuning {
    let (defaults, timeouts) = (Tuning::defaults(), &config.timeouts);
    Tuning {
        attempt: timeouts.attempt.unwrap_or(defaults.attempt),
        total: timeouts.total.unwrap_or(defaults.total),
        stall: timeouts.stall.unwrap_or(defaults.stall),
        breaker: config.breaker.clone(),
    }
}

fn shorten(config: &mut FailoverConfig, length: Duration) {
    let share =
        (length.as_secs_f64() / Duration::from_secs(SECONDS_WITH_DEFAULTS).as_secs_f64()).min(1.0);
    let scale = |time: Duration, least: Duration| time.mul_f64(share).max(least.min(time));
    let limits = |timeouts: &mut TimeoutConfig| {
        timeouts.attempt = timeouts.attempt.map(|time| scale(time, LEAST_ATTEMPT));
        timeouts.stall = timeouts.stall.map(|time| scale(time, LEAST_STALL));
    };
    let now = tuning(config);
    (config.timeouts.attempt, config.timeouts.stall) = (Some(now.attempt), Some(now.stall));
    limits(&mut config.timeouts);
    config
        .regions
        .iter_mut()
        .for_each(|region| limits(&mut region.timeouts));
    let breaker = &mut config.breaker;
    breaker.open_for = scale(breaker.open_for, LEAST_OPEN);
    breaker.open_for_max = scale(breaker.open_for_max, LEAST_OPEN * 2);
    breaker.ramp = scale(breaker.ramp, LEAST_RAMP);
}
