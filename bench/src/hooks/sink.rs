//! Where webhooks arrive: a thread that answers each POST with 200 over connections that stay open, and notes when it came.
//! A delivery without its signatures, or with a body that is none, voids the run.

use std::{
    net::{Ipv4Addr, SocketAddr},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{oneshot, watch},
    task::LocalSet,
};

use crate::{load, read::Request};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
/// Nothing is under way when nothing came for so long.
const QUIET: Duration = Duration::from_millis(300);

pub(super) struct Sink {
    pub(super) address: SocketAddr,
    seen: watch::Sender<Seen>,
    /// The thread ends when this goes.
    _end: oneshot::Sender<()>,
}

/// What has arrived.
#[derive(Clone, Default)]
pub(super) struct Seen {
    count: u64,
    /// Since [`Sink::begin`].
    pub(super) first: Option<Instant>,
    pub(super) last: Option<Instant>,
    delivery: Option<Request>,
    wrong: Option<String>,
}

impl Sink {
    pub(super) fn start() -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (seen, _) = watch::channel(Seen::default());
        let (end, ended) = oneshot::channel::<()>();
        let (runtime, noted) = (Builder::new_current_thread().enable_all().build()?, seen.clone());
        thread::spawn(move || {
            LocalSet::new().block_on(&runtime, async {
                tokio::select! {
                    _ = ended => {}
                    Err(error) = accept(listener, &noted) => void(&noted, &error),
                }
            });
        });
        Ok(Self { address, seen, _end: end })
    }

    pub(super) fn count(&self) -> u64 {
        self.seen.borrow().count
    }

    /// From here on arrivals have a first one. Answers how many came before.
    pub(super) fn begin(&self) -> u64 {
        self.seen.send_modify(|seen| (seen.first, seen.last) = (None, None));
        self.count()
    }

    /// Waits until so many have come.
    pub(super) async fn wait(&self, count: u64, patience: Duration) -> anyhow::Result<Seen> {
        let mut seen = self.seen.subscribe();
        let enough = seen.wait_for(|seen| seen.count >= count || seen.wrong.is_some());
        let Ok(seen) = tokio::time::timeout(patience, enough).await else {
            bail!("{} of {count} deliveries came within {} s", self.count(), patience.as_secs());
        };
        let seen = seen?.clone();
        match seen.wrong {
            Some(what) => bail!("a wrong delivery: {what}"),
            None => Ok(seen),
        }
    }

    /// Waits until nothing is under way.
    pub(super) fn rest(&self) -> anyhow::Result<()> {
        load::block_on_for(Duration::from_secs(600), async {
            let mut before = None;
            while before != Some(self.count()) {
                before = Some(self.count());
                tokio::time::sleep(QUIET).await;
            }
            self.wait(0, QUIET).await.map(drop)
        })
    }

    /// The request that came last, to be sent again.
    pub(super) fn last_delivery(&self) -> Option<Request> {
        self.seen.borrow().delivery.clone()
    }
}

fn void(seen: &watch::Sender<Seen>, error: &anyhow::Error) {
    seen.send_modify(|seen| seen.wrong = Some(format!("{error:#}")));
}

async fn accept(listener: std::net::TcpListener, seen: &watch::Sender<Seen>) -> anyhow::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let seen = seen.clone();
        tokio::task::spawn_local(async move {
            if let Err(error) = take(stream, &seen).await {
                void(&seen, &error);
            }
        });
    }
}

/// Takes what comes over one connection, until the other side closes it.
async fn take(mut stream: TcpStream, seen: &watch::Sender<Seen>) -> anyhow::Result<()> {
    let mut buffer = Vec::with_capacity(8 << 10);
    loop {
        buffer.clear();
        let head = loop {
            if let Some(at) = memchr::memmem::find(&buffer, b"\r\n\r\n") {
                break at + 4;
            }
            // A connection may be closed between two requests, and is when the server stops.
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) => return Ok(()),
                Ok(_) => {}
            }
        };
        let length = length(std::str::from_utf8(&buffer[..head])?)?;
        while buffer.len() < head + length {
            ensure!(stream.read_buf(&mut buffer).await? > 0, "a body that is cut off");
        }
        let at = Instant::now();
        let body = std::str::from_utf8(&buffer[head..])?;
        ensure!(body.len() == length, "{} bytes in place of {length}", body.len());
        ensure!(body.starts_with(r#"{"webhook_id":""#) && body.ends_with('}'), "not an event: {body}");
        seen.send_modify(|seen| {
            seen.count += 1;
            seen.first.get_or_insert(at);
            seen.last = Some(at);
            seen.delivery.get_or_insert_with(|| request(&buffer[..head], body));
        });
        stream.write_all(ANSWER).await?;
    }
}

/// The length of the body, from a head that has both signatures.
fn length(head: &str) -> anyhow::Result<usize> {
    let value = |wanted: &str| {
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    ensure!(head.starts_with("POST /"), "not a POST: {head}");
    for (name, scheme) in [("webhook-signature", "v1,"), ("x-webhook-sign", "v1=")] {
        ensure!(value(name).is_some_and(|value| value.starts_with(scheme)), "no {name}: {head}");
    }
    value("content-length").context("no length")?.parse().context("a length that is none")
}

/// The same request for our loader, which writes some of its headers by itself.
fn request(head: &[u8], body: &str) -> Request {
    let own = ["host", "content-type", "content-length"];
    let head = String::from_utf8_lossy(head);
    let headers = head
        .split("\r\n")
        .skip(1)
        .filter(|line| {
            line.split_once(':').is_some_and(|(name, _)| !own.contains(&&*name.to_ascii_lowercase()))
        })
        .map(|line| format!("{line}\r\n"))
        .collect();
    let path = "/raw".to_owned();
    Request { method: "POST", path, headers, body: body.to_owned(), length: Some(0) }
}
