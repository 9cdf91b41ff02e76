//! The regions as processes, which are started, killed, stopped and restarted.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use failover_drill::clients::process::reserve_port;
use failover_drill::clients::{Access, Upstream};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use socket2::Socket;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// Three replicas of one bucket.
pub struct Regions {
    ports: Vec<Port>,
    servers: Vec<Server>,
}

/// A reserved port.
struct Port {
    address: SocketAddr,
    _socket: Socket,
}

/// A process that serves some of the regions. Dropping it kills the process.
struct Server {
    child: Child,
    addresses: Vec<SocketAddr>,
}

const COUNT: usize = 3;
const STARTING: Duration = Duration::from_secs(10);
const POLL_INTERVAL: Duration = Duration::from_millis(5);

impl Regions {
    /// All regions in one process on one thread, so that clients of three regions get no more
    /// server capacity than clients of one.
    pub async fn together() -> Result<Self, String> {
        Self::start(COUNT).await
    }

    /// One process per region, which can be killed and stopped.
    ///
    /// The kernel kills them with the thread that started them, so call this on the main thread and
    /// not in a task.
    pub async fn apart() -> Result<Self, String> {
        Self::start(1).await
    }

    async fn start(per_process: usize) -> Result<Self, String> {
        let ports = (0..COUNT)
            .map(|_| Port::new())
            .collect::<Result<Vec<_>, _>>()?;
        let addresses: Vec<_> = ports.iter().map(|port| port.address).collect();
        let mut servers = Vec::new();
        for chunk in addresses.chunks(per_process) {
            servers.push(Server::start(chunk).await?);
        }
        Ok(Self { ports, servers })
    }

    /// Addresses and key for clients.
    pub fn shared(&self) -> (Vec<Upstream>, Access) {
        let upstream = |(index, port): (usize, &Port)| Upstream {
            name: format!("region-{index}"),
            address: port.address,
        };
        let upstreams = self.ports.iter().enumerate().map(upstream).collect();
        let text = str::to_owned;
        (
            upstreams,
            Access {
                bucket: text("bucket"),
                key: text("KEY"),
                secret: text("SECRET"),
                region: text("us-east-1"),
            },
        )
    }

    /// SIGKILL: the kernel closes the listener and all connections, and refuses new ones.
    pub fn kill(&mut self, region: usize) -> Result<(), String> {
        let server = &mut self.servers[region];
        server
            .child
            .kill()
            .and_then(|()| server.child.wait())
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// SIGSTOP: the kernel accepts connections and requests, without a response.
    pub fn hang(&self, region: usize) -> Result<(), String> {
        self.servers[region].signal(Signal::SIGSTOP)
    }

    /// SIGCONT: waiting requests are served.
    pub fn unfreeze(&self, region: usize) -> Result<(), String> {
        self.servers[region].signal(Signal::SIGCONT)
    }

    /// Restarts a killed region on its port.
    pub async fn restart(&mut self, region: usize) -> Result<(), String> {
        let addresses = self.servers[region].addresses.clone();
        self.servers[region] = Server::start(&addresses).await?;
        Ok(())
    }
}

impl Port {
    fn new() -> Result<Self, String> {
        let (socket, address) =
            reserve_port().map_err(|error| format!("no port for a region: {error}"))?;
        Ok(Self {
            address,
            _socket: socket,
        })
    }
}

impl Server {
    async fn start(addresses: &[SocketAddr]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new(program);
        addresses
            .iter()
            .for_each(|address| _ = command.arg("--region").arg(address.to_string()));
        command
            .arg("--parent")
            .arg(std::process::id().to_string())
            .stdin(Stdio::null());
        // Another process group: Ctrl-C reaches only this process.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command
            .spawn()
            .map_err(|error| format!("cannot start a region: {error}"))?;
        let mut server = Self {
            child,
            addresses: addresses.to_vec(),
        };
        server.ready().await?;
        Ok(server)
    }

    async fn ready(&mut self) -> Result<(), String> {
        let latest = Instant::now() + STARTING;
        for address in &self.addresses {
            while TcpStream::connect(address).await.is_err() {
                if let Ok(Some(status)) = self.child.try_wait() {
                    return Err(format!("a region ended immediately: {status}"));
                }
                if Instant::now() > latest {
                    return Err(format!(
                        "a region accepts no connections after {} s",
                        STARTING.as_secs()
                    ));
                }
                sleep(POLL_INTERVAL).await;
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
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
