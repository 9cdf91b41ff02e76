//! Each fault as a client sees it that has no other region to go to.

use std::io::ErrorKind;
use std::time::Instant;

use futures::{StreamExt, stream};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::{ClientOptions, Error};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::support::proxy::{Answer, Fault};
use super::support::secs;
use super::*;

/// A client with this limit on connecting, and none else.
fn connecting_within(builder: AmazonS3Builder, limit: Duration) -> AmazonS3 {
    let options = ClientOptions::new().with_allow_http(true).with_timeout_disabled().with_connect_timeout(limit);
    builder.with_client_options(options).build().unwrap()
}

impl Rig {
    /// A fresh client of the first server, through its proxy: no pooled connection, no retries.
    fn client(&self) -> AmazonS3 {
        self.proxies[0].client(&self.servers[0]).build().unwrap()
    }
}

/// How many bytes of a body came, and how it ended.
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
async fn what_passes_is_what_was_sent_and_is_counted() {
    let rig = Rig::new().await;
    let (store, proxy) = (rig.client(), &rig.proxies[0]);
    for way in Way::ALL {
        assert!(way.is_right(&store).await.unwrap(), "{way:?}");
    }
    let ranges = 1_499_900 + 400_190 + 10;
    assert_eq!((proxy.counts().requests, proxy.counts().body_bytes), (5, (2 * LENGTH + ranges) as u64));
    assert!(proxy.counts().bytes > proxy.counts().body_bytes + 5 * 100, "heads are counted, too");
    let before = proxy.counts();
    store.put(&"other".into(), vec![1; 3 << 20].into()).await.unwrap();
    assert_eq!(store.head(&"other".into()).await.unwrap().size, 3 << 20);
    assert_eq!(store.list(None).try_collect::<Vec<_>>().await.unwrap().len(), 2);
    assert_eq!((proxy.counts() - before).requests, 3);
    assert_eq!(proxy.counts().requests, rig.servers[0].requests());
    assert!(proxy.counts().connections < 4, "connections are kept: {:?}", proxy.counts());
}

#[tokio::test]
async fn refuse_resets_what_is_connected_and_keeps_the_port() {
    let rig = Rig::new().await;
    let (store, proxy) = (rig.client(), &rig.proxies[0]);
    for _ in 0..3 {
        proxy.set(Fault::StallAfter(1000));
        let mut body = rig.client().get(&key()).await.unwrap().into_stream();
        body.next().await.unwrap().unwrap();
        proxy.set(Fault::Refuse);
        soon(body.try_collect::<Vec<_>>()).await.unwrap_err();
        assert_eq!(TcpStream::connect(proxy.address()).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        soon(store.head(&key())).await.unwrap_err();
        proxy.set(Fault::Pass);
        soon(rig.client().head(&key())).await.unwrap();
    }
}

#[tokio::test]
async fn swallow_freezes_bodies_and_loses_requests() {
    let rig = Rig::new().await;
    let proxy = &rig.proxies[0];
    proxy.next([Fault::StallAfter(1000)]);
    let mut body = rig.client().get(&key()).await.unwrap().into_stream();
    let first = body.next().await.unwrap().unwrap();
    proxy.set(Fault::Swallow);
    let before = rig.servers[0].requests();
    let store = rig.client();
    let path = key();
    let mut head = Box::pin(store.head(&path));
    let mut rest = Box::pin(body.try_collect::<Vec<_>>());
    assert!(timeout(QUIET, &mut head).await.is_err());
    assert!(timeout(QUIET, &mut rest).await.is_err());
    assert_eq!(rig.servers[0].requests(), before);
    proxy.set(Fault::Pass);
    assert_eq!(first.len() + soon(rest).await.unwrap().concat().len(), LENGTH);
    soon(head).await.unwrap_err();
    soon(store.head(&key())).await.unwrap();
}

#[tokio::test]
async fn a_blackhole_answers_nobody_who_connects() {
    let rig = Rig::new().await;
    let proxy = &rig.proxies[0];
    let store = connecting_within(proxy.client(&rig.servers[0]), QUIET);
    proxy.set(Fault::Blackhole);
    let began = Instant::now();
    soon(store.head(&key())).await.unwrap_err();
    assert!(began.elapsed() >= QUIET, "{:?}", began.elapsed());
    assert_eq!(proxy.counts().connections, 0);
    proxy.set(Fault::Pass);
    soon(store.head(&key())).await.unwrap();
}

#[tokio::test]
async fn delay_and_trickle_take_their_time() {
    let rig = Rig::new().await;
    let (store, proxy) = (rig.client(), &rig.proxies[0]);
    let took = async |way: Way| {
        let began = Instant::now();
        assert!(soon(way.is_right(&store)).await.unwrap());
        began.elapsed()
    };
    proxy.set(Fault::Delay(ms(250)));
    assert!(took(Way::Whole).await >= ms(250));
    assert!(took(Way::Range).await >= ms(250));
    proxy.set(Fault::Trickle(4 << 20));
    let slow = took(Way::Whole).await;
    assert!(slow >= ms(400) && slow < secs(3), "2 MiB at 4 MiB/s: {slow:?}");
    // The clock of a body that waits does not outlive its fault.
    proxy.set(Fault::Delay(LONG * 10));
    let mut read = Box::pin(Way::Whole.is_right(&store));
    assert!(timeout(QUIET, &mut read).await.is_err());
    proxy.set(Fault::Pass);
    assert!(soon(read).await.unwrap());
}

#[tokio::test]
async fn bodies_end_or_stop_at_the_byte() {
    let rig = Rig::new().await;
    let proxy = &rig.proxies[0];
    for at in [0, 1, 1000, 700_000, LENGTH - 1] {
        proxy.next([Fault::CloseAfter(at as u64)]);
        let (length, end) = soon(drain(&rig.client())).await;
        assert!(length == at && end.is_err(), "{at} {length} {end:?}");
        proxy.next([Fault::ResetAfter(at as u64)]);
        let (length, end) = soon(drain(&rig.client())).await;
        assert!(length <= at && end.is_err(), "{at} {length} {end:?}");
        let before = proxy.counts_under(&Fault::StallAfter(0)).body_bytes;
        proxy.next([Fault::StallAfter(at as u64)]);
        assert!(timeout(QUIET, drain(&rig.client())).await.is_err());
        assert_eq!(proxy.counts_under(&Fault::StallAfter(0)).body_bytes - before, at as u64);
    }
    assert_eq!((proxy.queued(), proxy.counts().struck), (0, 15));
    // The object ends there: nothing to be seen.
    for fault in [Fault::CloseAfter, Fault::ResetAfter, Fault::StallAfter] {
        proxy.next([fault(LENGTH as u64)]);
        assert!(soon(Way::Whole.is_right(&rig.client())).await.unwrap());
    }
    assert_eq!((proxy.queued(), proxy.counts().struck), (0, 15));
}

#[tokio::test]
async fn a_lost_answer_is_one_to_a_request_that_was_carried_out() {
    let rig = Rig::new().await;
    let (store, proxy) = (rig.client(), &rig.proxies[0]);
    let path = "other".into();
    proxy.next([Fault::Refuse, Fault::Lose]);
    soon(store.put(&path, "x".into())).await.unwrap_err();
    rig.bucket.head(&path).await.unwrap_err();
    soon(store.put(&path, "x".into())).await.unwrap_err();
    rig.bucket.head(&path).await.unwrap();
    soon(store.put(&path, "x".into())).await.unwrap();
}

#[tokio::test]
async fn answers_of_the_proxys_own_do_not_reach_the_server() {
    let rig = Rig::new().await;
    let (store, proxy) = (rig.client(), &rig.proxies[0]);
    rig.servers[0].kill();
    proxy.set(Answer::error(404, "NoSuchKey"));
    for _ in 0..3 {
        assert!(matches!(soon(store.get(&key())).await.unwrap_err(), Error::NotFound { .. }));
        assert!(matches!(soon(store.head(&key())).await.unwrap_err(), Error::NotFound { .. }));
        soon(store.put(&key(), vec![1; 1 << 20].into())).await.unwrap_err();
    }
    proxy.set(Answer::error(403, "AccessDenied"));
    assert!(matches!(soon(store.get(&key())).await.unwrap_err(), Error::PermissionDenied { .. }));
    proxy.set(Answer::error(503, "SlowDown").header("retry-after", 1));
    let error = soon(store.get(&key())).await.unwrap_err().to_string();
    assert!(error.contains("503") && error.contains("SlowDown"), "{error}");
    assert_eq!((proxy.counts().requests, proxy.counts().connections, rig.servers[0].requests()), (11, 1, 0));
    let mut line = TcpStream::connect(proxy.address()).await.unwrap();
    proxy.set(Answer::new(503).header("retry-after", 7).header("connection", "close").body("later"));
    line.write_all(b"PUT /a HTTP/1.1\r\ncontent-le").await.unwrap();
    line.write_all(b"ngth: 3\r\n\r").await.unwrap();
    line.write_all(b"\nabc").await.unwrap();
    let mut answer = String::new();
    soon(line.read_to_string(&mut answer)).await.unwrap();
    assert_eq!(answer, "HTTP/1.1 503 Said\r\nretry-after: 7\r\nconnection: close\r\ncontent-length: 5\r\n\r\nlater");
}

#[tokio::test]
async fn a_dropped_proxy_is_gone() {
    let mut rig = Rig::new().await;
    let proxy = rig.proxies.remove(0);
    let address = proxy.address();
    let mut idle = TcpStream::connect(address).await.unwrap();
    drop(proxy);
    assert!(!soon(idle.read(&mut [0; 16])).await.is_ok_and(|read| read > 0));
    assert_eq!(TcpStream::connect(address).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn carries_a_load() {
    let rig = Rig::new().await;
    let (store, proxy) = (rig.client(), &rig.proxies[0]);
    proxy.set(Answer::new(404));
    let heads = async |count: u64| {
        let began = Instant::now();
        stream::iter(0..count).for_each_concurrent(32, |_| async { drop(store.head(&key()).await) }).await;
        count as f64 / began.elapsed().as_secs_f64()
    };
    println!("answered by the proxy: {:.0}/s", heads(3000).await);
    proxy.set(Fault::Pass);
    println!("answered by the server: {:.0}/s", heads(1000).await);
    assert_eq!((proxy.counts().requests, rig.servers[0].requests()), (4000, 1000));
}
