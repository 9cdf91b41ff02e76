//! Access keys and secrets. Random for each run, so that no other process on this machine can use
//! the servers.

use rand::TryRng;
use rand::rngs::SysRng;

/// Credentials of one user of a cluster.
#[derive(Clone)]
pub(super) struct Credentials {
    pub(super) key: String,
    pub(super) secret: String,
}

impl Credentials {
    /// `name` is a prefix, for logs.
    pub(super) fn new(name: &str) -> Result<Self, String> {
        Ok(Self {
            key: format!("{name}-{}", hex()?),
            secret: format!("{}{}", hex()?, hex()?),
        })
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Credentials({})", self.key)
    }
}

/// Sixteen random hexadecimal digits. Not derived from the seed of the run, which is printed.
pub(super) fn hex() -> Result<String, String> {
    let number = SysRng
        .try_next_u64()
        .map_err(|error| format!("the system has no random numbers: {error}"))?;
    Ok(format!("{number:016x}"))
}
