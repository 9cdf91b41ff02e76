//! Faults at the HTTP client, for lines that nobody can stand in: TLS ends at the provider, so what breaks is made above it.
//!
//! The same faults as the TCP proxy's (`tests/support/proxy`), on requests, answers and bodies instead of bytes. Nothing that is done here
//! reaches the region, but for the requests that pass, and those that a fault meets under way: it may have carried them out. Requests for
//! credentials that this region's clients make suffer from the same fault.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use object_store::ClientOptions;
use object_store::client::{HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService, ReqwestConnector};
use tokio::sync::watch;

use super::flow;
use crate::clock::{now, pause, sleep_until};
use crate::proxy::{Answer, Fault};

/// What a region's clients and the drill share: the fault that stands, and the counts.
#[derive(Debug)]
pub(crate) struct Tap {
    standing: watch::Sender<Fault>,
    /// How long connecting may take.
    connect: Duration,
    requests: AtomicU64,
    body_bytes: AtomicU64,
}

/// Makes clients that suffer from what the tap says.
#[derive(Debug)]
pub(crate) struct Faulty {
    below: Arc<dyn HttpConnector>,
    tap: Arc<Tap>,
}

#[derive(Debug)]
struct Client {
    below: HttpClient,
    tap: Arc<Tap>,
}

impl Tap {
    pub(crate) fn new(connect: Duration) -> Self {
        Self { standing: watch::Sender::new(Fault::Pass), connect, requests: AtomicU64::new(0), body_bytes: AtomicU64::new(0) }
    }

    /// From now on everything suffers from this, what is under way too.
    pub(crate) fn set(&self, fault: Fault) {
        self.standing.send_replace(fault);
    }

    /// Requests that were made, whatever became of them.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub(crate) fn body_bytes(&self) -> u64 {
        self.body_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn on_bytes(&self, count: usize) {
        self.body_bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl Faulty {
    pub(crate) fn new(tap: &Arc<Tap>) -> Self {
        Self::over(Arc::new(ReqwestConnector::default()), tap)
    }

    /// Over the clients of another.
    pub(crate) fn over(below: Arc<dyn HttpConnector>, tap: &Arc<Tap>) -> Self {
        Self { below, tap: Arc::clone(tap) }
    }
}

impl HttpConnector for Faulty {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client { below: self.below.connect(options)?, tap: Arc::clone(&self.tap) }))
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.tap.requests.fetch_add(1, Ordering::Relaxed);
        let mut seen = self.tap.standing.subscribe();
        let standing = seen.borrow_and_update().clone();
        match standing {
            Fault::Refuse => return Err(not_connected(ErrorKind::ConnectionRefused)),
            Fault::Blackhole => {
                tokio::select! {
                    () = pause(self.tap.connect) => {}
                    () = changed(&mut seen) => {}
                }
                return Err(not_connected(ErrorKind::TimedOut));
            }
            // What was sent is lost, also when the line is mended.
            Fault::Swallow => {
                while seen.borrow_and_update().swallows() {
                    changed(&mut seen).await;
                }
                return Err(broken());
            }
            Fault::Answer(answer) => return said(&answer, request.method() == http::Method::HEAD),
            _ => {}
        }
        let mut cut = seen.clone();
        let answer = tokio::select! {
            answer = self.below.execute(request) => answer?,
            () = refused(&mut cut) => return Err(broken()),
        };
        held_back(&mut seen).await?;
        Ok(flow::through(answer, Arc::clone(&self.tap), seen))
    }
}

/// Returns when the first byte of an answer that is here may pass.
async fn held_back(seen: &mut watch::Receiver<Fault>) -> Result<(), HttpError> {
    let came = now();
    loop {
        let standing = seen.borrow_and_update().clone();
        match standing {
            Fault::Refuse | Fault::Lose => return Err(broken()),
            Fault::Swallow | Fault::Blackhole => changed(seen).await,
            Fault::Delay(delay) if now() < came + delay => tokio::select! {
                () = sleep_until(came + delay) => return Ok(()),
                () = changed(seen) => {}
            },
            _ => return Ok(()),
        }
    }
}

/// Returns once what is under way is cut.
async fn refused(seen: &mut watch::Receiver<Fault>) {
    while !matches!(*seen.borrow_and_update(), Fault::Refuse) {
        changed(seen).await;
    }
}

/// Returns once another fault stands. The tap outlives nobody: without it no fault ever changes.
pub(super) async fn changed(seen: &mut watch::Receiver<Fault>) {
    if seen.changed().await.is_err() {
        std::future::pending().await
    }
}

/// An answer that no server has given.
fn said(answer: &Answer, head_only: bool) -> Result<HttpResponse, HttpError> {
    let answer = answer.response().map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
    Ok(answer.map(|body| if head_only { Vec::new().into() } else { body.into() }))
}

fn not_connected(how: ErrorKind) -> HttpError {
    HttpError::new(HttpErrorKind::Connect, io::Error::new(how, "by the drill, on our side of the wire"))
}

/// The connection is reset.
pub(super) fn broken() -> HttpError {
    HttpError::new(
        HttpErrorKind::Interrupted,
        io::Error::new(ErrorKind::ConnectionReset, "connection reset by the drill, on our side of the wire"),
    )
}
