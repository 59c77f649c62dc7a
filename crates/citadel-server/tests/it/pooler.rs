//! A proxy that gives each transaction another connection, as PgBouncer does with `pool_mode = transaction`, and that, like
//! its older versions, knows nothing of prepared statements.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use citadel_store::DbConfig;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Mutex, Semaphore},
};

use crate::postgres_proxy::{Line, Place};

/// Connections to the server that all clients share.
const SHARED: usize = 2;

pub(crate) struct Pooler {
    pub(crate) config: DbConfig,
    /// Statements that clients gave a name.
    pub(crate) named: Arc<AtomicUsize>,
    pub(crate) transactions: Arc<AtomicUsize>,
}

struct Shared {
    idle: Mutex<VecDeque<Box<dyn Line>>>,
    free: Semaphore,
    /// What the server says before the first statement.
    greeting: Vec<u8>,
    named: Arc<AtomicUsize>,
    transactions: Arc<AtomicUsize>,
}

impl Pooler {
    /// In front of the database of this configuration. `options` are of the address that is given out.
    pub(crate) async fn to(config: &DbConfig, pool_size: usize, options: &str) -> Self {
        let DbConfig::Postgres { url, .. } = config else { panic!("only Postgres is reached by a proxy") };
        let (place, user, database) = Place::of(url.expose());
        let (mut idle, mut greeting) = (VecDeque::new(), Vec::new());
        for _ in 0..SHARED {
            let mut line = place.connect().await.unwrap();
            greeting = begin(&mut line, &user, &database).await.unwrap();
            idle.push_back(line);
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address: SocketAddr = listener.local_addr().unwrap();
        let (named, transactions) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let shared = Arc::new(Shared {
            idle: Mutex::new(idle),
            free: Semaphore::new(SHARED),
            greeting,
            named: Arc::clone(&named),
            transactions: Arc::clone(&transactions),
        });
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                tokio::spawn(async move { drop(serve(client, &shared).await) });
            }
        });
        let url = format!("postgres://{user}@{address}/{database}{options}");
        Self { config: DbConfig::Postgres { url: url.into(), pool_size }, named, transactions }
    }
}

/// A message with its kind and its length.
async fn message(line: &mut (impl AsyncReadExt + Unpin)) -> io::Result<Vec<u8>> {
    let mut head = [0; 5];
    line.read_exact(&mut head).await?;
    let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
    let mut whole = head.to_vec();
    whole.resize(length + 1, 0);
    line.read_exact(&mut whole[5..]).await?;
    Ok(whole)
}

/// Signs in to the server; answers what it said until it was ready.
async fn begin(line: &mut Box<dyn Line>, user: &str, database: &str) -> io::Result<Vec<u8>> {
    let options = format!("user\0{user}\0database\0{database}\0client_encoding\0UTF8\0\0");
    let length = u32::try_from(8 + options.len()).unwrap();
    line.write_all(&length.to_be_bytes()).await?;
    line.write_all(&196_608_u32.to_be_bytes()).await?;
    line.write_all(options.as_bytes()).await?;
    let mut said = Vec::new();
    loop {
        let next = message(line).await?;
        let is_ready = next[0] == b'Z';
        said.extend(next);
        if is_ready {
            return Ok(said);
        }
    }
}

async fn serve(mut client: TcpStream, shared: &Shared) -> io::Result<()> {
    let length = client.read_u32().await? as usize;
    client.read_exact(&mut vec![0; length - 4]).await?;
    client.write_all(&shared.greeting).await?;
    let (mut from, mut to) = client.into_split();
    loop {
        // Whoever says something gets a connection until its transaction ends.
        let mut asked = message(&mut from).await?;
        if asked[0] == b'X' {
            return Ok(());
        }
        let _held = shared.free.acquire().await.map_err(io::Error::other)?;
        let mut server = shared.idle.lock().await.pop_front().expect("as many as there are permits");
        let mut open = 0;
        loop {
            // A name begins behind the length, and is empty if the first byte is the end.
            if asked[0] == b'P' && asked[5] != 0 {
                shared.named.fetch_add(1, Ordering::Relaxed);
            }
            open += usize::from(matches!(asked[0], b'S' | b'Q'));
            server.write_all(&asked).await?;
            let mut is_over = false;
            while open > 0 && !is_over {
                let told = message(&mut server).await?;
                to.write_all(&told).await?;
                if told[0] == b'Z' {
                    open -= 1;
                    is_over = open == 0 && told[5] == b'I';
                }
            }
            if is_over {
                break;
            }
            asked = message(&mut from).await?;
        }
        shared.transactions.fetch_add(1, Ordering::Relaxed);
        shared.idle.lock().await.push_back(server);
    }
}
