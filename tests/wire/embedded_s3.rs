//! The embedded S3 server behaves as the other tests assume.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use failover_testkit::s3::Server;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::aws::S3CopyIfNotExists;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, GetOptions, GetRange, ObjectStore, ObjectStoreExt, integration};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A limit that only a failing test reaches.
const TEST_TIMEOUT: Duration = Duration::from_secs(20);
/// How long to wait before concluding that nothing happens.
const IDLE: Duration = Duration::from_millis(300);
/// More than the kernel's socket buffers hold.
const LARGE: usize = 32 * 1024 * 1024;

async fn server() -> Server {
    Server::start("bucket", Arc::new(InMemory::new())).await
}

async fn within_limit<T>(work: impl Future<Output = T>) -> T {
    timeout(TEST_TIMEOUT, work).await.expect("timed out")
}

/// Whether connecting to the server is refused.
async fn refuses_connections(server: &Server) -> bool {
    let address = server.endpoint().replace("http://", "");
    match within_limit(TcpStream::connect(address)).await {
        Ok(_) => false,
        Err(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
    }
}

macro_rules! conforms {
    ($($name:ident($($more:expr),*)),* $(,)?) => {$(
        #[tokio::test]
        async fn $name() {
            let server = server().await;
            integration::$name(&server.store() $(, $more)*).await;
        }
    )*};
}

conforms! {
    put_get_delete_list(),
    get_opts(),
    put_opts(true),
    put_get_attributes(),
    stream_get(),
    list_uses_directories_correctly(),
    list_with_delimiter(),
    list_with_offset_exclusivity(),
    rename_and_copy(),
    multipart_out_of_order(),
    multipart_race_condition(true),
}

#[tokio::test]
async fn multipart_and_paginated() {
    let server = server().await;
    let store = server.store();
    integration::multipart(&store, &store).await;
    integration::multipart_with_opts(&store, &store).await;
    integration::multipart_put_part_out_of_order(&store, &store).await;
    integration::list_paginated(&store, &store).await;
}

#[tokio::test]
async fn copy_if_not_exists() {
    let server = server().await;
    let store = server
        .client()
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
        .build()
        .unwrap();
    integration::copy_if_not_exists(&store).await;
    integration::copy_rename_nonexistent_object(&store).await;
}

#[tokio::test]
async fn missing_objects_are_not_found() {
    let server = server().await;
    let store = server.store();
    store
        .put(&Path::from("folder/object"), "x".into())
        .await
        .unwrap();
    for missing in [None, Some(Path::from("folder"))] {
        let error = integration::get_nonexistent_object(&store, missing)
            .await
            .unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error}");
    }
}

#[tokio::test]
async fn other_bucket_is_not_found() {
    let server = server().await;
    let other = server.client().with_bucket_name("other").build().unwrap();
    let error = other.list(None).try_collect::<Vec<_>>().await.unwrap_err();
    assert!(error.to_string().contains("NoSuchBucket"), "{error}");
}

#[tokio::test]
async fn wrong_secret_is_rejected() {
    let server = server().await;
    let other = server
        .client()
        .with_secret_access_key("wrong")
        .build()
        .unwrap();
    let error = other.put(&Path::from("a"), "x".into()).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    assert!(error.to_string().contains("403"), "{error}");
}

#[tokio::test]
async fn ranges() {
    let server = server().await;
    let store = server.store();
    let path = Path::from("a");
    store.put(&path, "0123456789".into()).await.unwrap();
    let get = async |range| {
        let found = store
            .get_opts(&path, GetOptions::new().with_range(Some(range)))
            .await?;
        found.bytes().await
    };
    assert_eq!(get(GetRange::Suffix(3)).await.unwrap(), "789");
    assert_eq!(get(GetRange::Suffix(30)).await.unwrap(), "0123456789");
    assert_eq!(get(GetRange::Offset(4)).await.unwrap(), "456789");
    assert_eq!(get(GetRange::Bounded(8..20)).await.unwrap(), "89");
    let error = get(GetRange::Offset(10)).await.unwrap_err();
    assert!(error.to_string().contains("416"), "{error}");
}

#[tokio::test]
async fn listings_are_paginated() {
    let objects = Arc::new(InMemory::new());
    for n in 0..2345 {
        objects
            .put(&Path::from(format!("dir/{n:04}")), "x".into())
            .await
            .unwrap();
        objects
            .put(&Path::from(format!("{n:04}/x")), "x".into())
            .await
            .unwrap();
    }
    let server = Server::start("bucket", objects).await;
    let (store, dir) = (server.store(), Path::from("dir"));

    let listed: Vec<_> = store.list(Some(&dir)).try_collect().await.unwrap();
    assert_eq!(listed.len(), 2345);
    assert!(listed.is_sorted_by(|a, b| a.location < b.location));
    assert_eq!(server.requests(), 3, "pages of 1000 keys");

    let after: Vec<_> = store
        .list_with_offset(Some(&dir), &Path::from("dir/1200"))
        .collect()
        .await;
    assert_eq!(after.len(), 1144);
    let top = store.list_with_delimiter(None).await.unwrap();
    assert_eq!((top.objects.len(), top.common_prefixes.len()), (0, 2346));
}

#[tokio::test]
async fn servers_over_one_store_are_replicas() {
    let objects = InMemory::new();
    let one = Server::start("bucket", Arc::new(objects.clone())).await;
    let two = Server::start("bucket", Arc::new(objects)).await;
    assert_ne!(one.endpoint(), two.endpoint());
    let path = Path::from("a");
    let put = one.store().put(&path, "x".into()).await.unwrap();
    let found = two.store().get(&path).await.unwrap();
    assert_eq!(found.meta.e_tag, put.e_tag);
    assert_eq!(found.bytes().await.unwrap(), "x");
}

#[tokio::test]
async fn killed_server_revives_on_its_port() {
    let server = server().await;
    let (store, path) = (server.store(), Path::from("a"));
    store.put(&path, "x".into()).await.unwrap();
    for _ in 0..3 {
        let endpoint = server.endpoint();
        server.kill();
        assert!(refuses_connections(&server).await);
        within_limit(store.get(&path)).await.unwrap_err();
        server.revive();
        assert_eq!(server.endpoint(), endpoint);
        // A pooled connection of the old client may still be broken.
        let fresh = server.store();
        assert_eq!(
            within_limit(fresh.get(&path))
                .await
                .unwrap()
                .bytes()
                .await
                .unwrap(),
            "x"
        );
    }
}

#[tokio::test]
async fn kill_breaks_bodies_in_flight() {
    let server = server().await;
    let (store, path) = (server.store(), Path::from("large"));
    store.put(&path, vec![7; LARGE].into()).await.unwrap();
    let mut body = store.get(&path).await.unwrap().into_stream();
    body.next().await.unwrap().unwrap();
    server.kill();
    within_limit(body.try_collect::<Vec<_>>())
        .await
        .unwrap_err();
}

#[tokio::test]
async fn hung_server_stalls_and_continues() {
    let server = server().await;
    let (store, path) = (server.store(), Path::from("large"));
    store.put(&path, vec![7; LARGE].into()).await.unwrap();
    let mut body = store.get(&path).await.unwrap().into_stream();
    let first = body.next().await.unwrap().unwrap();
    let before = server.requests();

    server.hang();
    let small = Path::from("small");
    let mut rest = Box::pin(body.try_collect::<Vec<_>>());
    let mut put = Box::pin(store.put(&small, "x".into()));
    let mut heads = stream::repeat(())
        .take(3)
        .map(|()| store.head(&path))
        .buffer_unordered(3);
    assert!(timeout(IDLE, &mut rest).await.is_err());
    assert!(timeout(IDLE, &mut put).await.is_err());
    assert!(timeout(IDLE, heads.next()).await.is_err());
    assert_eq!(
        server.requests(),
        before + 4,
        "each request is counted once"
    );
    assert!(!refuses_connections(&server).await);

    server.revive();
    let rest = within_limit(rest).await.unwrap();
    assert_eq!(
        first.len() + rest.iter().map(Bytes::len).sum::<usize>(),
        LARGE
    );
    within_limit(put).await.unwrap();
    for _ in 0..3 {
        within_limit(heads.next()).await.unwrap().unwrap();
    }
    assert_eq!(server.requests(), before + 4);
}

#[tokio::test]
async fn request_cancelled_during_a_hang_takes_effect() {
    let objects = InMemory::new();
    let server = Server::start("bucket", Arc::new(objects.clone())).await;
    let (store, path) = (server.store(), Path::from("late"));
    server.hang();
    timeout(IDLE, store.put(&path, "x".into()))
        .await
        .unwrap_err();
    assert_eq!(server.requests(), 1);
    assert!(objects.head(&path).await.is_err());
    server.revive();
    within_limit(async {
        while objects.head(&path).await.is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn kill_ends_a_hang() {
    let server = server().await;
    let store = server.store();
    server.hang();
    let path = Path::from("a");
    let mut put = Box::pin(store.put(&path, "x".into()));
    assert!(timeout(IDLE, &mut put).await.is_err());
    server.kill();
    within_limit(put).await.unwrap_err();
    assert!(refuses_connections(&server).await);
    server.hang();
    assert!(refuses_connections(&server).await);
    server.revive();
    let error = within_limit(server.store().head(&path)).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn dropped_server_closes_its_port() {
    let server = server().await;
    let address = server.endpoint().replace("http://", "");
    let mut idle = TcpStream::connect(&address).await.unwrap();
    let mut buf = [0; 16];
    idle.write_all(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .unwrap();
    within_limit(idle.read(&mut buf)).await.unwrap();
    drop(server);
    // Reset or closed: reading ends in both cases.
    within_limit(async { while idle.read(&mut buf).await.is_ok_and(|read| read > 0) {} }).await;
    let error = within_limit(TcpStream::connect(address)).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn server_handles_concurrent_load() {
    let server = server().await;
    let store = server.store();
    let sizes = (0..300usize).map(|n| 1024 << (n % 14));
    let begin = std::time::Instant::now();
    let loads = sizes.enumerate().map(|(n, size)| {
        let (store, path) = (store.clone(), Path::from(format!("load/{n}")));
        async move {
            store.put(&path, vec![n as u8; size].into()).await.unwrap();
            let bytes = store.get(&path).await.unwrap().bytes().await.unwrap();
            assert!(bytes == vec![n as u8; size]);
        }
    });
    stream::iter(loads)
        .buffer_unordered(16)
        .collect::<()>()
        .await;
    println!("{:?}", begin.elapsed());
    assert_eq!(server.requests(), 600);
}
