//! nginx in front of the regions. `nginx.conf` gives the reason of each setting.

use std::time::Duration;

use super::process::{Process, Workspace, installed, version};
use super::{Limits, Upstream, fill, ms};

const TEMPLATE: &str = include_str!("nginx.conf");
/// nginx rounds `fail_timeout` to seconds.
const LEAST_FAIL_TIMEOUT: Duration = Duration::from_secs(1);

pub(super) async fn start(
    upstreams: &[Upstream],
    limits: &Limits,
) -> Result<(Process, String), String> {
    let program = installed("nginx")?;
    let workspace = Workspace::new("nginx")?;
    let file = workspace.write("nginx.conf", &config(&workspace, upstreams, limits))?;
    let version = format!("nginx {}", version(&program, "-v", "nginx/"));
    let folder = workspace.path().display().to_string();
    // Without `-e`, errors before the configuration is read go to a file of the system.
    let arguments = [
        "-p".to_owned(),
        folder,
        "-e".to_owned(),
        "stderr".to_owned(),
        "-c".to_owned(),
        file.display().to_string(),
    ];
    Ok((workspace.start(&program, &arguments).await?, version))
}

fn config(workspace: &Workspace, upstreams: &[Upstream], limits: &Limits) -> String {
    let fail_timeout = (limits.attempt * 10).max(LEAST_FAIL_TIMEOUT).as_secs();
    let server = |Upstream { address, .. }: &Upstream| {
        format!("        server {address} max_fails=1 fail_timeout={fail_timeout}s;")
    };
    let servers: Vec<_> = upstreams.iter().map(server).collect();
    let values = [
        ("address", workspace.address.to_string()),
        ("folder", workspace.path().display().to_string()),
        ("servers", servers.join("\n")),
        ("tries", upstreams.len().to_string()),
        ("connect", ms(limits.connect.min(limits.attempt))),
        ("attempt", ms(limits.attempt.min(limits.stall))),
        ("total", ms(limits.total)),
        ("client", ms(limits.total * 2)),
    ];
    fill(TEMPLATE, &values)
}
