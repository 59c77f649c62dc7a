//! The loader's side of HTTP/1.1: one request, one answer, over a connection that stays open. Small, so that little of the
//! machine goes to the loader.

use std::{io::Write, net::SocketAddr};

use anyhow::{Context, bail};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// An open connection with the answer that came last.
pub(crate) struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    buffer: Vec<u8>,
    body: std::ops::Range<usize>,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("cannot reach {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, request: Vec::new(), buffer: vec![0; 64 << 10], body: 0..0 })
    }

    /// Sends a request and reads the whole answer. `headers` are lines that end in CR LF.
    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> anyhow::Result<u16> {
        self.request.clear();
        write!(self.request, "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}")?;
        if method != "GET" {
            write!(self.request, "Content-Type: application/json\r\nContent-Length: {}\r\n", body.len())?;
        }
        self.request.extend_from_slice(b"\r\n");
        self.request.extend_from_slice(body);
        self.stream.write_all(&self.request).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> anyhow::Result<u16> {
        let mut filled = 0;
        let head = loop {
            if let Some(at) = memchr::memmem::find(&self.buffer[..filled], b"\r\n\r\n") {
                break at + 4;
            }
            filled += self.read_more(filled).await?;
        };
        let text = std::str::from_utf8(&self.buffer[..head]).context("an answer without readable headers")?;
        let status: u16 =
            text.get(9..12).unwrap_or_default().parse().context("an answer without a status")?;
        let length = text
            .split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let Some((_, length)) = length else { return self.pieces(head, filled).await.map(|()| status) };
        let end = head + length.trim().parse::<usize>().context("an answer without a readable length")?;
        while filled < end {
            filled += self.read_more(filled).await?;
        }
        if filled > end {
            bail!("more than one answer to one request");
        }
        self.body = head..end;
        Ok(status)
    }

    /// Reads a body that comes in pieces (`Transfer-Encoding: chunked`), and moves them together behind the head.
    async fn pieces(&mut self, head: usize, mut filled: usize) -> anyhow::Result<()> {
        if memchr::memmem::find(&self.buffer[..head].to_ascii_lowercase(), b"transfer-encoding: chunked")
            .is_none()
        {
            bail!("an answer without a length");
        }
        let (mut from, mut end) = (head, head);
        loop {
            let line = loop {
                if let Some(at) = memchr::memmem::find(&self.buffer[from..filled], b"\r\n") {
                    break from + at;
                }
                filled += self.read_more(filled).await?;
            };
            let size = std::str::from_utf8(&self.buffer[from..line]).context("a piece without a size")?;
            let size = usize::from_str_radix(size.trim(), 16).context("a piece without a size")?;
            from = line + 2;
            while filled < from + size + 2 {
                filled += self.read_more(filled).await?;
            }
            self.buffer.copy_within(from..from + size, end);
            from += size + 2;
            end += size;
            if size == 0 {
                break;
            }
        }
        if filled > from {
            bail!("more than one answer to one request");
        }
        self.body = head..end;
        Ok(())
    }

    /// Does the other side close the connection after the last answer?
    pub(crate) fn is_last(&self) -> bool {
        let head = self.head().to_ascii_lowercase();
        memchr::memmem::find(&head, b"\r\nconnection: close\r\n").is_some()
    }

    async fn read_more(&mut self, filled: usize) -> anyhow::Result<usize> {
        if filled == self.buffer.len() {
            self.buffer.resize(filled * 2, 0);
        }
        match self.stream.read(&mut self.buffer[filled..]).await? {
            0 => bail!("the connection was closed before the answer was whole"),
            count => Ok(count),
        }
    }

    /// The body of the last answer.
    pub(crate) fn body(&self) -> &[u8] {
        &self.buffer[self.body.clone()]
    }

    /// The last answer from its first byte on: status line and headers.
    pub(crate) fn head(&self) -> &[u8] {
        &self.buffer[..self.body.start]
    }

    /// As [`Connection::send`]; any other status than `expected` voids the run.
    pub(crate) async fn expect(
        &mut self,
        expected: u16,
        method: &str,
        path: &str,
        headers: &str,
        body: &[u8],
    ) -> anyhow::Result<()> {
        let status = self.send(method, path, headers, body).await?;
        if status != expected {
            bail!(
                "{method} {path} was answered with {status} in place of {expected}: {}",
                String::from_utf8_lossy(&self.body()[..self.body().len().min(300)])
            );
        }
        Ok(())
    }

    /// The text of a member of the last answer. The answer is ours, so a search is enough: no parser is measured.
    pub(crate) fn text(&self, member: &str) -> anyhow::Result<&str> {
        let body = self.body();
        let quoted = format!("\"{member}\":\"");
        let start = memchr::memmem::find(body, quoted.as_bytes())
            .with_context(|| format!("an answer without {member}"))?
            + quoted.len();
        let length = memchr::memchr(b'"', &body[start..]).context("an answer that is cut off")?;
        Ok(std::str::from_utf8(&body[start..start + length])?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_in_pieces_is_put_together() {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let mut connection =
            Connection::open(listener.local_addr().expect("an address")).await.expect("a connection");
        let (mut peer, _) = listener.accept().await.expect("a connection");
        let answer = "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nB\r\n, two words\r\n0\r\n\r\n";
        peer.write_all(answer.as_bytes()).await.expect("an answer");
        connection.expect(200, "GET", "/", "", b"").await.expect("an answer");
        assert_eq!(connection.body(), b"hello, two words");
        assert!(connection.is_last());
    }
}
