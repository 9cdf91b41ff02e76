//! The regions as processes: started, killed, stopped and brought back by their ids.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::Socket;
use tokio::net::TcpStream;

use crate::clients::process::claim;
use crate::clients::{Access, Upstream};
use crate::clock::{now, pause};

/// Three replicas of one bucket.
pub(crate) struct Regions {
    places: Vec<Place>,
    servers: Vec<Server>,
}

/// A port that stays ours while nobody listens on it.
struct Place {
    address: SocketAddr,
    _claim: Socket,
}

/// A process that serves some of the regions. It ends when this is dropped.
struct Server {
    child: Child,
    addresses: Vec<SocketAddr>,
}

const COUNT: usize = 3;
const STARTING: Duration = Duration::from_secs(10);
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

impl Regions {
    /// All in one process on one thread: whoever asks three regions finds as much server as whoever asks one.
    pub(crate) async fn together() -> Result<Self, String> {
        Self::start(COUNT).await
    }

    /// A process each, to be killed and stopped.
    ///
    /// The kernel ends them with the thread that starts them, so this has to be the main one: not within a task.
    pub(crate) async fn apart() -> Result<Self, String> {
        Self::start(1).await
    }

    async fn start(per_process: usize) -> Result<Self, String> {
        let places = (0..COUNT).map(|_| Place::new()).collect::<Result<Vec<_>, _>>()?;
        let addresses: Vec<_> = places.iter().map(|place| place.address).collect();
        let mut servers = Vec::new();
        for some in addresses.chunks(per_process) {
            servers.push(Server::start(some).await?);
        }
        Ok(Self { places, servers })
    }

    /// What a client is given.
    pub(crate) fn shared(&self) -> (Vec<Upstream>, Access) {
        let upstream = |(index, place): (usize, &Place)| Upstream { name: format!("region-{index}"), address: place.address };
        let upstreams = self.places.iter().enumerate().map(upstream).collect();
        let text = str::to_owned;
        (upstreams, Access { bucket: text("bucket"), key: text("KEY"), secret: text("SECRET"), region: text("us-east-1") })
    }

    /// SIGKILL: the kernel closes the listener and all connections at once, and refuses new ones.
    pub(crate) fn kill(&mut self, region: usize) -> Result<(), String> {
        let server = &mut self.servers[region];
        server.child.kill().and_then(|()| server.child.wait()).map(drop).map_err(|error| error.to_string())
    }

    /// SIGSTOP: the kernel takes connections and requests, and nobody answers.
    pub(crate) fn hang(&self, region: usize) -> Result<(), String> {
        self.servers[region].signal(Signal::SIGSTOP)
    }

    /// SIGCONT: what has waited is answered.
    pub(crate) fn thaw(&self, region: usize) -> Result<(), String> {
        self.servers[region].signal(Signal::SIGCONT)
    }

    /// A killed one, on the port that it had.
    pub(crate) async fn revive(&mut self, region: usize) -> Result<(), String> {
        let addresses = self.servers[region].addresses.clone();
        self.servers[region] = Server::start(&addresses).await?;
        Ok(())
    }
}

impl Place {
    fn new() -> Result<Self, String> {
        let (claim, address) = claim().map_err(|error| format!("no port for a region: {error}"))?;
        Ok(Self { address, _claim: claim })
    }
}

impl Server {
    async fn start(addresses: &[SocketAddr]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        addresses.iter().for_each(|address| _ = command.arg("--region").arg(address.to_string()));
        command.arg("--parent").arg(std::process::id().to_string()).stdin(Stdio::null());
        // Ctrl-C is for us: what it means for a region is decided here.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command.spawn().map_err(|error| format!("a region could not be started: {error}"))?;
        let mut server = Self { child, addresses: addresses.to_vec() };
        server.ready().await?;
        Ok(server)
    }

    async fn ready(&mut self) -> Result<(), String> {
        let latest = now() + STARTING;
        for address in &self.addresses {
            while TcpStream::connect(address).await.is_err() {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Err(format!("a region ended at once: {status}"));
                }
                if now() > latest {
                    return Err(format!("a region takes no connections after {} s", STARTING.as_secs()));
                }
                pause(BETWEEN_LOOKS).await;
            }
        }
        Ok(())
    }

    fn signal(&self, signal: Signal) -> Result<(), String> {
        let id = i32::try_from(self.child.id()).map_err(|error| error.to_string())?;
        kill(Pid::from_raw(id), signal).map_err(|error| format!("{signal}: {error}"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
