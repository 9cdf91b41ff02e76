//! A proxy that injects faults between a client and any server.
//!
//! Faults of [`Server`] affect whole processes; these break single responses at a byte, slow them
//! down or replace them. Everything else is forwarded unchanged: signatures cover the `Host`
//! header, and the embedded server accepts any host.

mod control;
mod fault;
mod relay;
mod request;
mod response_progress;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use object_store::aws::AmazonS3Builder;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::task::{AbortHandle, JoinSet};

pub use control::Counts;
pub use fault::{Fault, Response};

use crate::lock;
use crate::s3::Server;
use crate::s3::listener::{BACKLOG, bind};
use control::Control;

/// A port of 127.0.0.1 that forwards to a server. Dropping it ends it and its connections.
pub struct Proxy {
    /// Bound, never listening: reserves the port while no listener is open.
    _claim: socket2::Socket,
    shared: Arc<Shared>,
}

struct Shared {
    address: SocketAddr,
    upstream: SocketAddr,
    runtime: Handle,
    control: Arc<Control>,
    sockets: Mutex<Sockets>,
}

/// What a fault can close.
#[derive(Default)]
struct Sockets {
    port: PortState,
    connections: JoinSet<()>,
}

/// What happens to a client that connects.
#[derive(Default)]
enum PortState {
    #[default]
    Closed,
    Listening(TcpListener, AbortHandle),
    FullBacklog {
        _backlog: FullBacklog,
    },
}

impl Proxy {
    /// Opens a port that the system chooses, on the current runtime. The server may start later.
    ///
    /// Panics if no port is free.
    pub fn start(upstream: SocketAddr) -> Self {
        let claim = bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a port of 127.0.0.1 is free");
        let address = claim
            .local_addr()
            .expect("it is bound")
            .as_socket()
            .expect("it is an IPv4 socket");
        let shared = Arc::new(Shared {
            address,
            upstream,
            runtime: Handle::current(),
            control: Arc::default(),
            sockets: Mutex::default(),
        });
        let proxy = Self {
            _claim: claim,
            shared,
        };
        proxy.set(Fault::Pass);
        proxy
    }

    pub fn address(&self) -> SocketAddr {
        self.shared.address
    }

    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The builder of a client of `server` that connects through the proxy.
    pub fn client(&self, server: &Server) -> AmazonS3Builder {
        server.client().with_endpoint(self.endpoint())
    }

    /// Sets the current fault. It applies to open connections and responses in flight, too, and
    /// clears the queue of [`next`](Self::next).
    pub fn set(&self, fault: impl Into<Fault>) {
        let fault = fault.into();
        let mut sockets = lock(&self.shared.sockets);
        self.shared.control.set(fault.clone());
        if matches!(fault, Fault::Refuse) {
            sockets.port.close();
            // Dropping a connection's task resets it.
            sockets.connections = JoinSet::new();
        } else if matches!(fault, Fault::Blackhole) {
            sockets.port.close();
            sockets.port = PortState::FullBacklog {
                _backlog: FullBacklog::new(self.shared.address).expect("the port is reserved"),
            };
        } else {
            self.shared
                .open(&mut sockets.port)
                .expect("the port is reserved");
        }
    }

    /// Queues faults for the next requests, one each; then the current fault applies again.
    /// `Refuse` resets the connection of its request, `Blackhole` acts as `Swallow`.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.shared.control.queue(faults);
    }

    /// How many faults are queued.
    pub fn queued(&self) -> usize {
        self.shared.control.queued()
    }

    pub fn counts(&self) -> Counts {
        self.shared.control.counts(None)
    }

    /// As `counts`, but with the bytes sent under this kind of fault only, whatever its parameters.
    pub fn counts_under(&self, fault: &Fault) -> Counts {
        self.shared.control.counts(Some(fault))
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Fault::Refuse);
    }
}

impl Shared {
    /// Listens, unless it already does.
    fn open(self: &Arc<Self>, port: &mut PortState) -> io::Result<()> {
        if matches!(port, PortState::Listening(..)) {
            return Ok(());
        }
        port.close();
        let socket = bind(self.address)?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        let _entered = self.runtime.enter();
        let listener = TcpListener::from_std(StdListener::from(socket))?;
        let shared = Arc::clone(self);
        let accepting = self
            .runtime
            .spawn(std::future::poll_fn(move |cx| shared.poll_accept(cx)));
        *port = PortState::Listening(listener, accepting.abort_handle());
        Ok(())
    }

    /// Accepts until the listener is dropped.
    fn poll_accept(self: &Arc<Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            // Held over accept and registration: a fault must not miss a connection in between.
            let mut sockets = lock(&self.sockets);
            let PortState::Listening(listener, _) = &sockets.port else {
                return Poll::Ready(());
            };
            let Ok((client, _)) = ready!(listener.poll_accept(cx)) else {
                // The connection was closed already, or there are no file descriptors: yield.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            };
            self.control.on_connection();
            while sockets.connections.try_join_next().is_some() {}
            sockets.connections.spawn_on(
                relay::relay(client, self.upstream, Arc::clone(&self.control)),
                &self.runtime,
            );
        }
    }
}

impl PortState {
    fn close(&mut self) {
        if let Self::Listening(_, accepting) = std::mem::take(self) {
            accepting.abort();
        }
    }
}

/// A listener whose accept queue is full, so that the kernel drops further SYNs.
struct FullBacklog {
    _listener: socket2::Socket,
    _fillers: [socket2::Socket; 4],
}

impl FullBacklog {
    fn new(address: SocketAddr) -> io::Result<Self> {
        let listener = bind(address)?;
        listener.listen(0)?;
        let fillers = [bind_any()?, bind_any()?, bind_any()?, bind_any()?];
        for filler in &fillers {
            // Non-blocking: the error is `EINPROGRESS`, or the queue is full already.
            let _ = filler.connect(&address.into());
        }
        Ok(Self {
            _listener: listener,
            _fillers: fillers,
        })
    }
}

fn bind_any() -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
