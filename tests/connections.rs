//! The connections of regions that we build: their own, closed when idle, and new after an outage. Over real HTTP.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests hold the clock, and a panic is their verdict"
)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use object_store::ObjectStoreExt;
use object_store_failover::{CircuitState, FailoverConfig, FailoverStore};
use parking_lot::Mutex;
use serde_json::{Value, json};
use support::{circuits, ms, read, secs, settings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

const HEAD: &str = "HTTP/1.1 200 OK\r\netag: \"t\"\r\nlast-modified: Sat, 21 Nov 2026 00:00:00 GMT\r\n";

/// A server that keeps its connections, numbers them, and remembers which of them each request came by.
struct Server {
    endpoint: String,
    shared: Arc<Shared>,
    /// Connections that the other side has closed.
    closed: mpsc::UnboundedReceiver<usize>,
}

#[derive(Default)]
struct Shared {
    sick: AtomicBool,
    log: Mutex<Vec<usize>>,
    /// Lets the second half of the object `halves` go.
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
        Self { endpoint, shared, closed }
    }

    fn region(&self, name: &str) -> Value {
        let options = json!({"aws_endpoint": self.endpoint, "aws_allow_http": true, "access_key_id": "key", "secret_access_key": "secret"});
        json!({"name": name, "url": "s3://bucket", "options": options})
    }

    /// The connection that is closed next, which must be soon.
    async fn closed(&mut self) -> usize {
        tokio::time::timeout(secs(2), self.closed.recv()).await.expect("no connection was closed").unwrap()
    }

    fn be_sick(&self, sick: bool) {
        self.shared.sick.store(sick, Ordering::Relaxed);
    }

    /// The connections by which the requests came so far.
    fn log(&self) -> Vec<usize> {
        self.shared.log.lock().clone()
    }
}

impl Shared {
    /// Until the other side closes.
    async fn serve(&self, number: usize, mut socket: TcpStream) {
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = socket.read_u8().await else { return };
                head.push(byte);
            }
            self.log.lock().push(number);
            let halves = head.windows(6).any(|window| window == b"halves");
            let answer = match (self.sick.load(Ordering::Relaxed), halves) {
                (true, _) => "HTTP/1.1 500 X\r\ncontent-length: 4\r\n\r\nsick".to_owned(),
                (_, true) => format!("{HEAD}content-length: 8\r\n\r\nhalf"),
                _ => format!("{HEAD}content-length: 5\r\n\r\nbytes"),
            };
            socket.write_all(answer.as_bytes()).await.unwrap();
            if halves {
                self.rest.notified().await;
                socket.write_all(b"half").await.unwrap();
            }
        }
    }
}

/// A store whose circuits open at the first failure.
fn store(regions: &[Value]) -> FailoverStore {
    let document = json!({"regions": regions, "breaker": {"failure_threshold": 1}, "retry": {"enabled": false}});
    settings::<FailoverConfig>(document).build().unwrap()
}

/// What has come to an end in the client is done with: connections are back in its pool. No time passes.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_region_whose_circuit_was_open_starts_on_new_connections() {
    let mut server = Server::start().await;
    let store = store(&[server.region("a")]);
    for _ in 0..2 {
        assert_eq!(read(&store).await.unwrap(), "bytes");
        settle().await;
    }
    server.be_sick(true);
    read(&store).await.unwrap_err();
    settle().await;
    assert_eq!((circuits(&store)[0], server.log()), (CircuitState::Open, vec![0, 0, 0]), "kept, and used, as long as it was closed");
    server.be_sick(false);
    for _ in 0..3 {
        assert_eq!(read(&store).await.unwrap(), "bytes");
        settle().await;
    }
    assert_eq!((circuits(&store)[0], server.log()), (CircuitState::Closed, vec![0, 0, 0, 1, 1, 1]));
    assert_eq!(server.closed().await, 0, "nobody will use it, and nobody keeps it");
}

#[tokio::test]
async fn a_body_in_flight_keeps_the_connection_that_it_began_with() {
    let server = Server::start().await;
    let store = store(&[server.region("a")]);
    let body = store.get(&"halves".into()).await.unwrap();
    server.be_sick(true);
    read(&store).await.unwrap_err();
    settle().await;
    server.be_sick(false);
    assert_eq!(read(&store).await.unwrap(), "bytes");
    server.shared.rest.notify_one();
    assert_eq!(body.bytes().await.unwrap(), "halfhalf");
    assert_eq!(server.log(), [0, 1, 2], "one body in flight, one failure, and a new beginning");
}

#[tokio::test]
async fn regions_share_no_connection_even_where_they_share_a_server() {
    let server = Server::start().await;
    let store = store(&[server.region("a"), server.region("b")]);
    for _ in 0..6 {
        assert_eq!(read(&store).await.unwrap(), "bytes");
        settle().await;
    }
    assert_eq!(server.log(), [0, 1, 0, 1, 0, 1]);
}

#[tokio::test]
async fn an_idle_connection_is_closed_after_five_seconds_before_the_provider_closes_it() {
    let mut server = Server::start().await;
    let store = store(&[server.region("a")]);
    // The clock stands still only while nobody waits for the network.
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
