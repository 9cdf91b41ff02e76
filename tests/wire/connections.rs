//! Connections of regions that the library builds: one pool a region, closed when idle, replaced
//! after an outage. Over real HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use failover_testkit::{circuits, ms, read, secs, settings};
use object_store::ObjectStoreExt;
use object_store_failover::{CircuitState, FailoverConfig, FailoverStore};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

const HEAD: &str =
    "HTTP/1.1 200 OK\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n";

/// A server that numbers its connections and records the connection of each request.
struct Server {
    endpoint: String,
    shared: Arc<Shared>,
    /// Connections that the client has closed.
    closed: mpsc::UnboundedReceiver<usize>,
}

#[derive(Default)]
struct Shared {
    failing: AtomicBool,
    log: Mutex<Vec<usize>>,
    /// Releases the second half of the object `halves`.
    rest: Notify,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (sender, closed) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let served = Arc::clone(&shared);
        tokio::spawn(async move {
            for number in 0.. {
                let (socket, _) = listener.accept().await.unwrap();
                let (served, sender) = (Arc::clone(&served), sender.clone());
                tokio::spawn(async move {
                    served.serve(number, socket).await;
                    let _ = sender.send(number);
                });
            }
        });
        Self {
            endpoint,
            shared,
            closed,
        }
    }

    fn region(&self, name: &str) -> Value {
        let options = json!({
            "aws_endpoint": self.endpoint,
            "aws_allow_http": true,
            "access_key_id": "key",
            "secret_access_key": "secret",
        });
        json!({"name": name, "url": "s3://bucket", "options": options})
    }

    /// The next connection that the client closes, within two seconds.
    async fn closed(&mut self) -> usize {
        tokio::time::timeout(secs(2), self.closed.recv())
            .await
            .expect("no connection was closed")
            .unwrap()
    }

    fn set_failing(&self, failing: bool) {
        self.shared.failing.store(failing, Ordering::Relaxed);
    }

    /// The connection of each request.
    fn log(&self) -> Vec<usize> {
        self.shared.log.lock().clone()
    }
}

impl Shared {
    /// Serves until the client closes.
    async fn serve(&self, number: usize, mut socket: TcpStream) {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = socket.read_u8().await else {
                    return;
                };
                head.push(byte);
            }
            self.log.lock().push(number);
            let halves = head.windows(6).any(|window| window == b"halves");
            let response = match (self.failing.load(Ordering::Relaxed), halves) {
                (true, _) => "HTTP/1.1 500 X\r\ncontent-length: 7\r\n\r\nfailing".to_owned(),
                (_, true) => format!("{HEAD}content-length: 8\r\n\r\nhalf"),
                _ => format!("{HEAD}content-length: 5\r\n\r\nbytes"),
            };
            socket.write_all(response.as_bytes()).await.unwrap();
            if halves {
                self.rest.notified().await;
                socket.write_all(b"half").await.unwrap();
            }
        }
    }
}

/// A store whose circuits open at the first failure.
fn store(regions: &[Value]) -> FailoverStore {
    let document = json!({
        "regions": regions,
        "breaker": {"failure_threshold": 1},
        "retry": {"enabled": false},
    });
    settings::<FailoverConfig>(document).build().unwrap()
}

/// Lets the client return connections to its pool, without passing time.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn closed_circuit_uses_new_connections() {
    let mut server = Server::start().await;
    let store = store(&[server.region("a")]);
    for _ in 0..2 {
        assert_eq!(read(&store).await.unwrap(), "bytes");
        settle().await;
    }
    server.set_failing(true);
    read(&store).await.unwrap_err();
    settle().await;
    assert_eq!(
        (circuits(&store)[0], server.log()),
        (CircuitState::Open, vec![0, 0, 0]),
        "the connection is reused while the circuit is closed"
    );
    server.set_failing(false);
    for _ in 0..3 {
        assert_eq!(read(&store).await.unwrap(), "bytes");
        settle().await;
    }
    assert_eq!(
        (circuits(&store)[0], server.log()),
        (CircuitState::Closed, vec![0, 0, 0, 1, 1, 1])
    );
    assert_eq!(server.closed().await, 0, "the old connection is closed");
}

#[tokio::test]
async fn body_in_flight_keeps_its_connection() {
    let server = Server::start().await;
    let store = store(&[server.region("a")]);
    let body = store.get(&"halves".into()).await.unwrap();
    server.set_failing(true);
    read(&store).await.unwrap_err();
    settle().await;
    server.set_failing(false);
    assert_eq!(read(&store).await.unwrap(), "bytes");
    server.shared.rest.notify_one();
    assert_eq!(body.bytes().await.unwrap(), "halfhalf");
    assert_eq!(
        server.log(),
        [0, 1, 2],
        "the body in flight, the failure, the new connection"
    );
}

#[tokio::test]
async fn regions_do_not_share_connections() {
    let server = Server::start().await;
    let store = store(&[server.region("a"), server.region("b")]);
    for _ in 0..6 {
        assert_eq!(read(&store).await.unwrap(), "bytes");
        settle().await;
    }
    assert_eq!(server.log(), [0, 1, 0, 1, 0, 1]);
}

#[tokio::test]
async fn idle_connection_closes_after_five_seconds() {
    let mut server = Server::start().await;
    let store = store(&[server.region("a")]);
    // The clock is paused only while no task waits for the network.
    let pass = async |time| {
        settle().await;
        tokio::time::pause();
        tokio::time::advance(time).await;
        tokio::time::resume();
        settle().await;
    };
    assert_eq!(read(&store).await.unwrap(), "bytes");
    pass(ms(4_900)).await;
    assert_eq!(read(&store).await.unwrap(), "bytes");
    pass(ms(5_200)).await;
    assert_eq!(server.closed().await, 0);
    assert_eq!(read(&store).await.unwrap(), "bytes");
    assert_eq!(server.log(), [0, 0, 1]);
    pass(secs(60)).await;
    assert_eq!(server.closed().await, 1);
}
