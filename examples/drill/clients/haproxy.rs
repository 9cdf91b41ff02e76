//! HAProxy before the regions. Every setting and its reason: `haproxy.cfg`.

use std::time::Duration;

use super::process::{Place, Process, installed, version};
use super::{Limits, Upstream, fill, ms};

const TEMPLATE: &str = include_str!("haproxy.cfg");
/// More often than this a check costs more than it tells.
const LEAST_CHECK: Duration = Duration::from_millis(100);
/// Attempts beyond one per region: between two attempts of one read others move the rotation on, so it may meet a sick region twice.
const LEAST_RETRIES: usize = 3;

pub(super) async fn start(upstreams: &[Upstream], limits: &Limits) -> Result<(Process, String), String> {
    let program = installed("haproxy")?;
    let place = Place::new("haproxy")?;
    let file = place.write("haproxy.cfg", &config(&place, upstreams, limits))?;
    let version = format!("HAProxy {}", version(&program, "-v", "version "));
    let arguments = ["-db".to_owned(), "-f".to_owned(), file.display().to_string()];
    Ok((place.start(&program, &arguments).await?, version))
}

fn config(place: &Place, upstreams: &[Upstream], limits: &Limits) -> String {
    let check = (limits.attempt / 5).max(LEAST_CHECK);
    let servers: Vec<_> = upstreams.iter().map(|Upstream { name, address }| format!("    server {name} {address}")).collect();
    let values = [
        ("address", place.address.to_string()),
        ("servers", servers.join("\n")),
        ("retries", upstreams.len().max(LEAST_RETRIES).to_string()),
        ("connect", ms(limits.connect.min(limits.attempt))),
        ("attempt", ms(limits.attempt.min(limits.stall))),
        ("total", ms(limits.total)),
        ("client", ms(limits.total * 2)),
        ("check", ms(check)),
        ("fast", ms(check / 2)),
        ("slowstart", ms(limits.attempt * 2)),
    ];
    fill(TEMPLATE, &values)
}
