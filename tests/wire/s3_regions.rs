//! Regions on S3 from a document: credentials, certificates, timeouts, outages over real HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use failover_testkit::proxy::{Fault, Proxy};
use failover_testkit::s3::{KEY, SECRET, Server};
use failover_testkit::{failover_error, key, logged, settings};
use futures::TryStreamExt;
use object_store::memory::InMemory;
use object_store::{Error, ObjectStore, ObjectStoreExt};
use object_store_failover::{FailoverConfig, FailoverError};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Servers over one bucket that holds the key.
async fn servers(count: usize) -> (InMemory, Vec<Server>) {
    let bucket = InMemory::new();
    bucket.put(&key(), vec![7; 2 << 20].into()).await.unwrap();
    let mut servers = Vec::new();
    for _ in 0..count {
        servers.push(Server::start("bucket", Arc::new(bucket.clone())).await);
    }
    (bucket, servers)
}

fn region(name: &str, endpoint: &str, more: Value) -> Value {
    let mut options = json!({
        "aws_endpoint": endpoint,
        "aws_region": "us-east-1",
        "aws_allow_http": true,
        "access_key_id": KEY,
        "secret_access_key": SECRET,
    });
    for (key, value) in more.as_object().unwrap() {
        options[key] = value.clone();
    }
    json!({"name": name, "url": "s3://bucket", "options": options})
}

fn config(regions: Vec<Value>, timeouts: Value) -> FailoverConfig {
    settings(json!({"regions": regions, "timeouts": timeouts, "retry": {"enabled": false}}))
}

#[tokio::test]
async fn s3_regions_survive_kills_and_hangs() {
    let (_, servers) = servers(3).await;
    let regions = servers
        .iter()
        .enumerate()
        .map(|(n, server)| region(&format!("r{n}"), &server.endpoint(), json!({})))
        .collect();
    let store = config(
        regions,
        json!({"attempt": "500ms", "stall": "500ms", "operations": {"list": {"attempt": "500ms"}}}),
    )
    .build()
    .unwrap();
    let expected = vec![7; 2 << 20];
    let read = async || store.get(&key()).await.unwrap().bytes().await.unwrap() == expected;
    for server in &servers {
        // One of the three open bodies is on the failing server and resumes in another region.
        for fault in [Server::kill, Server::hang] {
            let bodies = [
                store.get(&key()).await.unwrap(),
                store.get(&key()).await.unwrap(),
                store.get(&key()).await.unwrap(),
            ];
            fault(server);
            for body in bodies {
                assert!(body.bytes().await.unwrap() == expected);
            }
            for _ in 0..6 {
                assert!(read().await);
            }
            assert_eq!(
                store
                    .list(None)
                    .try_collect::<Vec<_>>()
                    .await
                    .unwrap()
                    .len(),
                1
            );
            server.revive();
        }
    }
}

#[tokio::test]
async fn url_prefix_is_the_regions_root() {
    let (_, servers) = servers(1).await;
    let mut region = region("a", &servers[0].endpoint(), json!({}));
    region["url"] = json!("s3://bucket/folder");
    let store = config(vec![region], json!({})).build().unwrap();
    assert_eq!(store.head(&"key".into()).await.unwrap().size, 2 << 20);
}

#[tokio::test]
async fn wrong_secret_fails_over_or_is_reported() {
    let (_, servers) = servers(2).await;
    let wrong = |n: usize| {
        region(
            &format!("r{n}"),
            &servers[n].endpoint(),
            json!({"secret_access_key": "hunter2-marker"}),
        )
    };
    let right = region("right", &servers[1].endpoint(), json!({}));
    let store = config(vec![wrong(0), right], json!({})).build().unwrap();
    for _ in 0..4 {
        store.head(&key()).await.unwrap();
    }
    let store = config(vec![wrong(0), wrong(1)], json!({})).build().unwrap();
    let error = store.head(&key()).await.unwrap_err();
    assert!(matches!(error, Error::PermissionDenied { .. }), "{error:?}");
    assert!(!format!("{error} {error:?} {store} {store:?}").contains("hunter2-marker"));
}

/// Runs in a child process, because the environment is shared by all tests of a process.
#[tokio::test]
async fn environment_supplies_missing_credentials() {
    let (_, servers) = servers(2).await;
    if let Ok(endpoint) = std::env::var("OSF_TEST_ENDPOINT") {
        return read_with_environment_credentials(&endpoint).await;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child
        .args([
            "--exact",
            "s3_regions::environment_supplies_missing_credentials",
            "--nocapture",
        ])
        .env("OSF_TEST_ENDPOINT", servers[0].endpoint())
        .env("OTHER_SECRET", SECRET)
        .env("AWS_ACCESS_KEY_ID", KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET)
        // Locations from the environment must be ignored: with these no region would be found.
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("AWS_REGION", "nowhere")
        .env("AWS_BUCKET", "nothing");
    let output = tokio::task::spawn_blocking(move || child.output().unwrap())
        .await
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    assert_eq!(servers[0].requests(), 4, "{text}");
}

async fn read_with_environment_credentials(endpoint: &str) {
    let options = |more: Value| {
        let mut options = json!({"aws_endpoint": endpoint, "aws_allow_http": true});
        options
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!({"name": "a", "url": "s3://bucket", "options": options})
    };
    let head = async |region: Value| {
        config(vec![region], json!({}))
            .build()
            .unwrap()
            .head(&key())
            .await
    };
    head(options(json!({}))).await.unwrap();
    head(options(
        json!({"access_key_id": KEY, "secret_access_key": {"env": "OTHER_SECRET"}}),
    ))
    .await
    .unwrap();
    let file = std::env::temp_dir().join(format!(
        "object_store_failover-secret-{}",
        std::process::id()
    ));
    std::fs::write(&file, format!("{SECRET}\n")).unwrap();
    head(options(
        json!({"access_key_id": KEY, "secret_access_key": {"file": file}}),
    ))
    .await
    .unwrap();
    std::fs::remove_file(&file).unwrap();
    head(options(
        json!({"access_key_id": KEY, "secret_access_key": "wrong"}),
    ))
    .await
    .unwrap_err();
}

#[tokio::test]
async fn secrets_are_never_printed() {
    let region = region(
        "a",
        "http://127.0.0.1:9",
        json!({"secret_access_key": "hunter2-marker", "session_token": "hunter2-token"}),
    );
    let config = config(vec![region], json!({}));
    let store = config.build().unwrap();
    let output = format!(
        "{config:?} {store:?} {store} {:?} {:?}",
        store.health(),
        store.head(&key()).await.unwrap_err()
    );
    assert!(!output.contains("hunter2"), "{output}");
}

#[test]
fn unknown_options_and_missing_secrets_are_rejected() {
    let rejection = |options: Value| {
        config(vec![region("a", "http://127.0.0.1:9", options)], json!({}))
            .build()
            .unwrap_err()
            .to_string()
    };
    let error = rejection(json!({"aws_secret": "hunter2"}));
    assert!(
        error.contains("regions[0].options.aws_secret") && !error.contains("hunter2"),
        "{error}"
    );
    let error = rejection(json!({"aws_allow_http": "hunter2"}));
    assert!(
        error.contains("regions[0].options") && !error.contains("hunter2"),
        "{error}"
    );
    let error = rejection(json!({"token": {"env": "NOT_SET_ANYWHERE"}}));
    assert!(
        error.contains("regions[0].options.token") && error.contains("NOT_SET_ANYWHERE"),
        "{error}"
    );
    let error = rejection(json!({"token": {"file": "no/such/file"}}));
    assert!(
        error.contains("regions[0].options.token") && error.contains("no/such/file"),
        "{error}"
    );
    let unknown_source = json!({
        "regions": [{"name": "a", "url": "s3://bucket", "options": {"token": {"vault": "x"}}}],
    });
    let error = serde_json::from_value::<FailoverConfig>(unknown_source)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("regions[0].options.token") && error.contains("env"),
        "{error}"
    );
}

#[tokio::test]
async fn ca_file_trusts_a_private_authority() {
    let server = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let endpoint = serve_tls(&server).await;
    let file = std::env::temp_dir().join(format!(
        "object_store_failover-ca-{}.pem",
        std::process::id()
    ));
    std::fs::write(&file, server.cert.pem()).unwrap();
    let mut trusting = region("a", &endpoint, json!({}));
    trusting["ca_file"] = json!(file);
    assert_eq!(
        config(vec![trusting.clone()], json!({}))
            .build()
            .unwrap()
            .head(&key())
            .await
            .unwrap()
            .size,
        3
    );
    let error = config(vec![region("a", &endpoint, json!({}))], json!({}))
        .build()
        .unwrap()
        .head(&key())
        .await
        .unwrap_err();
    assert!(error.to_string().contains("connect failed"), "{error}");
    std::fs::write(&file, "no certificate").unwrap();
    let error = config(vec![trusting], json!({}))
        .build()
        .unwrap_err()
        .to_string();
    assert!(error.contains("regions[0].ca_file"), "{error}");
    std::fs::remove_file(&file).unwrap();
}

/// A TLS server that sends a head with a length of three bytes to every request.
async fn serve_tls(identity: &rcgen::CertifiedKey<rcgen::KeyPair>) -> String {
    use tokio_rustls::rustls;
    let key =
        rustls::pki_types::PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = config
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!(
        "https://localhost:{}",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(socket).await else {
                continue;
            };
            let _ = stream.read(&mut [0; 8192]).await;
            let headers = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\netag: \"t\"\r\n\
                last-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(headers.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    endpoint
}

/// The proxy's full accept queue drops SYNs, as an unreachable host does.
#[tokio::test]
async fn connect_timeout_limits_connection_setup() {
    let proxy = Proxy::start(([127, 0, 0, 1], 9).into());
    proxy.set(Fault::Blackhole);
    let endpoint = proxy.endpoint();
    for (setting, at_least, at_most) in [("300ms", 300, 1500), ("1200ms", 1200, 2500)] {
        let store = config(
            vec![region("a", &endpoint, json!({}))],
            json!({"connect": setting, "attempt": "10s"}),
        )
        .build()
        .unwrap();
        let started_at = Instant::now();
        let error = store.head(&key()).await.unwrap_err();
        assert!(
            matches!(
                failover_error(&error),
                FailoverError::AllRegionsFailed { .. }
            ),
            "{error}"
        );
        let elapsed = started_at.elapsed();
        assert!(
            elapsed >= Duration::from_millis(at_least) && elapsed < Duration::from_millis(at_most),
            "{setting}: {elapsed:?} {error}"
        );
    }
}

#[test]
fn questionable_settings_are_warned_about() {
    let warnings = |regions: Vec<Value>, more: Value| {
        let mut document = json!({"regions": regions});
        document
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        logged(|| drop(settings::<FailoverConfig>(document).build().unwrap()))
    };
    let one = || region("a", "http://127.0.0.1:9", json!({}));
    let other = || region("b", "http://127.0.0.1:10", json!({}));
    assert_eq!(warnings(vec![one(), other()], json!({})), "");
    let mut twin = one();
    twin["name"] = json!("twin");
    assert!(warnings(vec![one(), twin], json!({})).contains("same bucket"));
    let memory = |name: &str| json!({"name": name, "url": "memory:///"});
    assert_eq!(warnings(vec![memory("a"), memory("b")], json!({})), "");
    assert!(
        warnings(
            vec![memory("a")],
            json!({"rotation": {"policy": "nearest"}})
        )
        .contains("canary")
    );
    let trusting = region(
        "a",
        "https://127.0.0.1:9",
        json!({"allow_invalid_certificates": true}),
    );
    assert!(warnings(vec![trusting], json!({})).contains("allow_invalid_certificates"));
}
