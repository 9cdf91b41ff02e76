//! A connection's socket, which a kill resets and a gate blocks while its server hangs.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::lock;

/// Open while the server runs, closed while it hangs.
#[derive(Default)]
pub(crate) struct Gate(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    closed: bool,
    wakers: Vec<Waker>,
}

impl Gate {
    pub(crate) fn close(&self) {
        lock(&self.0).closed = true;
    }

    pub(crate) fn open(&self) {
        let wakers = {
            let mut waiting = lock(&self.0);
            waiting.closed = false;
            std::mem::take(&mut waiting.wakers)
        };
        // Outside the lock: a waker may run a task that polls this gate at once.
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Ready once the gate is open.
    pub(crate) fn poll_open(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut waiting = lock(&self.0);
        if !waiting.closed {
            return Poll::Ready(());
        }
        if !waiting
            .wakers
            .iter()
            .any(|known| known.will_wake(cx.waker()))
        {
            waiting.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }

    pub(crate) async fn opened(&self) {
        std::future::poll_fn(|cx| self.poll_open(cx)).await;
    }
}

/// A socket that a kill takes out of the task that uses it, without waiting for that task to be
/// polled.
pub(crate) type Socket = Mutex<Option<TcpStream>>;

/// Resets the connection at once. Bytes in the kernel's send buffer are discarded.
pub(crate) fn reset(socket: &Socket) {
    if let Some(stream) = lock(socket).take() {
        // If it fails the connection is closed in an orderly way, which is still an end.
        let _ = stream.set_zero_linger();
    }
}

/// The transport of a hyper connection.
///
/// Only writes wait for the gate. A request that arrives at a hanging server is parsed and counted;
/// its body waits in [`GatedBody`], its response in `Shared::execute`.
pub(crate) struct GatedSocket {
    pub(crate) socket: Arc<Socket>,
    pub(crate) gate: Arc<Gate>,
}

impl GatedSocket {
    /// Runs `io` on the socket, unless it has been reset.
    fn with<T>(
        &self,
        io: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match lock(&self.socket).as_mut() {
            Some(stream) => io(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
        }
    }
}

impl AsyncRead for GatedSocket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for GatedSocket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.gate.poll_open(cx));
        self.with(|stream| stream.poll_write(cx, buf))
    }

    // Forwarded so that hyper does not copy large bodies into one buffer.
    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.gate.poll_open(cx));
        self.with(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.with(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.gate.poll_open(cx));
        self.with(|stream| stream.poll_shutdown(cx))
    }
}

/// A request's body, which is not read while the server hangs.
pub(crate) struct GatedBody {
    pub(crate) body: Incoming,
    pub(crate) gate: Arc<Gate>,
}

impl Body for GatedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        ready!(self.gate.poll_open(cx));
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
