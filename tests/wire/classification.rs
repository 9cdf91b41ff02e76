//! Classification of real errors over HTTP, by the texts in which object_store hides statuses.
//!
//! These texts are not API. When object_store changes them, this matrix fails and
//! `src/error/classify.rs` has to follow.

use std::sync::Arc;
use std::time::Duration;

use failover_testkit::proxy::{Fault as ProxyFault, Proxy};
use failover_testkit::{Fault, Mode, read, replicas};
use futures::TryStreamExt;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::{
    ClientOptions, Error, ObjectStore, ObjectStoreExt, PutMode, RetryConfig, UpdateVersion,
};
use object_store_failover::{Failure, FailureClass};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use FailureClass::{
    Caller, Connect, Interrupted, Misconfigured, NotFound, NotModified, Precondition, Throttled,
    Timeout, Unauthorized, Unavailable, Unknown, Unsupported,
};

/// A key that contains the texts of failures.
const MISLEADING_KEY: &str = "SlowDown/429 Too Many Requests/\
    Server returned non-2xx status code: 503/<Code>SlowDown</Code>/x";

/// A client of a server that always sends one response.
async fn server(status: u16, body: impl Into<String>) -> AmazonS3 {
    let body = body.into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let body = body.clone();
            tokio::spawn(async move {
                let mut request = [0; 16 * 1024];
                let _ = socket.read(&mut request).await;
                let headers = format!(
                    "HTTP/1.1 {status} Reason\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                let _ = socket
                    .write_all(format!("{headers}{body}").as_bytes())
                    .await;
            });
        }
    });
    client(&format!("http://{address}"))
}

fn client(endpoint: &str) -> AmazonS3 {
    AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_bucket_name("bucket")
        .with_access_key_id("key")
        .with_secret_access_key("secret")
        .with_client_options(
            ClientOptions::new()
                .with_allow_http(true)
                .with_timeout(Duration::from_millis(300)),
        )
        .with_retry(RetryConfig {
            max_retries: 0,
            ..Default::default()
        })
        .build()
        .unwrap()
}

/// The errors of a get, a listing and a put.
async fn errors(store: &AmazonS3) -> [Error; 3] {
    let key = Path::from(MISLEADING_KEY);
    [
        store.get(&key).await.unwrap_err(),
        store
            .list(Some(&key))
            .try_collect::<Vec<_>>()
            .await
            .unwrap_err(),
        store.put(&key, "v".into()).await.unwrap_err(),
    ]
}

#[tokio::test]
async fn status_is_found_in_every_call() {
    let same = |class| [class; 3];
    let matrix = [
        (301, same(Misconfigured)),
        (304, [NotModified, Misconfigured, NotModified]),
        (400, same(Misconfigured)),
        (401, same(Unauthorized)),
        (403, same(Unauthorized)),
        (404, [NotFound, Misconfigured, NotFound]),
        (405, same(Caller)),
        (408, same(Timeout)),
        (409, same(Caller)),
        (411, same(Unsupported)),
        (412, [Precondition, Misconfigured, Precondition]),
        (413, same(Unsupported)),
        (414, same(Unsupported)),
        (416, same(Caller)),
        (429, same(Throttled)),
        (431, same(Unsupported)),
        (500, same(Unavailable)),
        (501, same(Unsupported)),
        (502, same(Unavailable)),
        (503, same(Unavailable)),
        (504, same(Unavailable)),
    ];
    for (status, expected) in matrix {
        let errors = errors(&server(status, "").await).await;
        let failures = errors.each_ref().map(Failure::of);
        assert_eq!(
            failures.each_ref().map(Failure::class),
            expected,
            "{status}: {errors:?}"
        );
        assert!(
            failures
                .iter()
                .all(|failure| failure.http_status() == Some(status) && failure.code().is_none()),
            "{status}: {failures:?}"
        );
    }
}

/// Statuses and codes, with the class that they mean.
const CODES: &[(u16, &str, FailureClass)] = &[
    (503, "SlowDown", Throttled),
    (503, "ServerBusy", Throttled),
    (503, "BandwidthLimitExceeded", Throttled),
    (400, "ThrottledException", Throttled),
    (400, "LimitExceededException", Throttled),
    (429, "InternalError", Throttled),
    (429, "InvalidArgument", Throttled),
    (503, "ServiceUnavailable", Unavailable),
    (503, "XMinioServerNotInitialized", Unavailable),
    (400, "RequestTimeout", Timeout),
    (400, "ExpiredToken", Unauthorized),
    (400, "ExpiredTokenException", Unauthorized),
    (403, "RequestTimeTooSkewed", Unauthorized),
    (404, "NoSuchBucket", Misconfigured),
    (400, "AuthorizationHeaderMalformed", Misconfigured),
    (501, "NotImplemented", Unsupported),
    (403, "InvalidObjectState", Unsupported),
    (409, "BlobArchived", Unsupported),
    (400, "InvalidArgument", Caller),
];

#[tokio::test]
async fn provider_code_overrides_status() {
    for (status, code, class) in CODES.iter().copied() {
        for declaration in ["", "<?xml version=\"1.0\"?>"] {
            let body = format!(
                "{declaration}<Error><Code>{code}</Code><Key>ServiceUnavailable</Key></Error>"
            );
            for error in errors(&server(status, body).await).await {
                let failure = Failure::of(&error);
                assert_eq!(
                    (failure.class(), failure.http_status(), failure.code()),
                    (class, Some(status), Some(code)),
                    "{error:?}"
                );
                assert!(
                    !failure.to_string().contains('\n') && failure.to_string().contains(code),
                    "{failure}"
                );
            }
        }
    }
}

#[tokio::test]
async fn missing_key_is_not_found() {
    let key = server(404, "<Error><Code>NoSuchKey</Code></Error>").await;
    assert_eq!(
        Failure::of(&key.get(&"k".into()).await.unwrap_err()).class(),
        NotFound
    );
}

#[tokio::test]
async fn transport_errors_are_classified_by_type() {
    let proxy = Proxy::start(([127, 0, 0, 1], 9).into());
    proxy.set(ProxyFault::Refuse);
    let refusing = proxy.endpoint();
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs = format!("http://{}", silent.local_addr().unwrap());
    let closer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closes = format!("http://{}", closer.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((socket, _)) = closer.accept().await {
            drop(socket);
        }
    });
    for (endpoint, class) in [(refusing, Connect), (hangs, Timeout), (closes, Interrupted)] {
        for error in errors(&client(&endpoint)).await {
            let failure = Failure::of(&error);
            assert_eq!(
                (failure.class(), failure.http_status()),
                (class, None),
                "{error:?}"
            );
            assert!(failure.is_transient() && !failure.is_throttle());
        }
    }
}

#[tokio::test]
async fn errors_without_http_are_classified() {
    let memory = object_store::memory::InMemory::new();
    let folder = std::env::temp_dir().join(format!("object_store_failover-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let local = object_store::local::LocalFileSystem::new_with_prefix(&folder).unwrap();
    let stores: [Arc<dyn ObjectStore>; 2] = [Arc::new(memory), Arc::new(local)];
    for store in stores {
        let class = |error: Error| Failure::of(&error).class();
        assert_eq!(class(store.get(&"k".into()).await.unwrap_err()), NotFound);
        store.put(&"k".into(), "0123".into()).await.unwrap();
        assert_eq!(
            class(store.get_range(&"k".into(), 9..12).await.unwrap_err()),
            Caller,
            "{store}"
        );
    }
    std::fs::remove_dir_all(&folder).unwrap();
    let io = |kind: std::io::ErrorKind| {
        Failure::of(&Error::Generic {
            store: "X",
            source: std::io::Error::from(kind).into(),
        })
        .class()
    };
    use std::io::ErrorKind::{
        ConnectionRefused, ConnectionReset, OutOfMemory, TimedOut, UnexpectedEof,
    };
    assert_eq!(
        [
            ConnectionRefused,
            ConnectionReset,
            TimedOut,
            UnexpectedEof,
            OutOfMemory
        ]
        .map(io),
        [Connect, Interrupted, Timeout, Interrupted, Unknown]
    );
    let unparsed = Error::Generic {
        store: "X",
        source: "429 SlowDown 503".into(),
    };
    assert_eq!(
        Failure::of(&unparsed).class(),
        Unknown,
        "text in the middle of an error is ignored"
    );
    let unsupported = Error::NotSupported {
        source: "no".into(),
    };
    assert_eq!(Failure::of(&unsupported).class(), Caller);
}

#[tokio::test]
async fn not_found_on_update_is_a_precondition_failure() {
    let version = UpdateVersion {
        e_tag: Some("\"tag\"".into()),
        version: None,
    };
    for (body, expected) in [
        ("", Precondition),
        ("<Error><Code>NoSuchKey</Code></Error>", Precondition),
        ("<Error><Code>NoSuchBucket</Code></Error>", Misconfigured),
    ] {
        let store = server(404, body).await;
        let error = store
            .put_opts(
                &Path::from(MISLEADING_KEY),
                "v".into(),
                PutMode::Update(version.clone()).into(),
            )
            .await
            .unwrap_err();
        assert_eq!(Failure::of(&error).class(), expected, "{error:?}");
    }
}

#[tokio::test]
async fn not_found_from_credentials_is_misconfigured() {
    let response = "Server returned non-2xx status code: 404 Not Found: no role";
    let error = Error::Generic {
        store: "S3",
        source: response.into(),
    };
    assert_eq!(Failure::of(&error).class(), Misconfigured);
}

#[tokio::test(start_paused = true)]
async fn failover_errors_are_classified() {
    let (regions, builder) = replicas(2);
    let store = builder.build().unwrap();
    let failure = async || Failure::of(&read(&store).await.unwrap_err());
    regions
        .iter()
        .for_each(|region| region.set(Mode::Fail(Fault::Status(503, "SlowDown"))));
    assert!(failure().await.is_throttle());
    regions
        .iter()
        .for_each(|region| region.set(Mode::Fail(Fault::Status(400, ""))));
    assert!(!failure().await.is_transient());
    regions.iter().for_each(|region| region.set(Mode::Hang));
    assert_eq!(failure().await.class(), Timeout);
    regions.iter().for_each(|region| region.fail());
    for _ in 0..5 {
        failure().await;
    }
    assert_eq!(
        (failure().await.class(), failure().await.is_transient()),
        (Unavailable, true),
        "circuits open"
    );
}
