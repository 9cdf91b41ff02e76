//! The bucket that all regions have, and MinIO's replication between each two of them, in both directions.

use std::time::Duration;

use futures::future::{try_join, try_join_all};
use futures::{StreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use serde_json::Value;

use super::client;
use super::cluster::Cluster;
use super::mc::{self, Mc};
use crate::clock::{self, now, within};

/// One direction: to one other cluster.
#[derive(Debug)]
pub(super) struct Rule {
    id: String,
    /// MinIO's name of the other bucket.
    target: String,
}

/// Buckets, users, rules. Gives the rules of the first cluster.
pub(super) async fn set_up(mc: &Mc, clusters: &[Cluster], bucket: &str) -> Result<Vec<Rule>, String> {
    try_join_all(clusters.iter().map(|cluster| try_join(make_bucket(mc, cluster, bucket), make_user(mc, cluster)))).await?;
    try_join_all(clusters.iter().map(|from| send_to_all(mc, from, clusters, bucket))).await?;
    rules(mc, &clusters[0], bucket).await
}

async fn make_bucket(mc: &Mc, cluster: &Cluster, bucket: &str) -> Result<(), String> {
    mc.run(&cluster.alias, &["mb", "--with-versioning", &place(cluster, bucket)]).await.map(drop)
}

async fn make_user(mc: &Mc, cluster: &Cluster) -> Result<(), String> {
    let (alias, user) = (&cluster.alias, &cluster.user);
    mc.run(alias, &["admin", "user", "add", alias, &user.key, &user.secret]).await?;
    mc.run(alias, &["admin", "policy", "attach", alias, "readwrite", "--user", &user.key]).await.map(drop)
}

/// One after the other: each rewrites the same document of the bucket.
async fn send_to_all(mc: &Mc, from: &Cluster, clusters: &[Cluster], bucket: &str) -> Result<(), String> {
    let own = place(from, bucket);
    for (index, to) in clusters.iter().enumerate().filter(|(_, to)| to.alias != from.alias) {
        let (remote, priority) = (format!("{}/{bucket}", mc::url(to)), (index + 1).to_string());
        let mut arguments = vec!["replicate", "add", &own, "--remote-bucket", &remote, "--priority", &priority];
        arguments.extend(["--replicate", "delete,delete-marker,existing-objects,metadata-sync"]);
        mc.run(&from.alias, &arguments).await?;
    }
    Ok(())
}

async fn rules(mc: &Mc, cluster: &Cluster, bucket: &str) -> Result<Vec<Rule>, String> {
    let said = mc.run(&cluster.alias, &["replicate", "ls", &place(cluster, bucket)]).await?;
    let strange = || format!("mc replicate ls: not what this was written for; install the pinned version: {}", said.trim());
    let rule = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let rule = line.get("rule")?;
        Some(Rule { id: rule.get("ID")?.as_str()?.to_owned(), target: rule.pointer("/Destination/Bucket")?.as_str()?.to_owned() })
    };
    let rules = said.lines().filter(|line| !line.trim().is_empty()).map(rule).collect::<Option<Vec<_>>>();
    rules.filter(|rules| !rules.is_empty()).ok_or_else(strange)
}

pub(super) async fn pause(mc: &Mc, cluster: &Cluster, bucket: &str, rules: &[Rule]) -> Result<(), String> {
    switch(mc, cluster, bucket, rules, "disable").await
}

/// What was written during a pause is marked for nobody: only a resync, which looks at every object, sends it.
pub(super) async fn resume(mc: &Mc, cluster: &Cluster, bucket: &str, rules: &[Rule]) -> Result<(), String> {
    switch(mc, cluster, bucket, rules, "enable").await?;
    for rule in rules {
        let arguments = ["replicate", "resync", "start", &place(cluster, bucket), "--remote-bucket", &rule.target];
        mc.run(&cluster.alias, &arguments).await?;
    }
    Ok(())
}

async fn switch(mc: &Mc, cluster: &Cluster, bucket: &str, rules: &[Rule], state: &str) -> Result<(), String> {
    for rule in rules {
        mc.run(&cluster.alias, &["replicate", "update", &place(cluster, bucket), "--id", &rule.id, "--state", state]).await?;
    }
    Ok(())
}

/// Until all clusters say of all `keys` what the first says.
pub(super) async fn wait(clusters: &[Cluster], bucket: &str, keys: &[Path], limit: Duration) -> Result<(), String> {
    let probe = |cluster: &Cluster| client::probe(&cluster.root, cluster.address(), bucket);
    let clients = clusters.iter().map(probe).collect::<Result<Vec<_>, _>>()?;
    let Some((first, others)) = clients.split_first() else { return Ok(()) };
    let until = now() + limit;
    let (mut left, mut why): (Vec<Path>, _) = (keys.to_vec(), String::new());
    loop {
        let looks = stream::iter(left).map(|key| async {
            let differs = difference(first, others, &key, clusters).await;
            differs.map(|why| (key, why))
        });
        let lacking: Vec<_> = looks.buffer_unordered(AT_A_TIME).filter_map(std::future::ready).collect().await;
        if let Some((key, differs)) = lacking.first() {
            why = format!("{key}: {differs}");
        }
        left = lacking.into_iter().map(|(key, _)| key).collect();
        if left.is_empty() {
            return Ok(());
        }
        if now() >= until {
            return Err(format!("{} of {} keys are not replicated after {} s: {why}", left.len(), keys.len(), limit.as_secs_f64()));
        }
        clock::pause(LOOK_AGAIN).await;
    }
}

/// In what a cluster differs from the first about `key`, if in anything.
async fn difference(first: &AmazonS3, others: &[AmazonS3], key: &Path, clusters: &[Cluster]) -> Option<String> {
    let truth = match etag(first, key).await {
        Ok(truth) => truth,
        Err(why) => return Some(format!("{}: {why}", clusters[0].alias)),
    };
    for (client, cluster) in others.iter().zip(&clusters[1..]) {
        match etag(client, key).await {
            Ok(said) if said == truth => {}
            Ok(said) => return Some(format!("{} has {said:?}, {} has {truth:?}", cluster.alias, clusters[0].alias)),
            Err(why) => return Some(format!("{}: {why}", cluster.alias)),
        }
    }
    None
}

/// None where the cluster says that there is no such object.
async fn etag(client: &AmazonS3, key: &Path) -> Result<Option<String>, String> {
    match within(HEAD_LIMIT, client.head(key)).await {
        Some(Ok(meta)) => Ok(Some(meta.e_tag.unwrap_or_default())),
        Some(Err(Error::NotFound { .. })) => Ok(None),
        Some(Err(error)) => Err(error.to_string()),
        None => Err(format!("no answer within {} s", HEAD_LIMIT.as_secs())),
    }
}

fn place(cluster: &Cluster, bucket: &str) -> String {
    format!("{}/{bucket}", cluster.alias)
}

const LOOK_AGAIN: Duration = Duration::from_millis(50);
const HEAD_LIMIT: Duration = Duration::from_secs(5);
const AT_A_TIME: usize = 16;
