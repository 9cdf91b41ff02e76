//! The network side of a server: its port, its connections, kill and hang.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, ready};

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use s3s::service::S3Service;
use s3s::{HttpError, HttpResponse};
use socket2::{Domain, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::connection::{Gate, GatedBody, GatedSocket, Socket, reset};
use crate::lock;

/// The listen backlog: more than any test opens at once.
pub(crate) const BACKLOG: i32 = 1024;

/// A port of 127.0.0.1 that serves an `S3Service`. Dropping it ends all connections.
pub(crate) struct Listener {
    /// Bound, never listening. It reserves the port while the server is killed, when connecting is
    /// refused.
    _claim: socket2::Socket,
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    service: S3Service,
    /// The runtime of all tasks, because `revive` may be called from another thread.
    runtime: Handle,
    gate: Arc<Gate>,
    requests: AtomicU64,
    writes: AtomicU64,
    running: Mutex<Running>,
}

/// What a kill drops. The sockets are not owned by the tasks, because an aborted task drops them
/// only when the runtime gets to it.
#[derive(Default)]
struct Running {
    /// None while the server is killed.
    listener: Option<TcpListener>,
    sockets: Vec<Weak<Socket>>,
    tasks: JoinSet<()>,
}

impl Listener {
    /// Opens a port that the system chooses and serves it on the current runtime.
    pub(crate) fn open(service: S3Service) -> io::Result<Self> {
        let claim = bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = claim
            .local_addr()?
            .as_socket()
            .expect("it is an IPv4 socket");
        let shared = Arc::new(Shared {
            address,
            service,
            runtime: Handle::current(),
            gate: Arc::default(),
            requests: AtomicU64::new(0),
            writes: AtomicU64::new(0),
            running: Mutex::default(),
        });
        shared.listen()?;
        Ok(Self {
            _claim: claim,
            shared,
        })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.shared.address
    }

    pub(crate) fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// Requests with methods other than GET and HEAD.
    pub(crate) fn writes(&self) -> u64 {
        self.shared.writes.load(Ordering::SeqCst)
    }

    /// Ends the listener, all connections and all requests in progress.
    pub(crate) fn kill(&self) {
        let running = std::mem::take(&mut *lock(&self.shared.running));
        drop(running.listener);
        running
            .sockets
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|socket| reset(&socket));
        // Tasks are aborted before the gate opens, so that none of those waiting there continues.
        drop(running.tasks);
        self.shared.gate.open();
    }

    /// Stops all writing. No effect on a killed server.
    pub(crate) fn hang(&self) {
        if lock(&self.shared.running).listener.is_some() {
            self.shared.gate.close();
        }
    }

    /// Ends a hang or a kill.
    pub(crate) fn revive(&self) -> io::Result<()> {
        self.shared.gate.open();
        self.shared.listen()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shared {
    /// Listens on the port, unless it already does.
    fn listen(self: &Arc<Self>) -> io::Result<()> {
        let mut running = lock(&self.running);
        if running.listener.is_some() {
            return Ok(());
        }
        let socket = bind(self.address)?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let _entered = self.runtime.enter();
        running.listener = Some(TcpListener::from_std(StdListener::from(socket))?);
        let shared = Arc::clone(self);
        let accepting = std::future::poll_fn(move |cx| shared.poll_accept(cx));
        running.tasks.spawn_on(accepting, &self.runtime);
        Ok(())
    }

    /// Accepts until the listener is dropped.
    fn poll_accept(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // Held over accept and registration: a kill must not miss a connection in between.
            let mut running = lock(&self.running);
            let Some(listener) = &running.listener else {
                return Poll::Ready(());
            };
            match ready!(listener.poll_accept(cx)) {
                Ok((stream, _)) => self.admit(&mut running, stream),
                // The connection was closed already, or there are no file descriptors: yield.
                Err(_) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, running: &mut Running, stream: TcpStream) {
        // Nagle would delay small responses until the client's delayed ACK.
        let _ = stream.set_nodelay(true);
        let socket = Arc::new(Mutex::new(Some(stream)));
        running.sockets.retain(|known| known.strong_count() > 0);
        running.sockets.push(Arc::downgrade(&socket));
        let socket = GatedSocket {
            socket,
            gate: Arc::clone(&self.gate),
        };
        running.spawn(&self.runtime, Arc::clone(self).serve(socket));
    }

    async fn serve(self: Arc<Self>, socket: GatedSocket) {
        let service = service_fn(move |request| Arc::clone(&self).respond(request));
        // An error means that the client disconnected or the server was killed.
        let _ = http1::Builder::new()
            .serve_connection(TokioIo::new(socket), service)
            .await;
    }

    /// Counts a request and executes it in a task of its own. As in a process that is stopped and
    /// resumed, the request takes effect even if the client has disconnected meanwhile.
    async fn respond(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<HttpResponse, HttpError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        if !request.method().is_safe() {
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
        let (reply, response) = oneshot::channel();
        let shared = Arc::clone(&self);
        let work = async move {
            // The receiver is dropped if the client has disconnected.
            let _ = reply.send(shared.execute(request).await);
        };
        self.spawn(work)?;
        response
            .await
            .unwrap_or_else(|lost| Err(HttpError::new(lost.into())))
    }

    async fn execute(&self, request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
        self.gate.opened().await;
        let gate = Arc::clone(&self.gate);
        let gated = request.map(|body| s3s::Body::http_body_unsync(GatedBody { body, gate }));
        self.service.call(gated).await
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), HttpError> {
        let mut running = lock(&self.running);
        if running.listener.is_none() {
            return Err(HttpError::new("the server has been killed".into()));
        }
        running.spawn(&self.runtime, work);
        Ok(())
    }
}

impl Running {
    fn spawn(&mut self, runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
        // `JoinSet` keeps finished tasks until they are joined.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn_on(work, runtime);
    }
}

/// A socket bound to `address`, which it shares with the socket that reserves the port and with
/// connections in TIME_WAIT.
pub(crate) fn bind(address: SocketAddr) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
