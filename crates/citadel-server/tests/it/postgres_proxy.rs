//! A line to Postgres that can be cut, stalled and refused.

use std::{io, net::SocketAddr, path::PathBuf};

use citadel_store::DbConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};
use tokio_postgres::config::Host;

/// Both ways at once.
pub(crate) trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

/// Where the Postgres of an address is.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    Socket(PathBuf),
    Port(String, u16),
}

impl Place {
    /// Of the server, and the name of the user and the database.
    pub(crate) fn of(url: &str) -> (Self, String, String) {
        let config: tokio_postgres::Config = url.parse().unwrap();
        let port = config.get_ports().first().copied().unwrap_or(5432);
        let place = match &config.get_hosts()[0] {
            Host::Unix(directory) => Self::Socket(directory.join(format!(".s.PGSQL.{port}"))),
            Host::Tcp(host) => Self::Port(host.clone(), port),
        };
        (place, config.get_user().unwrap().to_owned(), config.get_dbname().unwrap().to_owned())
    }

    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Line>> {
        Ok(match self {
            Self::Socket(path) => Box::new(UnixStream::connect(path).await?),
            Self::Port(host, port) => Box::new(TcpStream::connect((host.as_str(), *port)).await?),
        })
    }
}

/// What happens to lines. Each is numbered; what is said of a number holds for those before it.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    cut_before: u64,
    stalled_before: u64,
    is_refused: bool,
}

pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    user: String,
    database: String,
    state: watch::Sender<State>,
    next: watch::Receiver<u64>,
}

impl Proxy {
    /// In front of the database of this configuration.
    pub(crate) async fn to(config: &DbConfig) -> Self {
        let DbConfig::Postgres { url, .. } = config else { panic!("only Postgres is reached by a line") };
        let (place, user, database) = Place::of(url.expose());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = watch::Sender::new(State::default());
        let (number, next) = watch::channel(0);
        let told = state.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let own = *number.borrow();
                number.send_replace(own + 1);
                tokio::spawn(carry(client, place.clone(), own, told.clone()));
            }
        });
        Self { address, user, database, state, next }
    }

    /// The way to the database through here.
    pub(crate) fn config(&self, pool_size: usize, options: &str) -> DbConfig {
        let Self { address, user, database, .. } = self;
        DbConfig::Postgres {
            url: format!("postgres://{user}@{address}/{database}{options}").into(),
            pool_size,
        }
    }

    /// Every line breaks; new ones are good.
    pub(crate) fn cut(&self) {
        let next = *self.next.borrow();
        self.state.send_modify(|state| state.cut_before = next);
    }

    /// Nothing passes on the lines that there are, and nobody is told; new ones are good.
    pub(crate) fn stall(&self) {
        let next = *self.next.borrow();
        self.state.send_modify(|state| state.stalled_before = next);
    }

    /// Nothing passes, on new lines neither, which are accepted all the same.
    pub(crate) fn hang(&self) {
        self.state.send_modify(|state| state.stalled_before = u64::MAX);
    }

    /// Every line breaks, and there are no new ones.
    pub(crate) fn refuse(&self) {
        self.state.send_modify(|state| (state.cut_before, state.is_refused) = (u64::MAX, true));
    }

    /// New lines are good. Those of before stay as they are.
    pub(crate) fn heal(&self) {
        let next = *self.next.borrow();
        self.state.send_modify(|state| {
            let limit = |before: u64| before.min(next);
            *state = State {
                cut_before: limit(state.cut_before),
                stalled_before: limit(state.stalled_before),
                is_refused: false,
            };
        });
    }
}

async fn carry(mut client: TcpStream, place: Place, own: u64, mut told: watch::Receiver<State>) {
    if told.borrow().is_refused {
        return;
    }
    let Ok(mut server) = place.connect().await else { return };
    loop {
        let State { cut_before, stalled_before, .. } = *told.borrow_and_update();
        if own < cut_before {
            return;
        }
        if own < stalled_before {
            if told.changed().await.is_err() {
                return;
            }
            continue;
        }
        // What was read and not yet written when this is dropped is lost, as on a line.
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            changed = told.changed() => if changed.is_err() { return },
        }
    }
}
