//! The HTTP server and its graceful shutdown after Ctrl-C or SIGTERM.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::service::{Service, router};

/// Time for open requests to finish. Orchestrators usually wait 30 s between SIGTERM and SIGKILL.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Becomes ready when the process has to stop.
#[derive(Debug, Clone)]
pub struct StopSignal(watch::Receiver<bool>);

impl StopSignal {
    pub fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Waits for the stop request. A dropped sender counts as one.
    pub async fn requested(mut self) {
        let _ = self.0.wait_for(|requested| *requested).await;
    }
}

/// Serves until the stop is requested and open requests have finished or timed out.
pub async fn serve(listener: TcpListener, service: Arc<Service>) -> io::Result<()> {
    let stop = service.stop.clone();
    let app = router(service);
    let server = axum::serve(listener, app).with_graceful_shutdown(stop.clone().requested());
    let shutdown_timeout = async {
        stop.requested().await;
        tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
    };
    tokio::select! {
        result = server => result,
        () = shutdown_timeout => Ok(()),
    }
}

/// Waits for Ctrl-C or SIGTERM.
pub async fn shutdown_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
