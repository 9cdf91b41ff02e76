//! HAProxy in front of the regions. `haproxy.cfg` gives the reason of each setting.

use std::time::Duration;

use super::process::{Process, Workspace, installed, version};
use super::{Limits, Upstream, fill, ms};

const TEMPLATE: &str = include_str!("haproxy.cfg");
const LEAST_CHECK: Duration = Duration::from_millis(100);
/// Between two attempts of one read, other reads advance the rotation, so that it may reach a
/// failing region twice.
const LEAST_RETRIES: usize = 3;

pub(super) async fn start(
    upstreams: &[Upstream],
    limits: &Limits,
) -> Result<(Process, String), String> {
    let program = installed("haproxy")?;
    let workspace = Workspace::new("haproxy")?;
    let file = workspace.write("haproxy.cfg", &config(&workspace, upstreams, limits))?;
    let version = format!("HAProxy {}", version(&program, "-v", "version "));
    let arguments = [
        "-db".to_owned(),
        "-f".to_owned(),
        file.display().to_string(),
    ];
    Ok((workspace.start(&program, &arguments).await?, version))
}

fn config(workspace: &Workspace, upstreams: &[Upstream], limits: &Limits) -> String {
    let check = (limits.attempt / 5).max(LEAST_CHECK);
    let servers: Vec<_> = upstreams
        .iter()
        .map(|Upstream { name, address }| format!("    server {name} {address}"))
        .collect();
    let values = [
        ("address", workspace.address.to_string()),
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
