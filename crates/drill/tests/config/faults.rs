//! The faults of the HTTP client, as `object_store` reports them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use failover_drill::environment::existing::connector::{FaultSwitch, FaultyConnector};
use failover_drill::environment::existing::endpoint::Endpoint;
use failover_testkit::proxy::{Fault, Response};
use failover_testkit::s3::Server;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, Failure, FailureClass, RegionConfig};

const SIZE: usize = 256 * 1024;
const PAUSE: Duration = Duration::from_millis(100);

/// A server without faults, and a client that injects them.
struct Fixture {
    server: Server,
    switch: Arc<FaultSwitch>,
    store: AmazonS3,
}

impl Fixture {
    async fn start() -> Self {
        let bucket = Arc::new(InMemory::new());
        bucket.put(&key(), body().into()).await.unwrap();
        let server = Server::start("bucket", bucket as Arc<dyn ObjectStore>).await;
        let switch = Arc::new(FaultSwitch::new(PAUSE * 2));
        let builder: AmazonS3Builder = server.client();
        let store = builder
            .with_http_connector(FaultyConnector::new(&switch))
            .build()
            .unwrap();
        Self {
            server,
            switch,
            store,
        }
    }

    /// Reads the whole body.
    async fn read(&self) -> object_store::Result<Vec<u8>> {
        Ok(self.store.get(&key()).await?.bytes().await?.to_vec())
    }

    async fn class(&self) -> FailureClass {
        Failure::of(&self.read().await.unwrap_err()).class()
    }

    /// Whether a read is pending after a pause.
    async fn is_pending(&self) -> bool {
        tokio::time::timeout(PAUSE, self.read()).await.is_err()
    }
}

fn key() -> Path {
    Path::from("object")
}

fn body() -> Vec<u8> {
    (0..SIZE).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn passing_requests_are_counted() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.read().await.unwrap(), body());
    fixture.store.head(&key()).await.unwrap();
    assert_eq!(
        (
            fixture.switch.requests(),
            fixture.switch.body_bytes(),
            fixture.server.requests()
        ),
        (2, SIZE as u64, 2)
    );
}

#[tokio::test]
async fn refusal_sends_nothing_and_aborts_bodies_in_flight() {
    let fixture = Fixture::start().await;
    let in_flight = fixture.store.get(&key()).await.unwrap();
    fixture.switch.set(Fault::Refuse);
    assert_eq!(fixture.class().await, FailureClass::Connect);
    assert_eq!(fixture.server.requests(), 1, "the request was not sent");
    in_flight.bytes().await.unwrap_err();
    fixture.switch.set(Fault::Pass);
    assert_eq!(fixture.read().await.unwrap(), body());
}

#[tokio::test]
async fn refusal_aborts_a_request_in_flight() {
    let fixture = Fixture::start().await;
    fixture.server.hang();
    let (read, ()) = tokio::join!(fixture.read(), async {
        tokio::time::sleep(PAUSE).await;
        fixture.switch.set(Fault::Refuse);
    });
    assert_eq!(
        Failure::of(&read.unwrap_err()).class(),
        FailureClass::Interrupted
    );
}

#[tokio::test]
async fn swallowed_requests_are_lost_and_bodies_resume() {
    let fixture = Fixture::start().await;
    let in_flight = fixture.store.get(&key()).await.unwrap();
    fixture.switch.set(Fault::Swallow);
    assert!(fixture.is_pending().await);
    let mut body_waits = Box::pin(in_flight.bytes());
    assert!(tokio::time::timeout(PAUSE, &mut body_waits).await.is_err());
    let (read, ()) = tokio::join!(fixture.read(), async {
        tokio::time::sleep(PAUSE).await;
        fixture.switch.set(Fault::Pass);
    });
    assert_eq!(
        Failure::of(&read.unwrap_err()).class(),
        FailureClass::Interrupted,
        "like a connection that lost its request"
    );
    assert_eq!(fixture.server.requests(), 1, "the request was not sent");
    assert_eq!(body_waits.await.unwrap(), body(), "the body resumes");
}

#[tokio::test]
async fn blackhole_lasts_for_the_connect_limit() {
    let fixture = Fixture::start().await;
    fixture.switch.set(Fault::Blackhole);
    assert!(fixture.is_pending().await);
    assert_eq!(
        (fixture.class().await, fixture.server.requests()),
        (FailureClass::Connect, 0)
    );
}

#[tokio::test]
async fn delay_precedes_and_trickle_follows_the_headers() {
    let fixture = Fixture::start().await;
    fixture.switch.set(Fault::Delay(PAUSE));
    let started_at = Instant::now();
    assert_eq!(fixture.read().await.unwrap(), body());
    assert!(started_at.elapsed() >= PAUSE);
    fixture.switch.set(Fault::Trickle(SIZE as u64));
    let started_at = Instant::now();
    let found = fixture.store.get(&key()).await.unwrap();
    assert!(started_at.elapsed() < PAUSE, "the headers are not delayed");
    assert_eq!(found.bytes().await.unwrap(), body());
    let elapsed = started_at.elapsed();
    assert!(
        elapsed > Duration::from_millis(800) && elapsed < Duration::from_secs(3),
        "{elapsed:?} for the bytes of one second"
    );
}

#[tokio::test]
async fn bodies_break_at_the_exact_byte() {
    let fixture = Fixture::start().await;
    for (fault, ends) in [
        (Fault::ResetAfter(65_536), true),
        (Fault::StallAfter(65_536), false),
        (Fault::CloseAfter(65_536), true),
    ] {
        let (name, before) = (format!("{fault:?}"), fixture.switch.body_bytes());
        fixture.switch.set(fault);
        let read = tokio::time::timeout(PAUSE * 3, fixture.read()).await;
        assert_eq!(fixture.switch.body_bytes() - before, 65_536, "{name}");
        match read {
            Ok(Ok(part)) => assert!(
                part.len() == 65_536 && name.starts_with("Close"),
                "{name}: a clean end, too early"
            ),
            Ok(Err(error)) => assert!(
                ends && Failure::of(&error).class() == FailureClass::Interrupted,
                "{name}: {error}"
            ),
            Err(_) => assert!(!ends, "{name}"),
        }
    }
    fixture.switch.set(Fault::ResetAfter(SIZE as u64));
    assert_eq!(
        fixture.read().await.unwrap(),
        body(),
        "a body that is not longer is complete"
    );
}

#[tokio::test]
async fn scripted_responses_look_like_those_of_a_region() {
    let fixture = Fixture::start().await;
    for (response, class, code) in [
        (
            Response::error(503, "SlowDown"),
            FailureClass::Throttled,
            "SlowDown",
        ),
        (
            Response::error(503, "XMinioServerNotInitialized").header("retry-after", 1),
            FailureClass::Unavailable,
            "XMinioServerNotInitialized",
        ),
        (
            Response::error(403, "InvalidAccessKeyId"),
            FailureClass::Unauthorized,
            "InvalidAccessKeyId",
        ),
        (
            Response::error(404, "NoSuchBucket"),
            FailureClass::Misconfigured,
            "NoSuchBucket",
        ),
    ] {
        fixture.switch.set(response.into());
        let failure = Failure::of(&fixture.read().await.unwrap_err());
        assert_eq!((failure.class(), failure.code()), (class, Some(code)));
        assert!(!matches!(
            fixture.store.head(&key()).await,
            Ok(_) | Err(Error::NotSupported { .. })
        ));
    }
    assert_eq!(fixture.server.requests(), 0);
}

/// The only region of a document.
fn region(endpoint: &str, more: &str) -> RegionConfig {
    let document = format!(
        "[[regions]]\nname = \"a\"\nurl = \"s3://bucket\"\n[regions.options]\n{endpoint}\n{more}"
    );
    FailoverConfig::from_toml(&document)
        .unwrap()
        .regions
        .remove(0)
}

#[tokio::test]
async fn only_plain_endpoints_get_a_proxy_and_keep_their_path() {
    let fixture = Fixture::start().await;
    let (port, to) = (
        fixture.server.address().port(),
        std::net::SocketAddr::from(([127, 0, 0, 1], 4000)),
    );
    for (text, moved) in [
        (format!("http://127.0.0.1:{port}"), "http://127.0.0.1:4000"),
        (
            format!("http://localhost:{port}/s3/"),
            "http://127.0.0.1:4000/s3/",
        ),
    ] {
        let found = Endpoint::of(&region(&format!("AWS_Endpoint = \"{text}\""), ""))
            .await
            .unwrap();
        assert_eq!(found.at(to), moved);
    }
    let plain = format!("endpoint = \"http://127.0.0.1:{port}\"");
    for (endpoint, more) in [
        ("endpoint = \"https://minio.example\"", ""),
        ("endpoint = { env = \"NOWHERE\" }", ""),
        ("", "region = \"us-east-1\""),
        (plain.as_str(), "virtual_hosted_style_request = true"),
        (plain.as_str(), "endpoint_url = \"http://127.0.0.1:1\""),
        (plain.as_str(), "proxy_url = \"http://127.0.0.1:1\""),
        ("endpoint = \"http://127.0.0.1:1\"", ""),
    ] {
        assert_eq!(
            Endpoint::of(&region(endpoint, more)).await,
            None,
            "{endpoint} {more}"
        );
    }
}
