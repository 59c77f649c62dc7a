//! Administration of a running server: one JSON line in, one JSON line out, over a Unix socket in the data directory
//! that only the server's own user can open.
//!
//! The embedded store belongs to one process; this is how `citadel client create` works while that process runs.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{UnixListener, UnixStream},
    sync::watch,
    time::timeout,
};

use super::{Admin, Answer, Refusal, Request};

/// The longest line that is read.
const MAX_LINE: u64 = 1 << 20;
/// How long one side waits for the other.
const PATIENCE: Duration = Duration::from_secs(10);

/// What comes back.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Done(Answer),
    Refused(String),
}

/// The listening socket. Its file goes when this is dropped.
pub struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl AdminSocket {
    /// Binds the socket. The caller holds the data directory's lock, so a file that lies there is left over from a
    /// server that was killed.
    pub fn bind(path: PathBuf) -> io::Result<Self> {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// Answers until told to stop.
    pub async fn serve(self, admin: Arc<Admin>, mut stop: watch::Receiver<bool>) {
        loop {
            let stream = tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, _)) = stream else {
                // Out of file descriptors, most likely: give the process time to close some.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let admin = Arc::clone(&admin);
            tokio::spawn(async move {
                if let Ok(Err(error)) = timeout(PATIENCE, answer(stream, &admin)).await {
                    tracing::warn!(error.cause = %error, "an administrative request was cut off");
                }
            });
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

async fn answer(stream: UnixStream, admin: &Admin) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut line = String::new();
    BufReader::new(read).take(MAX_LINE).read_line(&mut line).await?;
    let reply = match serde_json::from_str::<Request>(&line) {
        Ok(request) => match admin.perform(request).await {
            Ok(answer) => Reply::Done(answer),
            Err(Refusal::Told(text)) => Reply::Refused(text),
            Err(refusal) => {
                tracing::error!(error.cause = %refusal, "an administrative request failed");
                Reply::Refused("the database failed; the server's log has the cause".to_owned())
            }
        },
        Err(_) => {
            Reply::Refused("the running server does not know this request; is it another release?".to_owned())
        }
    };
    let mut line = serde_json::to_vec(&reply)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    write.shutdown().await
}

/// Why a running server did not answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// No server listens there.
    #[error("no server is running")]
    NotRunning,
    /// It said no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It broke off.
    #[error("the running server broke off: {0}")]
    Broken(#[from] io::Error),
}

/// Asks the server that listens on this socket.
pub async fn call(path: &Path, request: &Request) -> Result<Answer, CallError> {
    let stream = match UnixStream::connect(path).await {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            return Err(CallError::NotRunning);
        }
        Err(error) => return Err(error.into()),
    };
    let reply = timeout(PATIENCE, exchange(stream, request)).await.map_err(io::Error::from)??;
    match reply {
        Reply::Done(answer) => Ok(answer),
        Reply::Refused(text) => Err(Refusal::Told(text).into()),
    }
}

async fn exchange(stream: UnixStream, request: &Request) -> io::Result<Reply> {
    let (read, mut write) = stream.into_split();
    let mut line = serde_json::to_vec(request)?;
    line.push(b'\n');
    write.write_all(&line).await?;
    let mut line = String::new();
    BufReader::new(read).take(MAX_LINE).read_line(&mut line).await?;
    Ok(serde_json::from_str(&line)?)
}
