//! Durations as figures and as text.

use std::time::Duration;

/// Milliseconds with two decimals.
pub(crate) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

/// A duration in milliseconds as text with its unit.
pub(crate) fn time(ms: f64) -> String {
    match ms {
        ms if ms >= 1000.0 && ms % 1000.0 == 0.0 => format!("{:.0} s", ms / 1000.0),
        ms if ms >= 1000.0 => format!("{:.2} s", ms / 1000.0),
        ms if ms >= 10.0 => format!("{ms:.0} ms"),
        ms => format!("{ms:.1} ms"),
    }
}
