//! An embedded S3 server: one region on 127.0.0.1 that can be killed, hung and revived.
//!
//! Servers over clones of one `InMemory` are perfect replicas of each other; servers over separate
//! ones diverge. HTTP, signatures and faults are real in both cases.

mod backend;
mod bucket;
pub(crate) mod connection;
mod document;
pub(crate) mod listener;
mod listing;
mod object;
mod uploads;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, ObjectStore, RetryConfig};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;

pub use document::Document;
pub use object::DELETE_MARKER;

/// The only valid access key.
pub const KEY: &str = "test";
/// The secret belonging to [`KEY`].
pub const SECRET: &str = "test-secret";
/// The region that clients sign for. The server accepts any region with a valid signature.
pub const REGION: &str = "us-east-1";

/// The S3 server of one region on 127.0.0.1. Dropping it ends it and its connections.
pub struct Server {
    bucket: String,
    listener: listener::Listener,
}

impl Server {
    /// Serves `objects` as the only bucket, on a port that the system chooses.
    ///
    /// Panics if no port is free.
    pub async fn start(bucket: &str, objects: Arc<dyn ObjectStore>) -> Self {
        let mut service = S3ServiceBuilder::new(bucket::Bucket::new(bucket, objects));
        service.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let listener =
            listener::Listener::open(service.build()).expect("a port of 127.0.0.1 is free");
        Self {
            bucket: bucket.to_owned(),
            listener,
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener.address()
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Ends the server as SIGKILL does: new connections are refused, existing ones are reset,
    /// bodies in flight included. The objects and the port are kept.
    pub fn kill(&self) {
        self.listener.kill();
    }

    /// Stops the server as SIGSTOP does: connections open and stay open, there is no response, and
    /// bodies in flight stall. No effect on a killed server.
    pub fn hang(&self) {
        self.listener.hang();
    }

    /// Ends [`kill`](Self::kill) and [`hang`](Self::hang). Requests that arrived during a hang are
    /// executed now, as by a resumed process, even if their clients have disconnected.
    pub fn revive(&self) {
        self.listener.revive().expect("the port is reserved");
    }

    /// How many requests have reached the server, with or without a response.
    pub fn requests(&self) -> u64 {
        self.listener.requests()
    }

    /// How many of them had a method other than GET and HEAD.
    pub fn writes(&self) -> u64 {
        self.listener.writes()
    }

    /// A client without retries and with no timeout except for connecting.
    pub fn store(&self) -> AmazonS3 {
        self.client()
            .build()
            .expect("the configuration is complete")
    }

    /// The builder of [`store`](Self::store), for tests that change its settings.
    pub fn client(&self) -> AmazonS3Builder {
        let options = ClientOptions::new()
            .with_allow_http(true)
            .with_timeout_disabled()
            .with_connect_timeout(Duration::from_secs(2));
        AmazonS3Builder::new()
            .with_endpoint(self.endpoint())
            .with_bucket_name(&self.bucket)
            .with_region(REGION)
            .with_access_key_id(KEY)
            .with_secret_access_key(SECRET)
            .with_virtual_hosted_style_request(false)
            .with_retry(RetryConfig {
                max_retries: 0,
                ..RetryConfig::default()
            })
            .with_client_options(options)
    }
}
