//! MinIO's sidekick in front of the regions, if it is installed.

use super::Upstream;
use super::process::{Process, Workspace, found, version};

pub(super) const NOT_INSTALLED: &str = "sidekick is not on PATH, and `go install` cannot install \
    it; docs/comparison.md has figures that were measured on another machine";

/// Sidekick has no limits and no retries. All regions form one site, because a second site is used
/// only after the first is lost. Health checks run once a second, its shortest interval.
pub(super) async fn start(upstreams: &[Upstream]) -> Result<(Process, String), String> {
    let program = found("sidekick").ok_or(NOT_INSTALLED)?;
    let workspace = Workspace::new("sidekick")?;
    let version = format!("sidekick {}", version(&program, "--version", "version "));
    let site: Vec<_> = upstreams
        .iter()
        .map(|upstream| format!("http://{}", upstream.address))
        .collect();
    let settings = [
        "--health-path",
        "/minio/health/cluster/read",
        "--health-duration",
        "1",
        "--address",
    ]
    .map(str::to_owned);
    let mut arguments = Vec::from(settings);
    arguments.extend([workspace.address.to_string(), site.join(",")]);
    Ok((workspace.start(&program, &arguments).await?, version))
}
