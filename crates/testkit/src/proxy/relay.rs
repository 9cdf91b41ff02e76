//! One connection through a proxy.
//!
//! One task runs both directions: requests to the server, responses to the client. The connection
//! ends when one direction ends. The client's socket is reset, also when the task is dropped,
//! except after an orderly end: a truncated response must not look complete.

use std::convert::Infallible;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, sleep_until};

use super::control::{Control, CurrentFault};
use super::fault::{Fault, Response};
use super::request::{Head, Part, Requests};
use super::response_progress::{ResponseProgress, Step};
use crate::lock;

/// Forwards `client` until the client, the server or a fault ends the connection.
pub(crate) async fn relay(client: TcpStream, server: SocketAddr, control: Arc<Control>) {
    let _ = client.set_nodelay(true);
    let _ = client.set_zero_linger();
    let relay = Relay {
        client,
        server,
        upstream: OnceLock::new(),
        connected: Notify::new(),
        control,
        progress: Mutex::default(),
    };
    let end = tokio::select! {
        Err(end) = relay.requests() => end,
        Err(end) = relay.responses() => end,
    };
    if matches!(end, End::Close) {
        let _ = SockRef::from(&relay.client).set_linger(None);
    }
}

struct Relay {
    client: TcpStream,
    server: SocketAddr,
    /// Opened by the first request that is forwarded.
    upstream: OnceLock<TcpStream>,
    connected: Notify,
    control: Arc<Control>,
    /// The response in flight. At most one, because clients of object stores do not pipeline.
    progress: Mutex<ResponseProgress>,
}

/// How a connection ends.
enum End {
    Reset,
    Close,
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Reset
    }
}

/// Where a request goes.
enum Route {
    Forward,
    /// Discards the request. The connection is unusable once this version of the fault ends.
    Discard(u64),
    Response {
        response: Response,
        head_only: bool,
    },
}

impl Relay {
    async fn requests(&self) -> Result<Infallible, End> {
        let mut faults = self.control.watch();
        let mut buffer = vec![0; REQUEST_BUFFER];
        let mut requests = Requests::default();
        let mut route = Route::Forward;
        loop {
            let read = tokio::select! {
                read = read(&self.client, &mut buffer) => read?,
                _ = faults.changed() => 0,
            };
            let current = faults.borrow_and_update().clone();
            check_discarded(&route, &current)?;
            let mut bytes = &buffer[..read];
            while let Some(part) = requests.next(&mut bytes) {
                route = self.send_part(part, route, &current).await?;
            }
            consume_budget().await;
        }
    }

    /// Sends one part of a request on its route and returns the route of the next part.
    async fn send_part(
        &self,
        part: Part<'_>,
        route: Route,
        current: &CurrentFault,
    ) -> Result<Route, End> {
        let (route, bytes, last) = match &part {
            Part::Head(head) => (self.route(head, current)?, &head.bytes[..], head.body == 0),
            Part::Body { bytes, last } if current.fault.discards() => {
                (Route::Discard(current.version), *bytes, *last)
            }
            Part::Body { bytes, last } => (route, *bytes, *last),
        };
        match &route {
            Route::Forward => write(self.upstream().await?, bytes).await?,
            Route::Response {
                response,
                head_only,
            } if last => self.send_response(response, *head_only).await?,
            Route::Response { .. } | Route::Discard(_) => {}
        }
        Ok(route)
    }

    /// The route of the request with this head. Its queued fault applies to its response.
    fn route(&self, head: &Head, current: &CurrentFault) -> Result<Route, End> {
        let queued = self
            .control
            .on_request()
            .filter(|_| !current.fault.discards());
        let progress = ResponseProgress::new(queued.map(|fault| (fault, current.version)));
        let fault = progress.fault(current);
        *lock(&self.progress) = progress;
        Ok(match fault {
            Fault::Swallow | Fault::Blackhole => Route::Discard(current.version),
            Fault::Respond(response) => Route::Response {
                response,
                head_only: head.is_head(),
            },
            Fault::Refuse => {
                self.control.on_fault_injected();
                return Err(End::Reset);
            }
            _ => Route::Forward,
        })
    }

    async fn upstream(&self) -> io::Result<&TcpStream> {
        if self.upstream.get().is_none() {
            let stream = TcpStream::connect(self.server).await?;
            stream.set_nodelay(true)?;
            let _ = self.upstream.set(stream);
            self.connected.notify_one();
        }
        self.upstream
            .get()
            .ok_or_else(|| ErrorKind::NotConnected.into())
    }

    async fn send_response(&self, response: &Response, head_only: bool) -> Result<(), End> {
        let body = if head_only {
            &[][..]
        } else {
            response.content()
        };
        let head = response.head();
        self.control.on_fault_injected();
        self.control.on_sent(
            &Fault::Respond(response.clone()),
            (head.len() + body.len()) as u64,
            body.len() as u64,
        );
        write(&self.client, head.as_bytes()).await?;
        write(&self.client, body).await?;
        if response.ends() {
            Err(End::Close)
        } else {
            Ok(())
        }
    }

    async fn responses(&self) -> Result<Infallible, End> {
        self.connected.notified().await;
        let upstream = self.upstream().await?;
        let mut faults = self.control.watch();
        let mut buffer = vec![0; RESPONSE_BUFFER];
        loop {
            let read = read(upstream, &mut buffer).await;
            // The end of the server's connection is withheld as its bytes are.
            while faults.borrow_and_update().fault.discards() {
                let _ = faults.changed().await;
            }
            match read {
                Ok(read) => self.deliver(&buffer[..read], &mut faults).await?,
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Err(End::Close),
                Err(error) => return Err(error.into()),
            }
            consume_budget().await;
        }
    }

    /// Sends bytes of a response as its fault allows. A new fault applies at once.
    async fn deliver(
        &self,
        mut bytes: &[u8],
        faults: &mut watch::Receiver<CurrentFault>,
    ) -> Result<(), End> {
        while !bytes.is_empty() {
            let (fault, step) = self.step(bytes, &faults.borrow_and_update());
            match step {
                Step::Send(count) => match self.client.try_write(&bytes[..count]) {
                    Ok(sent) => {
                        let body = lock(&self.progress).on_sent(&bytes[..sent]);
                        self.control.on_sent(&fault, sent as u64, body);
                        bytes = &bytes[sent..];
                    }
                    Err(error) if error.kind() == ErrorKind::WouldBlock => tokio::select! {
                        ready = self.client.writable() => ready?,
                        _ = faults.changed() => {}
                    },
                    Err(error) => return Err(error.into()),
                },
                Step::Wait(until) => tokio::select! {
                    () = sleep_until(until) => {}
                    _ = faults.changed() => {}
                },
                Step::Freeze => drop(faults.changed().await),
                Step::Reset => return Err(End::Reset),
                Step::Close => return Err(End::Close),
            }
        }
        Ok(())
    }

    fn step(&self, bytes: &[u8], current: &CurrentFault) -> (Fault, Step) {
        let mut progress = lock(&self.progress);
        let fault = progress.fault(current);
        let step = progress.step(&fault, bytes, Instant::now());
        if !matches!(step, Step::Send(_)) && progress.first_injection() {
            self.control.on_fault_injected();
        }
        (fault, step)
    }
}

/// Resets a connection whose request was discarded, once the fault that discarded it has ended.
fn check_discarded(route: &Route, current: &CurrentFault) -> Result<(), End> {
    match route {
        Route::Discard(version) if *version != current.version && !current.fault.discards() => {
            Err(End::Reset)
        }
        _ => Ok(()),
    }
}

/// Reads available bytes; the end of the stream is an error.
async fn read(stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.try_read(buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.readable().await?,
            read => return read,
        }
    }
}

async fn write(stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match stream.try_write(bytes) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => stream.writable().await?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Requests are small, except for the bodies of puts.
const REQUEST_BUFFER: usize = 64 * 1024;
/// Large enough that a body needs few system calls.
const RESPONSE_BUFFER: usize = 256 * 1024;
