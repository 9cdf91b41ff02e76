//! Each fault as a client of a single region sees it.

use std::io::ErrorKind;
use std::time::Instant;

use failover_testkit::proxy::{Fault, Response};
use failover_testkit::secs;
use futures::{StreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::*;

/// A client with a connect timeout and no other.
fn connecting_within(builder: AmazonS3Builder, limit: Duration) -> AmazonS3 {
    let options = ClientOptions::new()
        .with_allow_http(true)
        .with_timeout_disabled()
        .with_connect_timeout(limit);
    builder.with_client_options(options).build().unwrap()
}

impl Setup {
    /// A new client of the first server through its proxy: no pooled connection, no retries.
    fn client(&self) -> AmazonS3 {
        self.proxies[0].client(&self.servers[0]).build().unwrap()
    }
}

/// How many bytes of a body arrived, and how it ended.
async fn drain(store: &AmazonS3) -> (usize, Result<()>) {
    let mut body = store.get(&key()).await.unwrap().into_stream();
    let mut length = 0;
    loop {
        match body.next().await {
            Some(Ok(bytes)) => {
                assert_eq!(bytes, content()[length..length + bytes.len()]);
                length += bytes.len();
            }
            Some(Err(error)) => return (length, Err(error)),
            None => return (length, Ok(())),
        }
    }
}

#[tokio::test]
async fn pass_forwards_and_counts_everything() {
    let setup = Setup::new().await;
    let (store, proxy) = (setup.client(), &setup.proxies[0]);
    for kind in ReadKind::ALL {
        assert!(kind.returns_content(&store).await.unwrap(), "{kind:?}");
    }
    let ranges = 1_499_900 + 400_190 + 10;
    assert_eq!(
        (proxy.counts().requests, proxy.counts().body_bytes),
        (5, (2 * OBJECT_BYTES + ranges) as u64)
    );
    assert!(
        proxy.counts().bytes > proxy.counts().body_bytes + 5 * 100,
        "heads are counted"
    );
    let before = proxy.counts();
    store
        .put(&"other".into(), vec![1; 3 << 20].into())
        .await
        .unwrap();
    assert_eq!(store.head(&"other".into()).await.unwrap().size, 3 << 20);
    assert_eq!(
        store
            .list(None)
            .try_collect::<Vec<_>>()
            .await
            .unwrap()
            .len(),
        2
    );
    assert_eq!((proxy.counts() - before).requests, 3);
    assert_eq!(proxy.counts().requests, setup.servers[0].requests());
    assert!(
        proxy.counts().connections < 4,
        "connections are reused: {:?}",
        proxy.counts()
    );
}

#[tokio::test]
async fn refuse_resets_connections_and_keeps_the_port() {
    let setup = Setup::new().await;
    let (store, proxy) = (setup.client(), &setup.proxies[0]);
    for _ in 0..3 {
        proxy.set(Fault::StallAfter(1000));
        let mut body = setup.client().get(&key()).await.unwrap().into_stream();
        body.next().await.unwrap().unwrap();
        proxy.set(Fault::Refuse);
        within_limit(body.try_collect::<Vec<_>>())
            .await
            .unwrap_err();
        assert_eq!(
            TcpStream::connect(proxy.address())
                .await
                .unwrap_err()
                .kind(),
            ErrorKind::ConnectionRefused
        );
        within_limit(store.head(&key())).await.unwrap_err();
        proxy.set(Fault::Pass);
        within_limit(setup.client().head(&key())).await.unwrap();
    }
}

#[tokio::test]
async fn swallow_stalls_bodies_and_discards_requests() {
    let setup = Setup::new().await;
    let proxy = &setup.proxies[0];
    proxy.next([Fault::StallAfter(1000)]);
    let mut body = setup.client().get(&key()).await.unwrap().into_stream();
    let first = body.next().await.unwrap().unwrap();
    proxy.set(Fault::Swallow);
    let before = setup.servers[0].requests();
    let store = setup.client();
    let path = key();
    let mut head = Box::pin(store.head(&path));
    let mut rest = Box::pin(body.try_collect::<Vec<_>>());
    assert!(timeout(IDLE, &mut head).await.is_err());
    assert!(timeout(IDLE, &mut rest).await.is_err());
    assert_eq!(setup.servers[0].requests(), before);
    proxy.set(Fault::Pass);
    assert_eq!(
        first.len() + within_limit(rest).await.unwrap().concat().len(),
        OBJECT_BYTES
    );
    within_limit(head).await.unwrap_err();
    within_limit(store.head(&key())).await.unwrap();
}

#[tokio::test]
async fn blackhole_accepts_no_connection() {
    let setup = Setup::new().await;
    let proxy = &setup.proxies[0];
    let store = connecting_within(proxy.client(&setup.servers[0]), IDLE);
    proxy.set(Fault::Blackhole);
    let started_at = Instant::now();
    within_limit(store.head(&key())).await.unwrap_err();
    assert!(started_at.elapsed() >= IDLE, "{:?}", started_at.elapsed());
    assert_eq!(proxy.counts().connections, 0);
    proxy.set(Fault::Pass);
    within_limit(store.head(&key())).await.unwrap();
}

#[tokio::test]
async fn delay_and_trickle_slow_responses_down() {
    let setup = Setup::new().await;
    let (store, proxy) = (setup.client(), &setup.proxies[0]);
    let duration_of = async |kind: ReadKind| {
        let started_at = Instant::now();
        assert!(within_limit(kind.returns_content(&store)).await.unwrap());
        started_at.elapsed()
    };
    proxy.set(Fault::Delay(ms(250)));
    assert!(duration_of(ReadKind::Whole).await >= ms(250));
    assert!(duration_of(ReadKind::Range).await >= ms(250));
    proxy.set(Fault::Trickle(4 << 20));
    let slow = duration_of(ReadKind::Whole).await;
    assert!(
        slow >= ms(400) && slow < secs(3),
        "2 MiB at 4 MiB/s: {slow:?}"
    );
    // A pending delay ends with its fault.
    proxy.set(Fault::Delay(TEST_TIMEOUT * 10));
    let mut read = Box::pin(ReadKind::Whole.returns_content(&store));
    assert!(timeout(IDLE, &mut read).await.is_err());
    proxy.set(Fault::Pass);
    assert!(within_limit(read).await.unwrap());
}

#[tokio::test]
async fn bodies_end_at_the_exact_byte() {
    let setup = Setup::new().await;
    let proxy = &setup.proxies[0];
    for at in [0, 1, 1000, 700_000, OBJECT_BYTES - 1] {
        proxy.next([Fault::CloseAfter(at as u64)]);
        let (length, end) = within_limit(drain(&setup.client())).await;
        assert!(length == at && end.is_err(), "{at} {length} {end:?}");
        proxy.next([Fault::ResetAfter(at as u64)]);
        let (length, end) = within_limit(drain(&setup.client())).await;
        assert!(length <= at && end.is_err(), "{at} {length} {end:?}");
        let before = proxy.counts_under(&Fault::StallAfter(0)).body_bytes;
        proxy.next([Fault::StallAfter(at as u64)]);
        assert!(timeout(IDLE, drain(&setup.client())).await.is_err());
        assert_eq!(
            proxy.counts_under(&Fault::StallAfter(0)).body_bytes - before,
            at as u64
        );
    }
    assert_eq!((proxy.queued(), proxy.counts().faults_injected), (0, 15));
    // At the object's end a fault has no effect.
    for fault in [Fault::CloseAfter, Fault::ResetAfter, Fault::StallAfter] {
        proxy.next([fault(OBJECT_BYTES as u64)]);
        assert!(
            within_limit(ReadKind::Whole.returns_content(&setup.client()))
                .await
                .unwrap()
        );
    }
    assert_eq!((proxy.queued(), proxy.counts().faults_injected), (0, 15));
}

#[tokio::test]
async fn lose_executes_the_request() {
    let setup = Setup::new().await;
    let (store, proxy) = (setup.client(), &setup.proxies[0]);
    let path = "other".into();
    proxy.next([Fault::Refuse, Fault::Lose]);
    within_limit(store.put(&path, "x".into()))
        .await
        .unwrap_err();
    setup.bucket.head(&path).await.unwrap_err();
    within_limit(store.put(&path, "x".into()))
        .await
        .unwrap_err();
    setup.bucket.head(&path).await.unwrap();
    within_limit(store.put(&path, "x".into())).await.unwrap();
}

#[tokio::test]
async fn respond_does_not_reach_the_server() {
    let setup = Setup::new().await;
    let (store, proxy) = (setup.client(), &setup.proxies[0]);
    setup.servers[0].kill();
    proxy.set(Response::error(404, "NoSuchKey"));
    for _ in 0..3 {
        assert!(matches!(
            within_limit(store.get(&key())).await.unwrap_err(),
            Error::NotFound { .. }
        ));
        assert!(matches!(
            within_limit(store.head(&key())).await.unwrap_err(),
            Error::NotFound { .. }
        ));
        within_limit(store.put(&key(), vec![1; 1 << 20].into()))
            .await
            .unwrap_err();
    }
    proxy.set(Response::error(403, "AccessDenied"));
    assert!(matches!(
        within_limit(store.get(&key())).await.unwrap_err(),
        Error::PermissionDenied { .. }
    ));
    proxy.set(Response::error(503, "SlowDown").header("retry-after", 1));
    let error = within_limit(store.get(&key()))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("503") && error.contains("SlowDown"),
        "{error}"
    );
    assert_eq!(
        (
            proxy.counts().requests,
            proxy.counts().connections,
            setup.servers[0].requests()
        ),
        (11, 1, 0)
    );
    let mut socket = TcpStream::connect(proxy.address()).await.unwrap();
    proxy.set(
        Response::new(503)
            .header("retry-after", 7)
            .header("connection", "close")
            .body("later"),
    );
    socket
        .write_all(b"PUT /a HTTP/1.1\r\ncontent-le")
        .await
        .unwrap();
    socket.write_all(b"ngth: 3\r\n\r").await.unwrap();
    socket.write_all(b"\nabc").await.unwrap();
    let mut response = String::new();
    within_limit(socket.read_to_string(&mut response))
        .await
        .unwrap();
    assert_eq!(
        response,
        "HTTP/1.1 503 Response\r\nretry-after: 7\r\nconnection: close\r\n\
         content-length: 5\r\n\r\nlater"
    );
}

#[tokio::test]
async fn dropped_proxy_closes_its_port() {
    let mut setup = Setup::new().await;
    let proxy = setup.proxies.remove(0);
    let address = proxy.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    drop(proxy);
    assert!(
        !within_limit(idle.read(&mut [0; 16]))
            .await
            .is_ok_and(|read| read > 0)
    );
    assert_eq!(
        TcpStream::connect(address).await.unwrap_err().kind(),
        ErrorKind::ConnectionRefused
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn proxy_handles_concurrent_load() {
    let setup = Setup::new().await;
    let (store, proxy) = (setup.client(), &setup.proxies[0]);
    proxy.set(Response::new(404));
    let heads = async |count: u64| {
        let started_at = Instant::now();
        stream::iter(0..count)
            .for_each_concurrent(32, |_| async { drop(store.head(&key()).await) })
            .await;
        count as f64 / started_at.elapsed().as_secs_f64()
    };
    println!("responses by the proxy: {:.0}/s", heads(3000).await);
    proxy.set(Fault::Pass);
    println!("responses by the server: {:.0}/s", heads(1000).await);
    assert_eq!(
        (proxy.counts().requests, setup.servers[0].requests()),
        (4000, 1000)
    );
}
