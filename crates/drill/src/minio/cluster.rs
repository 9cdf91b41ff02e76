//! One region: a MinIO cluster of one process with four drives, or of four processes with one drive
//! each.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use tokio::process::Command;
use tokio::time::{Instant, sleep, timeout};

use super::credentials::Credentials;
use super::node::{Node, PortReservation};
use super::{client, scratch};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topology {
    OneNode,
    FourNodes,
}

#[derive(Debug)]
pub(super) struct Cluster {
    /// The alias for `mc`, also used in errors.
    pub(super) alias: String,
    pub(super) root: Credentials,
    pub(super) user: Credentials,
    /// Never empty. Clients connect to the first.
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts the processes.
    pub(super) fn spawn(
        minio: &FilePath,
        folder: &FilePath,
        index: usize,
        kind: Topology,
        group: i32,
    ) -> Result<Self, String> {
        let alias = format!("region{index}");
        let (root, user) = (Credentials::new("root")?, Credentials::new("reader")?);
        let home = scratch::folder(folder.join(&alias))?;
        let nodes = match kind {
            Topology::OneNode => vec![one_node(minio, &home, &root, group)?],
            Topology::FourNodes => four_nodes(minio, &home, &root, group)?,
        };
        nodes.iter().try_for_each(Node::spawn)?;
        Ok(Self {
            alias,
            root,
            user,
            nodes,
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.nodes[0].address()
    }

    /// Waits until every node serves a read of an object; the liveness endpoints do not show that.
    pub(super) async fn wait_ready(&self, bucket: &str, limit: Duration) -> Result<(), String> {
        try_join_all(
            self.nodes
                .iter()
                .map(|node| self.wait_for(node, bucket, limit)),
        )
        .await
        .map(drop)
    }

    async fn wait_for(&self, node: &Node, bucket: &str, limit: Duration) -> Result<(), String> {
        let client = client::probe(&self.root, node.address(), bucket)?;
        let until = Instant::now() + limit;
        let report = |what: String| {
            format!(
                "MinIO of {} at {}: {what}; {}",
                self.alias,
                node.address(),
                node.last_log_lines()
            )
        };
        loop {
            if serves(&client).await {
                return Ok(());
            }
            if node.id().is_none() {
                return Err(report("it has ended".to_owned()));
            }
            if Instant::now() >= until {
                return Err(report(format!(
                    "it served no read within {} s",
                    limit.as_secs()
                )));
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    pub(super) async fn kill(&self) {
        join_all(self.nodes.iter().map(Node::kill)).await;
    }

    /// Kills the last `count` nodes; the first node keeps running.
    pub(super) async fn stop_nodes(&self, count: usize) -> Result<(), String> {
        let Some(left) = self.nodes.len().checked_sub(count).filter(|left| *left > 0) else {
            return Err(format!(
                "{}: cannot stop {count} of {} processes and keep one",
                self.alias,
                self.nodes.len()
            ));
        };
        join_all(self.nodes[left..].iter().map(Node::kill)).await;
        Ok(())
    }

    /// Starts the processes that are dead.
    pub(super) fn restart(&self) -> Result<(), String> {
        self.nodes.iter().try_for_each(Node::spawn)
    }

    /// Starts only the first node, which is not ready without the others.
    pub(super) fn start_first(&self) -> Result<(), String> {
        self.nodes[0].spawn()
    }

    /// Sends a signal through the shell's `kill`, because the crate forbids unsafe code. Dead
    /// processes are skipped.
    pub(super) async fn signal(&self, signal: &str) -> Result<(), String> {
        let ids: Vec<_> = self
            .nodes
            .iter()
            .filter_map(Node::id)
            .map(|id| id.to_string())
            .collect();
        if ids.is_empty() {
            return Ok(());
        }
        let done = Command::new("sh")
            .args(["-c", r#"kill "$@""#, "kill", signal])
            .args(&ids)
            .status()
            .await;
        match done {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!(
                "{}: kill {signal} {}: {status}",
                self.alias,
                ids.join(" ")
            )),
            Err(error) => Err(format!("{}: kill {signal}: no shell: {error}", self.alias)),
        }
    }
}

/// Whether a read gets a response about the object; object and bucket need not exist.
async fn serves(client: &AmazonS3) -> bool {
    let response = timeout(READ_LIMIT, client.get(&Path::from("drill/readiness-check"))).await;
    matches!(response, Ok(Ok(_) | Err(Error::NotFound { .. })))
}

fn one_node(
    minio: &FilePath,
    home: &FilePath,
    root: &Credentials,
    group: i32,
) -> Result<Node, String> {
    for drive in 1..=4 {
        scratch::folder(home.join(format!("drive{drive}")))?;
    }
    let reservation = PortReservation::new()?;
    // MinIO expands the three dots.
    let drives = vec![home.join("drive{1...4}").into_os_string()];
    let (arguments, variables) = (
        arguments(home, reservation.address, drives),
        variables(root),
    );
    Ok(
        Node::new(minio, reservation, arguments, home.join("minio.log"), group)
            .with_variables(variables),
    )
}

fn four_nodes(
    minio: &FilePath,
    home: &FilePath,
    root: &Credentials,
    group: i32,
) -> Result<Vec<Node>, String> {
    let reservations = (0..4)
        .map(|_| PortReservation::new())
        .collect::<Result<Vec<_>, _>>()?;
    let mut drives = Vec::with_capacity(reservations.len());
    for reservation in &reservations {
        let drive = scratch::folder(home.join(format!("drive-{}", reservation.address.port())))?;
        let mut url = OsString::from(format!("http://{}", reservation.address));
        url.push(drive);
        drives.push(url);
    }
    let node = |reservation: PortReservation| {
        let (log, own) = (
            home.join(format!("minio-{}.log", reservation.address.port())),
            reservation.address.to_string(),
        );
        let arguments = arguments(home, reservation.address, drives.clone());
        let mut variables = variables(root);
        // In a container MinIO does not take a loopback address for its own unless it is set.
        variables.push(("_MINIO_SERVER_LOCAL", own));
        Node::new(minio, reservation, arguments, log, group).with_variables(variables)
    };
    Ok(reservations.into_iter().map(node).collect())
}

fn arguments(home: &FilePath, address: SocketAddr, drives: Vec<OsString>) -> Vec<OsString> {
    // With certificates in the user's folder MinIO would use TLS.
    let certificates = home.join("certs").into_os_string();
    let start = [
        "server".into(),
        "--certs-dir".into(),
        certificates,
        "--address".into(),
        address.to_string().into(),
    ];
    start.into_iter().chain(drives).collect()
}

fn variables(root: &Credentials) -> Vec<(&'static str, String)> {
    vec![
        ("MINIO_ROOT_USER", root.key.clone()),
        ("MINIO_ROOT_PASSWORD", root.secret.clone()),
        ("MINIO_BROWSER", "off".to_owned()),
        // Allows several drives on the root disk.
        ("MINIO_CI_CD", "1".to_owned()),
    ]
}

const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// A node without its peers never responds.
const READ_LIMIT: Duration = Duration::from_secs(1);
