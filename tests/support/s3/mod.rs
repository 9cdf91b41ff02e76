//! An S3 server inside the test's own process: one region, with faults on demand.
//!
//! Servers over clones of one `InMemory` are perfect replicas of each other; servers over
//! separate ones diverge. The wire, the signatures and the faults are real in both cases.

#![allow(clippy::allow_attributes, dead_code, unreachable_pub, unused_imports, reason = "each test binary uses a part of it")]

mod backend;
mod bucket;
pub mod line;
mod listing;
mod object;
mod uploads;
pub mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

pub use object::DELETE_MARKER;

/// The only access key that is let in.
pub const KEY: &str = "test";
/// The secret belonging to [`KEY`].
pub const SECRET: &str = "test-secret";
/// The region clients sign for. The server takes any, as long as the signature holds.
pub const REGION: &str = "us-east-1";

/// One region's S3 on 127.0.0.1. It is gone, with its connections, when dropped.
pub struct Server {
    bucket: String,
    wire: wire::Wire,
}

impl Server {
    /// Serves `objects` as the only bucket, on a port chosen by the system.
    ///
    /// Panics if no port can be had, for no test can go on without one.
    pub async fn start(bucket: &str, objects: Arc<dyn ObjectStore>) -> Self {
        let mut service = S3ServiceBuilder::new(bucket::Bucket::new(bucket, objects));
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let wire = wire::Wire::open(service.build()).expect("a port of 127.0.0.1 is free");
        Self { bucket: bucket.to_owned(), wire }
    }

    pub fn address(&self) -> SocketAddr {
        self.wire.address()
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Ends the server as SIGKILL does: connecting is refused from now on, and what was connected
    /// is reset, bodies in flight included. What it stores, and the port, are kept.
    pub fn kill(&self) {
        self.wire.kill();
    }

    /// Stops the server as SIGSTOP does: connections open and stay open, nothing is answered, and
    /// bodies in flight stay where they are. Without effect on a killed server.
    pub fn hang(&self) {
        self.wire.hang();
    }

    /// Undoes [`kill`](Self::kill) and [`hang`](Self::hang). Requests that arrived during a hang
    /// are carried out now, as a process that goes on would, even if their clients have left.
    pub fn revive(&self) {
        self.wire.revive().expect("the port has been kept for us");
    }

    /// How many requests have reached the server, answered or not.
    pub fn requests(&self) -> u64 {
        self.wire.requests()
    }

    /// How many of them had another method than GET and HEAD: whether anybody tried to change something.
    pub fn writes(&self) -> u64 {
        self.wire.writes()
    }

    /// A client that shows every fault as it is: no retries, and no limit but that on connecting.
    pub fn store(&self) -> AmazonS3 {
        self.client().build().expect("the configuration is complete")
    }

    /// What [`store`](Self::store) is built from, for a test that wants a different client.
    pub fn client(&self) -> AmazonS3Builder {
        let options = ClientOptions::new().with_allow_http(true).with_timeout_disabled().with_connect_timeout(Duration::from_secs(2));
        AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_bucket_name(&self.bucket)
            .with_region(REGION)
            .with_access_key_id(KEY)
            .with_secret_access_key(SECRET)
            .with_virtual_hosted_style_request(false)
            .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
            .with_client_options(options)
    }
}
