//! The binary of the drill, and regions for it.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use failover_testkit::s3::{KEY, SECRET, Server};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::process::Child;

pub const BUCKET: &str = "existing";
/// Reached only by a test that fails.
const LONG: Duration = Duration::from_secs(60);

/// Output and exit code of the binary.
pub struct Output {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Regions, each with its own bucket.
pub struct Regions {
    pub servers: Vec<Server>,
    pub buckets: Vec<Arc<InMemory>>,
    file: PathBuf,
}

impl Regions {
    /// Three regions with the same objects of 1 KiB to 200 KiB, written in the same order, so that
    /// their ETags are equal.
    pub async fn start(name: &str) -> Self {
        let regions = Self::empty(name, 3).await;
        for index in 0..60_usize {
            let body = vec![u8::try_from(index).unwrap(); 1024 * (1 + index * index / 18)];
            for bucket in &regions.buckets {
                bucket
                    .put(
                        &Path::from(format!("objects/{index:03}")),
                        body.clone().into(),
                    )
                    .await
                    .unwrap();
            }
        }
        regions
    }

    pub async fn empty(name: &str, count: usize) -> Self {
        let (mut servers, mut buckets) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let bucket = Arc::new(InMemory::new());
            servers.push(
                Server::start(
                    BUCKET,
                    Arc::<InMemory>::clone(&bucket) as Arc<dyn ObjectStore>,
                )
                .await,
            );
            buckets.push(bucket);
        }
        let file = std::env::temp_dir().join(format!(
            "object_store_failover-drill-{name}-{}.toml",
            std::process::id()
        ));
        let regions = Self {
            servers,
            buckets,
            file,
        };
        regions.write(&regions.document());
        regions
    }

    pub fn document(&self) -> String {
        let endpoints = self.servers.iter().map(Server::endpoint);
        document(endpoints)
    }

    /// Replaces the configuration file.
    pub fn write(&self, document: &str) {
        std::fs::write(&self.file, document).unwrap();
    }

    /// Runs the drill to its end.
    pub async fn drill(&self, args: &[&str]) -> Output {
        let child = self.begin(args);
        let output = tokio::time::timeout(LONG, child.wait_with_output())
            .await
            .expect("the drill does not end")
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Output {
            code: output.status.code(),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    pub fn begin(&self, args: &[&str]) -> Child {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_failover-drill"));
        command
            .arg("--config")
            .arg(&self.file)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // A proxy of the environment must not intercept the requests.
        command
            .env_remove("HTTP_PROXY")
            .env_remove("http_proxy")
            .kill_on_drop(true);
        command.spawn().unwrap()
    }

    pub fn writes(&self) -> u64 {
        self.servers.iter().map(Server::writes).sum()
    }
}

impl Drop for Regions {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

pub fn document(endpoints: impl Iterator<Item = String>) -> String {
    endpoints.zip(["berlin", "paris", "sydney"]).fold(
        String::new(),
        |mut text, (endpoint, name)| {
            let _ = write!(
                text,
                r#"
[[regions]]
name = "{name}"
url = "s3://{BUCKET}"
flavor = "minio"
[regions.options]
endpoint = "{endpoint}"
allow_http = true
region = "us-east-1"
access_key_id = "{KEY}"
secret_access_key = "{SECRET}"
"#
            );
            text
        },
    )
}
