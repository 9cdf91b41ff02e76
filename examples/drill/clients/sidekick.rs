//! MinIO's sidekick before the regions, where somebody has built it.

use super::Upstream;
use super::process::{Place, Process, found, version};

/// What is said where it is not there.
pub(super) const ELSEWHERE: &str =
    "sidekick is not on PATH, and cannot be installed by `go install`; docs/comparison.md has figures of it that were measured elsewhere";

/// It has few settings: no limits, no retries. All regions are one site, for a second site is not used before the first is lost; checks
/// come once a second, which is as often as it can.
pub(super) async fn start(upstreams: &[Upstream]) -> Result<(Process, String), String> {
    let program = found("sidekick").ok_or(ELSEWHERE)?;
    let place = Place::new("sidekick")?;
    let version = format!("sidekick {}", version(&program, "--version", "version "));
    let site: Vec<_> = upstreams.iter().map(|upstream| format!("http://{}", upstream.address)).collect();
    let settings = ["--health-path", "/minio/health/cluster/read", "--health-duration", "1", "--address"].map(str::to_owned);
    let mut arguments = Vec::from(settings);
    arguments.extend([place.address.to_string(), site.join(",")]);
    Ok((place.start(&program, &arguments).await?, version))
}
