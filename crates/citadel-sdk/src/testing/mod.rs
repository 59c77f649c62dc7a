//! A server of its own for each test, with nothing to set up and nothing left behind.
//!
//! ```no_run
//! use citadel_sdk::{CreateBridgeToken, testing::Sandbox};
//!
//! # async fn test() -> Result<(), Box<dyn std::error::Error>> {
//! let sandbox = Sandbox::start().await?;
//! let bridge = sandbox.citadel().create_bridge_token(&CreateBridgeToken::new("income")).await?;
//! assert_eq!(bridge.product_type, "income");
//! # Ok(())
//! # }
//! ```
//!
//! The server is the `citadel` program, started as `citadel serve --ephemeral`: an empty store in a temporary directory,
//! free ports of this machine, one client with a sandbox key. Any number of them run beside each other. It ends when the
//! [`Sandbox`] is dropped, and by itself when the test's process dies.
//!
//! The program is the one that [`SandboxBuilder::program`] names, else the one that the variable `CITADEL_BIN` names, else
//! `citadel` on the `PATH`, else `citadel` in the directory of the running test or the one above, which is where cargo puts it
//! in a workspace that builds it.

mod error;
mod process;
mod program;

use std::{fmt, path::PathBuf, time::Duration};

pub use self::error::Error;
use self::process::Process;
use crate::{Citadel, Redacted};

/// A start takes a fraction of a second; a busy machine may need more.
const START: Duration = Duration::from_secs(30);

/// A running server and a client of it. Dropping it stops the server, which blocks the thread for a few milliseconds.
pub struct Sandbox {
    citadel: Citadel,
    api_url: String,
    bridge_url: String,
    client_id: String,
    secret: Redacted,
    process: Process,
}

impl Sandbox {
    /// Starts a server as [`Sandbox::builder`] has it, with nothing chosen.
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// Begins a server with a seed, a time or a program of one's own.
    pub fn builder() -> SandboxBuilder {
        SandboxBuilder::default()
    }

    /// A client with the key of this server.
    pub fn citadel(&self) -> &Citadel {
        &self.citadel
    }

    /// The base of every call, such as `http://127.0.0.1:40123/v1/`.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// The script that a page loads to show the widget, such as `http://127.0.0.1:40123/bridge.js`.
    pub fn bridge_url(&self) -> &str {
        &self.bridge_url
    }

    /// What goes into the header `X-Access-Client-Id`: 32 hexadecimal digits.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// What goes into the header `X-Access-Secret`. It begins with `sandbox-`.
    pub fn secret(&self) -> &Redacted {
        &self.secret
    }

    /// The process of the server, for a look from outside.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("api_url", &self.api_url)
            .field("client_id", &self.client_id)
            .field("secret", &self.secret)
            .field("process_id", &self.process_id())
            .finish_non_exhaustive()
    }
}

/// What a [`Sandbox`] shall be.
#[derive(Clone, Debug, Default)]
pub struct SandboxBuilder {
    program: Option<PathBuf>,
    variables: Vec<(&'static str, String)>,
}

impl SandboxBuilder {
    /// The same seed, time and calls give the same people, amounts and ids.
    pub fn seed(self, seed: impl Into<String>) -> Self {
        self.variable("CITADEL_SANDBOX_SEED", seed.into())
    }

    /// Where the sandbox's clock begins, such as `2030-01-01T00:00:00Z`.
    pub fn now(self, now: impl Into<String>) -> Self {
        self.variable("CITADEL_SANDBOX_NOW", now.into())
    }

    /// The `citadel` program to start.
    pub fn program(self, program: impl Into<PathBuf>) -> Self {
        Self { program: Some(program.into()), ..self }
    }

    fn variable(mut self, name: &'static str, value: String) -> Self {
        self.variables.push((name, value));
        self
    }

    /// Starts the server and waits until it takes requests, at most 30 seconds.
    ///
    /// Everything of the surrounding environment reaches the server but its addresses, `CITADEL_DATABASE_URL` and the
    /// certificate, which would be those of another server.
    ///
    /// # Errors
    ///
    /// See [`Error`]; each says what to do.
    pub async fn start(self) -> Result<Sandbox, Error> {
        let program = program::find(self.program)?;
        let mut process = Process::start(&program, &self.variables)?;
        let mut lines = match tokio::time::timeout(START, process.ready()).await {
            Ok(Some(lines)) => lines,
            Ok(None) => return Err(process.ended_early(program)),
            Err(_) => return Err(Error::Silent { program, after: START, log: process.log() }),
        };
        let mut value = |name: &'static str| {
            lines.remove(name).ok_or_else(|| Error::Missing { program: program.clone(), name })
        };
        let (api_url, bridge_url) = (value("API_URL")?, value("BRIDGE_URL")?);
        let (client_id, secret) = (value("API_CLIENT_ID")?, Redacted::from(value("API_SECRET")?));
        let citadel =
            Citadel::builder(&api_url, &client_id, &secret).direct().build().map_err(Error::Client)?;
        Ok(Sandbox { citadel, api_url, bridge_url, client_id, secret, process })
    }
}
