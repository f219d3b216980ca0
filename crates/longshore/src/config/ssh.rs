use std::path::PathBuf;

/// How the system's `ssh` is run to reach an engine.
///
/// Nothing of it need be set: `ssh` itself finds the user's configuration, agent and known hosts.
///
/// ```
/// use longshore::config::Ssh;
/// use longshore::{ConnectOptions, Docker};
///
/// let ssh = Ssh::default().identity_file("/run/secrets/deploy_key");
/// let options = ConnectOptions::default().host("ssh://deploy@example.com").ssh(ssh);
/// # let _ = options;
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Ssh {
    /// The program; `ssh`, found on `PATH`, unless set.
    pub program: Option<PathBuf>,
    /// The configuration that is read instead of the user's and the system's.
    pub config_file: Option<PathBuf>,
    /// The private key to log in with; those of the configuration and the agent may be tried too.
    pub identity_file: Option<PathBuf>,
}

impl Ssh {
    /// Runs this program.
    #[must_use]
    pub fn program(mut self, path: impl Into<PathBuf>) -> Self {
        self.program = Some(path.into());
        self
    }

    /// Reads this configuration instead of the user's and the system's, as `ssh -F` does.
    #[must_use]
    pub fn config_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.config_file = Some(path.into());
        self
    }

    /// Logs in with this private key, as `ssh -i` does.
    #[must_use]
    pub fn identity_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.identity_file = Some(path.into());
        self
    }
}
