//! Faults in the HTTP client, for regions in front of which no proxy can stand: TLS ends at the
//! provider, so faults are injected above it.
//!
//! The faults are those of the TCP proxy of the testkit, applied to requests, responses and bodies
//! instead of bytes. Only requests that pass reach the region, and requests that were in flight
//! when the fault was set; the region may have executed those. Credential requests of the region's
//! client are subject to the same fault.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use failover_testkit::proxy::{Fault, Response};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::faulty_body;

/// The current fault and the counters of one region, shared by its clients and the drill.
#[derive(Debug)]
pub struct FaultSwitch {
    current: watch::Sender<Fault>,
    /// The connect limit of the region.
    connect: Duration,
    requests: AtomicU64,
    body_bytes: AtomicU64,
}

/// Builds clients that inject the fault of the switch.
#[derive(Debug)]
pub struct FaultyConnector {
    inner: Arc<dyn HttpConnector>,
    switch: Arc<FaultSwitch>,
}

#[derive(Debug)]
struct Client {
    inner: HttpClient,
    switch: Arc<FaultSwitch>,
}

impl FaultSwitch {
    pub fn new(connect: Duration) -> Self {
        Self {
            current: watch::Sender::new(Fault::Pass),
            connect,
            requests: AtomicU64::new(0),
            body_bytes: AtomicU64::new(0),
        }
    }

    /// Sets the fault, for new requests and for those in flight.
    pub fn set(&self, fault: Fault) {
        self.current.send_replace(fault);
    }

    /// Requests that were started, whatever their result.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    pub fn body_bytes(&self) -> u64 {
        self.body_bytes.load(Ordering::Relaxed)
    }

    pub(super) fn on_bytes(&self, count: usize) {
        self.body_bytes.fetch_add(count as u64, Ordering::Relaxed);
    }
}

impl FaultyConnector {
    pub fn new(switch: &Arc<FaultSwitch>) -> Self {
        Self::over(Arc::new(ReqwestConnector::default()), switch)
    }

    /// Wraps the clients of another connector.
    pub fn over(inner: Arc<dyn HttpConnector>, switch: &Arc<FaultSwitch>) -> Self {
        Self {
            inner,
            switch: Arc::clone(switch),
        }
    }
}

impl HttpConnector for FaultyConnector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Client {
            inner: self.inner.connect(options)?,
            switch: Arc::clone(&self.switch),
        }))
    }
}

#[async_trait]
impl HttpService for Client {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.switch.requests.fetch_add(1, Ordering::Relaxed);
        let mut fault = self.switch.current.subscribe();
        let current = fault.borrow_and_update().clone();
        match current {
            Fault::Refuse => return Err(not_connected(ErrorKind::ConnectionRefused)),
            Fault::Blackhole => {
                tokio::select! {
                    () = sleep(self.switch.connect) => {}
                    () = changed(&mut fault) => {}
                }
                return Err(not_connected(ErrorKind::TimedOut));
            }
            // The request is lost: it fails when the fault ends, too.
            Fault::Swallow => {
                while fault.borrow_and_update().discards() {
                    changed(&mut fault).await;
                }
                return Err(connection_reset());
            }
            Fault::Respond(response) => {
                return scripted(&response, request.method() == http::Method::HEAD);
            }
            _ => {}
        }
        let mut abort = fault.clone();
        let response = tokio::select! {
            response = self.inner.execute(request) => response?,
            () = aborted(&mut abort) => return Err(connection_reset()),
        };
        release_headers(&mut fault).await?;
        Ok(faulty_body::wrap(response, Arc::clone(&self.switch), fault))
    }
}

/// Returns when the first byte of a received response may pass.
async fn release_headers(fault: &mut watch::Receiver<Fault>) -> Result<(), HttpError> {
    let received_at = Instant::now();
    loop {
        let current = fault.borrow_and_update().clone();
        match current {
            Fault::Refuse | Fault::Lose => return Err(connection_reset()),
            Fault::Swallow | Fault::Blackhole => changed(fault).await,
            Fault::Delay(delay) if Instant::now() < received_at + delay => tokio::select! {
                () = sleep_until(received_at + delay) => return Ok(()),
                () = changed(fault) => {}
            },
            _ => return Ok(()),
        }
    }
}

/// Returns when requests in flight are to be aborted.
async fn aborted(fault: &mut watch::Receiver<Fault>) {
    while !matches!(*fault.borrow_and_update(), Fault::Refuse) {
        changed(fault).await;
    }
}

/// Returns when the fault changes. The switch outlives its clients; without it no fault changes.
pub(super) async fn changed(fault: &mut watch::Receiver<Fault>) {
    if fault.changed().await.is_err() {
        std::future::pending().await
    }
}

/// A response that no server sent.
fn scripted(response: &Response, head_only: bool) -> Result<HttpResponse, HttpError> {
    let response = response
        .response()
        .map_err(|error| HttpError::new(HttpErrorKind::Unknown, error))?;
    Ok(response.map(|body| {
        if head_only {
            Vec::new().into()
        } else {
            body.into()
        }
    }))
}

fn not_connected(how: ErrorKind) -> HttpError {
    HttpError::new(
        HttpErrorKind::Connect,
        io::Error::new(how, "injected by the drill in the HTTP client"),
    )
}

/// A connection reset.
pub(super) fn connection_reset() -> HttpError {
    HttpError::new(
        HttpErrorKind::Interrupted,
        io::Error::new(
            ErrorKind::ConnectionReset,
            "connection reset, injected by the drill in the HTTP client",
        ),
    )
}
