//! MinIO's command-line client. It knows the clusters by their aliases, from its environment, and leaves the user's own settings alone.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use super::cluster::Cluster;
use crate::clock::within;

#[derive(Debug)]
pub(super) struct Mc {
    program: PathBuf,
    folder: PathBuf,
    /// `MC_HOST_alias` and where that is, secret included.
    hosts: Vec<(String, String)>,
}

impl Mc {
    pub(super) fn new(program: &Path, folder: &Path, clusters: &[Cluster]) -> Self {
        let hosts = clusters.iter().map(|cluster| (format!("MC_HOST_{}", cluster.alias), url(cluster))).collect();
        Self { program: program.to_owned(), folder: folder.join("mc"), hosts }
    }

    /// What it prints, as lines of JSON. Each `alias` has settings of its own: two that run at once would write the same file.
    pub(super) async fn run(&self, alias: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"MC_")) {
            command.env_remove(name);
        }
        command.envs(self.hosts.iter().map(|(name, url)| (name, url))).env("MC_CONFIG_DIR", self.folder.join(alias));
        command.args(["--json", "--disable-pager"]).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        let told = |why: String| format!("mc {}: {why}", self.without_secrets(&arguments.join(" ")));
        let done = within(LIMIT, command.output()).await.ok_or_else(|| told(format!("no end within {} s", LIMIT.as_secs())))?;
        let done = done.map_err(|error| told(error.to_string()))?;
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        if done.status.success() {
            return Ok(said);
        }
        let why = format!("{}: {} {}", done.status, said.trim(), String::from_utf8_lossy(&done.stderr).trim());
        Err(told(self.without_secrets(&why)))
    }

    fn without_secrets(&self, text: &str) -> String {
        let places = self.hosts.iter().filter_map(|(_, url)| Some((url, url.rsplit_once('@')?.1)));
        places.fold(text.to_owned(), |text, (url, place)| text.replace(url, &format!("http://***@{place}")))
    }
}

/// Where a cluster is, and who its root is.
pub(super) fn url(cluster: &Cluster) -> String {
    format!("http://{}:{}@{}", cluster.root.key, cluster.root.secret, cluster.address())
}

/// It takes a fifth of a second; MinIO itself gives up on a peer after some seconds.
const LIMIT: Duration = Duration::from_secs(30);
