//! Listening, and ending: Ctrl-C or SIGTERM lets requests under way end, for a while.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::clock::pause;
use crate::service::{Service, router};

/// How long bodies under way may take to end. An orchestrator that sends SIGTERM waits longer than this before it kills.
pub(crate) const GRACE: Duration = Duration::from_secs(5);

/// Whether the process has been asked to end.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    pub(crate) fn new() -> (watch::Sender<bool>, Self) {
        let (sender, receiver) = watch::channel(false);
        (sender, Self(receiver))
    }

    /// Waits until it is. Whoever could ask being gone is an end, too.
    pub(crate) async fn asked(mut self) {
        let _ = self.0.wait_for(|asked| *asked).await;
    }
}

/// Serves until it is asked to stop.
pub(crate) async fn serve(listener: TcpListener, service: Arc<Service>) -> io::Result<()> {
    let stop = service.stop.clone();
    let app = router(service);
    let served = axum::serve(listener, app).with_graceful_shutdown(stop.clone().asked());
    let patience = async {
        stop.asked().await;
        pause(GRACE).await;
    };
    tokio::select! {
        served = served => served,
        () = patience => Ok(()),
    }
}

/// Waits for Ctrl-C, or for what an orchestrator sends instead.
pub(crate) async fn interrupted() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
