//! Keys and secrets, made anew for each run: another process on this machine must not find a server with known ones.

use rand::TryRng;
use rand::rngs::SysRng;

/// Who a client is to a cluster.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) key: String,
    pub(super) secret: String,
}

impl Login {
    /// `name` is only there to be recognised in logs.
    pub(super) fn new(name: &str) -> Result<Self, String> {
        Ok(Self { key: format!("{name}-{}", hex()?), secret: format!("{}{}", hex()?, hex()?) })
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Login({})", self.key)
    }
}

/// Sixteen digits that nobody can guess. Not from the run's seed, which is printed.
pub(super) fn hex() -> Result<String, String> {
    let number = SysRng.try_next_u64().map_err(|error| format!("the system has no random numbers: {error}"))?;
    Ok(format!("{number:016x}"))
}
