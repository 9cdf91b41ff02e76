//! The bucket of all regions, and MinIO's replication between every two of them, in both
//! directions.

use std::time::Duration;

use futures::future::{try_join, try_join_all};
use futures::{StreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout};

use super::client;
use super::cluster::Cluster;
use super::mc::{self, Mc};

/// One direction of replication.
#[derive(Debug)]
pub(super) struct Rule {
    id: String,
    /// MinIO's ARN of the target bucket.
    target: String,
}

/// Creates buckets, users and rules. Returns the rules of the first cluster.
pub(super) async fn set_up(
    mc: &Mc,
    clusters: &[Cluster],
    bucket: &str,
) -> Result<Vec<Rule>, String> {
    try_join_all(
        clusters
            .iter()
            .map(|cluster| try_join(make_bucket(mc, cluster, bucket), make_user(mc, cluster))),
    )
    .await?;
    try_join_all(
        clusters
            .iter()
            .map(|from| send_to_all(mc, from, clusters, bucket)),
    )
    .await?;
    rules(mc, &clusters[0], bucket).await
}

async fn make_bucket(mc: &Mc, cluster: &Cluster, bucket: &str) -> Result<(), String> {
    mc.run(
        &cluster.alias,
        &["mb", "--with-versioning", &bucket_path(cluster, bucket)],
    )
    .await
    .map(drop)
}

async fn make_user(mc: &Mc, cluster: &Cluster) -> Result<(), String> {
    let (alias, user) = (&cluster.alias, &cluster.user);
    mc.run(
        alias,
        &["admin", "user", "add", alias, &user.key, &user.secret],
    )
    .await?;
    mc.run(
        alias,
        &[
            "admin",
            "policy",
            "attach",
            alias,
            "readwrite",
            "--user",
            &user.key,
        ],
    )
    .await
    .map(drop)
}

/// Sequential, because each command rewrites the same document of the bucket.
async fn send_to_all(
    mc: &Mc,
    from: &Cluster,
    clusters: &[Cluster],
    bucket: &str,
) -> Result<(), String> {
    let own = bucket_path(from, bucket);
    for (index, to) in clusters
        .iter()
        .enumerate()
        .filter(|(_, to)| to.alias != from.alias)
    {
        let (remote, priority) = (format!("{}/{bucket}", mc::url(to)), (index + 1).to_string());
        let mut arguments = vec![
            "replicate",
            "add",
            &own,
            "--remote-bucket",
            &remote,
            "--priority",
            &priority,
        ];
        arguments.extend([
            "--replicate",
            "delete,delete-marker,existing-objects,metadata-sync",
        ]);
        mc.run(&from.alias, &arguments).await?;
    }
    Ok(())
}

async fn rules(mc: &Mc, cluster: &Cluster, bucket: &str) -> Result<Vec<Rule>, String> {
    let output = mc
        .run(
            &cluster.alias,
            &["replicate", "ls", &bucket_path(cluster, bucket)],
        )
        .await?;
    let unexpected = || {
        format!(
            "mc replicate ls: unexpected output; install the pinned version: {}",
            output.trim()
        )
    };
    let rule = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        let rule = line.get("rule")?;
        Some(Rule {
            id: rule.get("ID")?.as_str()?.to_owned(),
            target: rule.pointer("/Destination/Bucket")?.as_str()?.to_owned(),
        })
    };
    let rules = output
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(rule)
        .collect::<Option<Vec<_>>>();
    rules
        .filter(|rules| !rules.is_empty())
        .ok_or_else(unexpected)
}

pub(super) async fn pause(
    mc: &Mc,
    cluster: &Cluster,
    bucket: &str,
    rules: &[Rule],
) -> Result<(), String> {
    set_state(mc, cluster, bucket, rules, "disable").await
}

/// Writes during a pause are not queued; only a resync, which visits every object, sends them.
pub(super) async fn resume(
    mc: &Mc,
    cluster: &Cluster,
    bucket: &str,
    rules: &[Rule],
) -> Result<(), String> {
    set_state(mc, cluster, bucket, rules, "enable").await?;
    for rule in rules {
        let arguments = [
            "replicate",
            "resync",
            "start",
            &bucket_path(cluster, bucket),
            "--remote-bucket",
            &rule.target,
        ];
        mc.run(&cluster.alias, &arguments).await?;
    }
    Ok(())
}

async fn set_state(
    mc: &Mc,
    cluster: &Cluster,
    bucket: &str,
    rules: &[Rule],
    state: &str,
) -> Result<(), String> {
    for rule in rules {
        mc.run(
            &cluster.alias,
            &[
                "replicate",
                "update",
                &bucket_path(cluster, bucket),
                "--id",
                &rule.id,
                "--state",
                state,
            ],
        )
        .await?;
    }
    Ok(())
}

/// Waits until all clusters agree with the first on all `keys`.
pub(super) async fn wait(
    clusters: &[Cluster],
    bucket: &str,
    keys: &[Path],
    limit: Duration,
) -> Result<(), String> {
    let probe = |cluster: &Cluster| client::probe(&cluster.root, cluster.address(), bucket);
    let clients = clusters.iter().map(probe).collect::<Result<Vec<_>, _>>()?;
    let Some((first, others)) = clients.split_first() else {
        return Ok(());
    };
    let until = Instant::now() + limit;
    let (mut left, mut why): (Vec<Path>, _) = (keys.to_vec(), String::new());
    loop {
        let checks = stream::iter(left).map(|key| async {
            let differs = difference(first, others, &key, clusters).await;
            differs.map(|why| (key, why))
        });
        let different: Vec<_> = checks
            .buffer_unordered(MAX_CONCURRENT)
            .filter_map(std::future::ready)
            .collect()
            .await;
        if let Some((key, differs)) = different.first() {
            why = format!("{key}: {differs}");
        }
        left = different.into_iter().map(|(key, _)| key).collect();
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() >= until {
            return Err(format!(
                "{} of {} keys are not replicated after {} s: {why}",
                left.len(),
                keys.len(),
                limit.as_secs_f64()
            ));
        }
        sleep(POLL_INTERVAL).await;
    }
}

/// A difference to the first cluster about `key`.
async fn difference(
    first: &AmazonS3,
    others: &[AmazonS3],
    key: &Path,
    clusters: &[Cluster],
) -> Option<String> {
    let expected = match etag(first, key).await {
        Ok(expected) => expected,
        Err(why) => return Some(format!("{}: {why}", clusters[0].alias)),
    };
    for (client, cluster) in others.iter().zip(&clusters[1..]) {
        match etag(client, key).await {
            Ok(found) if found == expected => {}
            Ok(found) => {
                return Some(format!(
                    "{} has {found:?}, {} has {expected:?}",
                    cluster.alias, clusters[0].alias
                ));
            }
            Err(why) => return Some(format!("{}: {why}", cluster.alias)),
        }
    }
    None
}

/// `None` if the object does not exist.
async fn etag(client: &AmazonS3, key: &Path) -> Result<Option<String>, String> {
    match timeout(HEAD_LIMIT, client.head(key)).await {
        Ok(Ok(meta)) => Ok(Some(meta.e_tag.unwrap_or_default())),
        Ok(Err(Error::NotFound { .. })) => Ok(None),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no response within {} s", HEAD_LIMIT.as_secs())),
    }
}

fn bucket_path(cluster: &Cluster, bucket: &str) -> String {
    format!("{}/{bucket}", cluster.alias)
}

const POLL_INTERVAL: Duration = Duration::from_millis(50);
const HEAD_LIMIT: Duration = Duration::from_secs(5);
const MAX_CONCURRENT: usize = 16;
