//! The network side of a server: its port, its connections, and the faults.

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

use super::line::{Gate, Held, Line, Socket, cut, lock};

/// Connections the kernel queues for us; more than any test opens at once.
pub const BACKLOG: i32 = 1024;

/// A port of 127.0.0.1 with `service` behind it. Everything ends when this is dropped.
pub struct Wire {
    /// Bound, never listening: while the server is dead, connecting is refused, and nobody else
    /// is given the port.
    _claim: socket2::Socket,
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    service: S3Service,
    /// Where the tasks run, also those of a revival that is asked for on another thread.
    runtime: Handle,
    gate: Arc<Gate>,
    requests: AtomicU64,
    life: Mutex<Life>,
}

/// What a kill takes away. It is kept here and not in the tasks, for a task that is told to stop
/// lets go of its sockets only some time later.
#[derive(Default)]
struct Life {
    /// None while the server is dead.
    listener: Option<TcpListener>,
    sockets: Vec<Weak<Socket>>,
    tasks: JoinSet<()>,
}

impl Wire {
    /// Opens a port chosen by the system and serves it on the current runtime.
    pub fn open(service: S3Service) -> io::Result<Self> {
        let claim = bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = claim.local_addr()?.as_socket().expect("it is an IPv4 socket");
        let shared = Arc::new(Shared {
            address,
            service,
            runtime: Handle::current(),
            gate: Arc::default(),
            requests: AtomicU64::new(0),
            life: Mutex::default(),
        });
        shared.listen()?;
        Ok(Self { _claim: claim, shared })
    }

    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }

    /// The process dies: no listener, no connection, no request in progress.
    pub fn kill(&self) {
        let life = std::mem::take(&mut *lock(&self.shared.life));
        drop(life.listener);
        life.sockets.iter().filter_map(Weak::upgrade).for_each(|socket| cut(&socket));
        // The tasks are told to stop before the gate opens, so none that waits there goes on.
        drop(life.tasks);
        self.shared.gate.open();
    }

    /// The process is stopped. One that is dead cannot be.
    pub fn hang(&self) {
        if lock(&self.shared.life).listener.is_some() {
            self.shared.gate.shut();
        }
    }

    /// The process goes on, or is started again.
    pub fn revive(&self) -> io::Result<()> {
        self.shared.gate.open();
        self.shared.listen()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shared {
    /// Listens on the port, unless it does so already.
    fn listen(self: &Arc<Self>) -> io::Result<()> {
        let mut life = lock(&self.life);
        if life.listener.is_some() {
            return Ok(());
        }
        let socket = bind(self.address)?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let _entered = self.runtime.enter();
        life.listener = Some(TcpListener::from_std(StdListener::from(socket))?);
        let shared = Arc::clone(self);
        let accepting = std::future::poll_fn(move |cx| shared.poll_accept(cx));
        life.tasks.spawn_on(accepting, &self.runtime);
        Ok(())
    }

    /// Accepts until the listener is taken away. Accepting and entering the connection are one
    /// step under the lock, or a kill could miss a connection in between.
    fn poll_accept(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut life = lock(&self.life);
            let Some(listener) = &life.listener else {
                return Poll::Ready(());
            };
            match ready!(listener.poll_accept(cx)) {
                Ok((stream, _)) => self.admit(&mut life, stream),
                // The connection is gone again, or we are out of files: let others run first.
                Err(_) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
            }
        }
    }

    fn admit(self: &Arc<Self>, life: &mut Life, stream: TcpStream) {
        // Small answers must not wait for the client's delayed acknowledgement.
        let _ = stream.set_nodelay(true);
        let socket = Arc::new(Mutex::new(Some(stream)));
        life.sockets.retain(|known| known.strong_count() > 0);
        life.sockets.push(Arc::downgrade(&socket));
        let line = Line { socket, gate: Arc::clone(&self.gate) };
        life.spawn(&self.runtime, Arc::clone(self).serve(line));
    }

    async fn serve(self: Arc<Self>, line: Line) {
        let service = service_fn(move |request| Arc::clone(&self).answer(request));
        // It fails when the client leaves or the server is killed: nothing to be done about it.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(line), service).await;
    }

    /// Counts a request and has it carried out by a task of its own: like a stopped process that
    /// finds a request in its socket when it goes on, we carry it out even if the client has
    /// given up by then.
    async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let (reply, answer) = oneshot::channel();
        let shared = Arc::clone(&self);
        let work = async move {
            // Nobody is left to take the reply if the client has given up.
            let _ = reply.send(shared.carry_out(request).await);
        };
        self.spawn(work)?;
        answer.await.unwrap_or_else(|lost| Err(HttpError::new(lost.into())))
    }

    async fn carry_out(&self, request: Request<Incoming>) -> Result<HttpResponse, HttpError> {
        self.gate.pass().await;
        let gate = Arc::clone(&self.gate);
        let held = request.map(|body| s3s::Body::http_body_unsync(Held { body, gate }));
        self.service.call(held).await
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> Result<(), HttpError> {
        let mut life = lock(&self.life);
        if life.listener.is_none() {
            return Err(HttpError::new("the server has been killed".into()));
        }
        life.spawn(&self.runtime, work);
        Ok(())
    }
}

impl Life {
    fn spawn(&mut self, runtime: &Handle, work: impl Future<Output = ()> + Send + 'static) {
        // The set keeps finished tasks until they are asked for.
        while self.tasks.try_join_next().is_some() {}
        self.tasks.spawn_on(work, runtime);
    }
}

/// A socket on `address` that can share it with the socket claiming it, and with connections of
/// an earlier life that the kernel has not forgotten yet.
pub fn bind(address: SocketAddr) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}
