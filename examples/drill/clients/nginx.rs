//! nginx before the regions. Every setting and its reason: `nginx.conf`.

use std::time::Duration;

use super::process::{Place, Process, installed, version};
use super::{Limits, Upstream, fill, ms};

const TEMPLATE: &str = include_str!("nginx.conf");
/// nginx counts `fail_timeout` in seconds.
const LEAST_LEFT_ALONE: Duration = Duration::from_secs(1);

pub(super) async fn start(upstreams: &[Upstream], limits: &Limits) -> Result<(Process, String), String> {
    let program = installed("nginx")?;
    let place = Place::new("nginx")?;
    let file = place.write("nginx.conf", &config(&place, upstreams, limits))?;
    let version = format!("nginx {}", version(&program, "-v", "nginx/"));
    let folder = place.path().display().to_string();
    // What fails before the configuration is read goes to a file of the system's otherwise.
    let arguments = ["-p".to_owned(), folder, "-e".to_owned(), "stderr".to_owned(), "-c".to_owned(), file.display().to_string()];
    Ok((place.start(&program, &arguments).await?, version))
}

fn config(place: &Place, upstreams: &[Upstream], limits: &Limits) -> String {
    let left_alone = (limits.attempt * 10).max(LEAST_LEFT_ALONE).as_secs();
    let server = |Upstream { address, .. }: &Upstream| format!("        server {address} max_fails=1 fail_timeout={left_alone}s;");
    let servers: Vec<_> = upstreams.iter().map(server).collect();
    let values = [
        ("address", place.address.to_string()),
        ("folder", place.path().display().to_string()),
        ("servers", servers.join("\n")),
        ("tries", upstreams.len().to_string()),
        ("connect", ms(limits.connect.min(limits.attempt))),
        ("attempt", ms(limits.attempt.min(limits.stall))),
        ("total", ms(limits.total)),
        ("client", ms(limits.total * 2)),
    ];
    fill(TEMPLATE, &values)
}
