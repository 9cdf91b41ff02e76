//! The drill's program, and regions for it to play on.

use std::fmt::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::process::Child;

use crate::s3::{KEY, SECRET, Server};

pub const BUCKET: &str = "theirs";
/// Far more than anything here takes; reached only by a test that fails.
const LONG: Duration = Duration::from_secs(60);

/// What it said, and how it ended.
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Regions over buckets of their own.
pub struct Regions {
    pub servers: Vec<Server>,
    pub buckets: Vec<Arc<InMemory>>,
    file: PathBuf,
}

impl Regions {
    /// Three that hold the same objects of 1 KiB to 200 KiB, written in the same order: so their ETags are the same.
    pub async fn start(name: &str) -> Self {
        let regions = Self::empty(name, 3).await;
        for index in 0..60_usize {
            let body = vec![u8::try_from(index).unwrap(); 1024 * (1 + index * index / 18)];
            for bucket in &regions.buckets {
                bucket.put(&Path::from(format!("objects/{index:03}")), body.clone().into()).await.unwrap();
            }
        }
        regions
    }

    pub async fn empty(name: &str, count: usize) -> Self {
        let (mut servers, mut buckets) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let bucket = Arc::new(InMemory::new());
            servers.push(Server::start(BUCKET, Arc::<InMemory>::clone(&bucket) as Arc<dyn ObjectStore>).await);
            buckets.push(bucket);
        }
        let file = std::env::temp_dir().join(format!("object_store_failover-drill-{name}-{}.toml", std::process::id()));
        let regions = Self { servers, buckets, file };
        regions.write(&regions.document());
        regions
    }

    pub fn document(&self) -> String {
        let endpoints = self.servers.iter().map(Server::endpoint);
        document(endpoints)
    }

    /// The file is this from now on.
    pub fn write(&self, document: &str) {
        std::fs::write(&self.file, document).unwrap();
    }

    /// Runs the drill on them to its end.
    pub async fn drill(&self, args: &[&str]) -> Said {
        let child = self.begin(args);
        let output = tokio::time::timeout(LONG, child.wait_with_output()).await.expect("it did not end").unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    pub fn begin(&self, args: &[&str]) -> Child {
        let mut command = tokio::process::Command::new(program());
        command.arg("--config").arg(&self.file).args(args).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Nothing of the machine's may come between it and the servers.
        command.env_remove("HTTP_PROXY").env_remove("http_proxy").kill_on_drop(true);
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
    endpoints.zip(["berlin", "paris", "sydney"]).fold(String::new(), |mut text, (endpoint, name)| {
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
    })
}

/// Where cargo puts it. It is built if nobody has: what runs must be what lies here.
fn program() -> &'static PathBuf {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let test = std::env::current_exe().unwrap();
        let profile = test.ancestors().nth(2).unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--example", "drill"]).current_dir(env!("CARGO_MANIFEST_DIR"));
        cargo.arg("--target-dir").arg(profile.parent().unwrap());
        if !cfg!(debug_assertions) {
            cargo.arg("--release");
        }
        assert!(cargo.status().unwrap().success(), "the drill could not be built");
        profile.join("examples").join(format!("drill{}", std::env::consts::EXE_SUFFIX))
    })
}
