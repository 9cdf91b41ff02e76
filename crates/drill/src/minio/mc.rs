//! MinIO's command-line client, with aliases from environment variables; the user's settings are
//! neither read nor changed.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::cluster::Cluster;

#[derive(Debug)]
pub(super) struct Mc {
    program: PathBuf,
    folder: PathBuf,
    /// `MC_HOST_alias` and its URL, which includes the secret.
    hosts: Vec<(String, String)>,
}

impl Mc {
    pub(super) fn new(program: &Path, folder: &Path, clusters: &[Cluster]) -> Self {
        let hosts = clusters
            .iter()
            .map(|cluster| (format!("MC_HOST_{}", cluster.alias), url(cluster)))
            .collect();
        Self {
            program: program.to_owned(),
            folder: folder.join("mc"),
            hosts,
        }
    }

    /// Runs `mc` and returns its output, JSON lines. Each alias has its own settings folder,
    /// because concurrent runs write to it.
    pub(super) async fn run(&self, alias: &str, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"MC_"))
        {
            command.env_remove(name);
        }
        command
            .envs(self.hosts.iter().map(|(name, url)| (name, url)))
            .env("MC_CONFIG_DIR", self.folder.join(alias));
        command
            .args(["--json", "--disable-pager"])
            .args(arguments)
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let fail =
            |why: String| format!("mc {}: {why}", self.without_secrets(&arguments.join(" ")));
        let done = timeout(LIMIT, command.output())
            .await
            .map_err(|_| fail(format!("not done within {} s", LIMIT.as_secs())))?;
        let done = done.map_err(|error| fail(error.to_string()))?;
        let output = String::from_utf8_lossy(&done.stdout).into_owned();
        if done.status.success() {
            return Ok(output);
        }
        let why = format!(
            "{}: {} {}",
            done.status,
            output.trim(),
            String::from_utf8_lossy(&done.stderr).trim()
        );
        Err(fail(self.without_secrets(&why)))
    }

    fn without_secrets(&self, text: &str) -> String {
        let hosts = self
            .hosts
            .iter()
            .filter_map(|(_, url)| Some((url, url.rsplit_once('@')?.1)));
        hosts.fold(text.to_owned(), |text, (url, host)| {
            text.replace(url, &format!("http://***@{host}"))
        })
    }
}

/// The URL of a cluster with the credentials of its root user.
pub(super) fn url(cluster: &Cluster) -> String {
    format!(
        "http://{}:{}@{}",
        cluster.root.key,
        cluster.root.secret,
        cluster.address()
    )
}

/// A command takes 0.2 s; MinIO waits some seconds for a peer.
const LIMIT: Duration = Duration::from_secs(30);
