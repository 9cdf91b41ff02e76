//! One region: a MinIO cluster of one process with four drives, or of four processes with one drive each.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path as FilePath;
use std::time::Duration;

use futures::future::{join_all, try_join_all};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use tokio::process::Command;

use super::login::Login;
use super::node::{Claim, Node};
use super::{client, scratch};
use crate::clock::{now, pause, within};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    OneNode,
    FourNodes,
}

#[derive(Debug)]
pub(super) struct Cluster {
    /// What `mc` calls it, and what errors call it.
    pub(super) alias: String,
    pub(super) root: Login,
    pub(super) user: Login,
    /// Never empty. Clients talk to the first.
    nodes: Vec<Node>,
}

impl Cluster {
    /// Starts its processes.
    pub(super) fn spawn(minio: &FilePath, folder: &FilePath, index: usize, kind: Kind, group: i32) -> Result<Self, String> {
        let alias = format!("region{index}");
        let (root, user) = (Login::new("root")?, Login::new("reader")?);
        let home = scratch::folder(folder.join(&alias))?;
        let nodes = match kind {
            Kind::OneNode => vec![one_node(minio, &home, &root, group)?],
            Kind::FourNodes => four_nodes(minio, &home, &root, group)?,
        };
        nodes.iter().try_for_each(Node::spawn)?;
        Ok(Self { alias, root, user, nodes })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.nodes[0].address()
    }

    /// Until every node answers a read of an object, which liveness endpoints say nothing about.
    pub(super) async fn wait_ready(&self, bucket: &str, limit: Duration) -> Result<(), String> {
        try_join_all(self.nodes.iter().map(|node| self.wait_for(node, bucket, limit))).await.map(drop)
    }

    async fn wait_for(&self, node: &Node, bucket: &str, limit: Duration) -> Result<(), String> {
        let client = client::probe(&self.root, node.address(), bucket)?;
        let until = now() + limit;
        let told = |what: String| format!("MinIO of {} at {}: {what}; {}", self.alias, node.address(), node.last_words());
        loop {
            if serves(&client).await {
                return Ok(());
            }
            if node.id().is_none() {
                return Err(told("it has ended".to_owned()));
            }
            if now() >= until {
                return Err(told(format!("it served no read within {} s", limit.as_secs())));
            }
            pause(LOOK_AGAIN).await;
        }
    }

    pub(super) async fn kill(&self) {
        join_all(self.nodes.iter().map(Node::kill)).await;
    }

    /// Kills `count` nodes from the last, and leaves at least the first.
    pub(super) async fn stop_nodes(&self, count: usize) -> Result<(), String> {
        let Some(left) = self.nodes.len().checked_sub(count).filter(|left| *left > 0) else {
            return Err(format!("{}: {count} of its {} processes cannot be stopped and one be left", self.alias, self.nodes.len()));
        };
        join_all(self.nodes[left..].iter().map(Node::kill)).await;
        Ok(())
    }

    /// Starts what is dead.
    pub(super) fn restart(&self) -> Result<(), String> {
        self.nodes.iter().try_for_each(Node::spawn)
    }

    /// Starts the first node and no other: it waits for the rest, and says so.
    pub(super) fn start_first(&self) -> Result<(), String> {
        self.nodes[0].spawn()
    }

    /// By the shell's own `kill`, for want of a safe call. Nothing happens to what is dead.
    pub(super) async fn signal(&self, signal: &str) -> Result<(), String> {
        let ids: Vec<_> = self.nodes.iter().filter_map(Node::id).map(|id| id.to_string()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let done = Command::new("sh").args(["-c", r#"kill "$@""#, "kill", signal]).args(&ids).status().await;
        match done {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{}: kill {signal} {}: {status}", self.alias, ids.join(" "))),
            Err(error) => Err(format!("{}: kill {signal}: no shell: {error}", self.alias)),
        }
    }
}

/// Whether a read gets an answer about the object. There need be none, nor a bucket.
async fn serves(client: &AmazonS3) -> bool {
    let answer = within(READ_LIMIT, client.get(&Path::from("drill/is-anybody-there"))).await;
    matches!(answer, Some(Ok(_) | Err(Error::NotFound { .. })))
}

fn one_node(minio: &FilePath, home: &FilePath, root: &Login, group: i32) -> Result<Node, String> {
    for drive in 1..=4 {
        scratch::folder(home.join(format!("drive{drive}")))?;
    }
    let claim = Claim::new()?;
    // The three dots are for MinIO to read.
    let drives = vec![home.join("drive{1...4}").into_os_string()];
    let (arguments, variables) = (arguments(home, claim.address, drives), variables(root));
    Ok(Node::new(minio, claim, arguments, home.join("minio.log"), group).with_variables(variables))
}

fn four_nodes(minio: &FilePath, home: &FilePath, root: &Login, group: i32) -> Result<Vec<Node>, String> {
    let claims = (0..4).map(|_| Claim::new()).collect::<Result<Vec<_>, _>>()?;
    let mut drives = Vec::with_capacity(claims.len());
    for claim in &claims {
        let drive = scratch::folder(home.join(format!("drive-{}", claim.address.port())))?;
        let mut url = OsString::from(format!("http://{}", claim.address));
        url.push(drive);
        drives.push(url);
    }
    let node = |claim: Claim| {
        let (log, own) = (home.join(format!("minio-{}.log", claim.address.port())), claim.address.to_string());
        let arguments = arguments(home, claim.address, drives.clone());
        let mut variables = variables(root);
        // In a container MinIO takes no address of the loopback for its own, unless it is told.
        variables.push(("_MINIO_SERVER_LOCAL", own));
        Node::new(minio, claim, arguments, log, group).with_variables(variables)
    };
    Ok(claims.into_iter().map(node).collect())
}

fn arguments(home: &FilePath, address: SocketAddr, drives: Vec<OsString>) -> Vec<OsString> {
    // Certificates in the user's own folder would make it speak TLS.
    let certificates = home.join("certs").into_os_string();
    let start = ["server".into(), "--certs-dir".into(), certificates, "--address".into(), address.to_string().into()];
    start.into_iter().chain(drives).collect()
}

fn variables(root: &Login) -> Vec<(&'static str, String)> {
    vec![
        ("MINIO_ROOT_USER", root.key.clone()),
        ("MINIO_ROOT_PASSWORD", root.secret.clone()),
        ("MINIO_BROWSER", "off".to_owned()),
        // Several drives on one disk, the root's: refused otherwise.
        ("MINIO_CI_CD", "1".to_owned()),
    ]
}

const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// A node without its others answers nothing, ever.
const READ_LIMIT: Duration = Duration::from_secs(1);
