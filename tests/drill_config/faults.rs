//! Every fault that the drill makes in the HTTP client, as object_store sees it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, Failure, FailureClass, RegionConfig};

use crate::proxy::{Answer, Fault};
use crate::s3::Server;
use crate::theirs::connector::{Faulty, Tap};
use crate::theirs::endpoint::Endpoint;

const SIZE: usize = 256 * 1024;
const MOMENT: Duration = Duration::from_millis(100);

/// A server that is well, and a client that is not.
struct Site {
    server: Server,
    tap: Arc<Tap>,
    store: AmazonS3,
}

impl Site {
    async fn start() -> Self {
        let bucket = Arc::new(InMemory::new());
        bucket.put(&key(), body().into()).await.unwrap();
        let server = Server::start("bucket", bucket as Arc<dyn ObjectStore>).await;
        let tap = Arc::new(Tap::new(MOMENT * 2));
        let builder: AmazonS3Builder = server.client();
        let store = builder.with_http_connector(Faulty::new(&tap)).build().unwrap();
        Self { server, tap, store }
    }

    /// The whole body.
    async fn read(&self) -> object_store::Result<Vec<u8>> {
        Ok(self.store.get(&key()).await?.bytes().await?.to_vec())
    }

    async fn class(&self) -> FailureClass {
        Failure::of(&self.read().await.unwrap_err()).class()
    }

    /// Nothing has come of it after a moment.
    async fn waits(&self) -> bool {
        tokio::time::timeout(MOMENT, self.read()).await.is_err()
    }
}

fn key() -> Path {
    Path::from("object")
}

fn body() -> Vec<u8> {
    (0..SIZE).map(|at| (at % 251) as u8).collect()
}

#[tokio::test]
async fn what_passes_is_whole_and_counted() {
    let site = Site::start().await;
    assert_eq!(site.read().await.unwrap(), body());
    site.store.head(&key()).await.unwrap();
    assert_eq!((site.tap.requests(), site.tap.body_bytes(), site.server.requests()), (2, SIZE as u64, 2));
}

#[tokio::test]
async fn a_refusal_says_that_nothing_was_sent_and_cuts_what_is_under_way() {
    let site = Site::start().await;
    let under_way = site.store.get(&key()).await.unwrap();
    site.tap.set(Fault::Refuse);
    assert_eq!(site.class().await, FailureClass::Connect);
    assert_eq!(site.server.requests(), 1, "it did not get there");
    under_way.bytes().await.unwrap_err();
    site.tap.set(Fault::Pass);
    assert_eq!(site.read().await.unwrap(), body());
}

#[tokio::test]
async fn a_request_that_waits_for_its_answer_is_cut_too() {
    let site = Site::start().await;
    site.server.hang();
    let (read, ()) = tokio::join!(site.read(), async {
        tokio::time::sleep(MOMENT).await;
        site.tap.set(Fault::Refuse);
    });
    assert_eq!(Failure::of(&read.unwrap_err()).class(), FailureClass::Interrupted);
}

#[tokio::test]
async fn what_is_swallowed_never_comes_and_what_waited_is_lost() {
    let site = Site::start().await;
    let under_way = site.store.get(&key()).await.unwrap();
    site.tap.set(Fault::Swallow);
    assert!(site.waits().await);
    let mut body_waits = Box::pin(under_way.bytes());
    assert!(tokio::time::timeout(MOMENT, &mut body_waits).await.is_err());
    let (read, ()) = tokio::join!(site.read(), async {
        tokio::time::sleep(MOMENT).await;
        site.tap.set(Fault::Pass);
    });
    assert_eq!(Failure::of(&read.unwrap_err()).class(), FailureClass::Interrupted, "as a connection that has lost its request");
    assert_eq!(site.server.requests(), 1, "it never got there");
    assert_eq!(body_waits.await.unwrap(), body(), "a body goes on");
}

#[tokio::test]
async fn a_black_hole_lasts_for_the_limit_of_connecting() {
    let site = Site::start().await;
    site.tap.set(Fault::Blackhole);
    assert!(site.waits().await);
    assert_eq!((site.class().await, site.server.requests()), (FailureClass::Connect, 0));
}

#[tokio::test]
async fn a_delay_comes_before_the_first_byte_and_a_trickle_after_it() {
    let site = Site::start().await;
    site.tap.set(Fault::Delay(MOMENT));
    let began = Instant::now();
    assert_eq!(site.read().await.unwrap(), body());
    assert!(began.elapsed() >= MOMENT);
    site.tap.set(Fault::Trickle(SIZE as u64));
    let began = Instant::now();
    let found = site.store.get(&key()).await.unwrap();
    assert!(began.elapsed() < MOMENT, "the head comes at once");
    assert_eq!(found.bytes().await.unwrap(), body());
    let took = began.elapsed();
    assert!(took > Duration::from_millis(800) && took < Duration::from_secs(3), "{took:?} for a second's bytes");
}

#[tokio::test]
async fn bodies_break_at_their_byte() {
    let site = Site::start().await;
    for (fault, ends) in [(Fault::ResetAfter(65_536), true), (Fault::StallAfter(65_536), false), (Fault::CloseAfter(65_536), true)] {
        let (shows, before) = (format!("{fault:?}"), site.tap.body_bytes());
        site.tap.set(fault);
        let read = tokio::time::timeout(MOMENT * 3, site.read()).await;
        assert_eq!(site.tap.body_bytes() - before, 65_536, "{shows}");
        match read {
            Ok(Ok(part)) => assert!(part.len() == 65_536 && shows.starts_with("Close"), "{shows}: a clean end, too early"),
            Ok(Err(error)) => assert!(ends && Failure::of(&error).class() == FailureClass::Interrupted, "{shows}: {error}"),
            Err(_) => assert!(!ends, "{shows}"),
        }
    }
    site.tap.set(Fault::ResetAfter(SIZE as u64));
    assert_eq!(site.read().await.unwrap(), body(), "one that is no longer is not touched");
}

#[tokio::test]
async fn scripted_answers_are_those_of_a_region() {
    let site = Site::start().await;
    for (answer, class, code) in [
        (Answer::error(503, "SlowDown"), FailureClass::Throttled, "SlowDown"),
        (
            Answer::error(503, "XMinioServerNotInitialized").header("retry-after", 1),
            FailureClass::Unavailable,
            "XMinioServerNotInitialized",
        ),
        (Answer::error(403, "InvalidAccessKeyId"), FailureClass::Unauthorized, "InvalidAccessKeyId"),
        (Answer::error(404, "NoSuchBucket"), FailureClass::Misconfigured, "NoSuchBucket"),
    ] {
        site.tap.set(answer.into());
        let failure = Failure::of(&site.read().await.unwrap_err());
        assert_eq!((failure.class(), failure.code()), (class, Some(code)));
        assert!(!matches!(site.store.head(&key()).await, Ok(_) | Err(Error::NotSupported { .. })));
    }
    assert_eq!(site.server.requests(), 0);
}

/// The only region of a document.
fn region(endpoint: &str, more: &str) -> RegionConfig {
    let document = format!("[[regions]]\nname = \"a\"\nurl = \"s3://bucket\"\n[regions.options]\n{endpoint}\n{more}");
    toml::from_str::<FailoverConfig>(&document).unwrap().regions.remove(0)
}

#[tokio::test]
async fn a_proxy_stands_before_plain_endpoints_only_and_their_path_stays() {
    let site = Site::start().await;
    let (port, to) = (site.server.address().port(), std::net::SocketAddr::from(([127, 0, 0, 1], 4000)));
    for (text, moved) in [
        (format!("http://127.0.0.1:{port}"), "http://127.0.0.1:4000"),
        (format!("http://localhost:{port}/s3/"), "http://127.0.0.1:4000/s3/"),
    ] {
        let found = Endpoint::of(&region(&format!("AWS_Endpoint = \"{text}\""), "")).await.unwrap();
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
        assert_eq!(Endpoint::of(&region(endpoint, more)).await, None, "{endpoint} {more}");
    }
}
