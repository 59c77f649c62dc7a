//! P45: connections that are slow in six ways, from other addresses of this machine, and requests that are answered all the while.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::watch,
    time::{Instant, interval, sleep, timeout},
};

use crate::{child::ServerChild, kills::client};

/// How a connection is slow.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// It says nothing.
    Silent,
    /// Its head comes a byte a second.
    SlowHead,
    /// Its body comes a byte a second.
    SlowBody,
    /// Its body does not come.
    NoBody,
    /// It does not take its answer.
    NotReading,
    /// It was answered, and stays.
    Idle,
}

const KINDS: [Kind; 6] =
    [Kind::Silent, Kind::SlowHead, Kind::SlowBody, Kind::NoBody, Kind::NotReading, Kind::Idle];

/// Of each address: under the limit of one, so that it is not this that keeps them out.
const OF_ONE_ADDRESS: usize = 250;

/// What the slow ones have come to.
#[derive(Default)]
struct Slow {
    open: AtomicUsize,
    /// Connections that the server ended, by kind.
    ended: [AtomicUsize; KINDS.len()],
}

/// Where, and with which key.
struct Server {
    address: SocketAddr,
    headers: [(&'static str, String); 2],
}

impl Kind {
    /// What it sends first.
    fn begins_with(self, server: &Server) -> String {
        let key: String = server.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        match self {
            Self::Silent => String::new(),
            Self::SlowHead => "GET /v1/providers/ HTTP/1.1\r\nHost: a\r\nX-Slow: ".to_owned(),
            Self::SlowBody | Self::NoBody => {
                format!("POST /v1/users/ HTTP/1.1\r\nHost: a\r\n{key}Content-Length: 5000\r\n\r\n")
            }
            Self::NotReading => "GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            Self::Idle => format!("GET /v1/providers/adp/ HTTP/1.1\r\nHost: a\r\n{key}\r\n"),
        }
    }

    /// One connection, until the server ends it.
    async fn hold(self, stream: &mut TcpStream, server: &Server) -> io::Result<()> {
        stream.write_all(self.begins_with(server).as_bytes()).await?;
        let (mut second, mut answer) = (interval(Duration::from_secs(1)), vec![0; 4096]);
        second.tick().await;
        let trickles = matches!(self, Self::SlowHead | Self::SlowBody | Self::NotReading);
        let reads = !matches!(self, Self::NotReading);
        loop {
            tokio::select! {
                read = stream.read(&mut answer), if reads => {
                    if read? == 0 {
                        return Ok(());
                    }
                }
                // Whoever does not read learns only so that the other end has gone.
                _ = second.tick(), if trickles => stream.write_all(b"x").await?,
            }
        }
    }
}

async fn connect(from: Ipv4Addr, kind: Kind, to: SocketAddr) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if matches!(kind, Kind::NotReading) {
        socket.set_recv_buffer_size(4096)?;
    }
    socket.bind(SocketAddr::new(IpAddr::V4(from), 0))?;
    socket.connect(to).await
}

/// One slow client, which comes again whenever it is turned away.
async fn be_slow(number: usize, server: Arc<Server>, slow: Arc<Slow>, mut stop: watch::Receiver<bool>) {
    let host = u8::try_from(1 + number / OF_ONE_ADDRESS).expect("fewer addresses than that");
    let (from, place) = (Ipv4Addr::new(127, 0, 1, host), number % KINDS.len());
    let kind = KINDS[place];
    // Not all in one instant: the kernel's own queue is short.
    sleep(Duration::from_millis(number as u64)).await;
    let again = async {
        loop {
            if let Ok(mut stream) = connect(from, kind, server.address).await {
                slow.open.fetch_add(1, Ordering::Relaxed);
                let _ = kind.hold(&mut stream, &server).await;
                slow.open.fetch_sub(1, Ordering::Relaxed);
                slow.ended[place].fetch_add(1, Ordering::Relaxed);
            }
            sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = again => {}
        _ = stop.wait_for(|stop| *stop) => {}
    }
}

struct Plan {
    name: &'static str,
    connections: usize,
    lasts: Duration,
    /// Every kind must have been ended by the server in this time.
    ends_all: bool,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p45_requests_are_answered_beside_slow_connections() {
    // As many as one address of everybody's would not be given.
    let plan = Plan { name: "slow-small", connections: 600, lasts: Duration::from_secs(2), ends_all: false };
    run(plan).await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    /// Above this, the 99th of 100 requests is too slow.
    const P99: Duration = Duration::from_millis(250);

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn p45_requests_are_answered_beside_five_thousand_slow_connections() {
        let connections = soak::count("CITADEL_SOAK_P45_CONNECTIONS", 5000);
        let seconds = soak::count("CITADEL_SOAK_P45_SECONDS", 180) as u64;
        let finding = soak::begin(
            "P45",
            format!("{connections} slow connections of 6 kinds for {seconds} s, 50 requests a second"),
            format!("0 failed, p99 under {P99:?}"),
        );
        // A body has five seconds, a head ten, an answer thirty.
        let plan = Plan {
            name: "slow-full",
            connections,
            lasts: Duration::from_secs(seconds),
            ends_all: seconds > 60,
        };
        let (figure, p99) = run(plan).await;
        finding.end(figure, p99 <= P99);
    }
}

/// Stops at a request that fails. Answers the figures, and the 99th of 100 times.
async fn run(plan: Plan) -> (String, Duration) {
    let mut child = ServerChild::program(plan.name);
    let (client_id, secret) = client(&child).await;
    let address = child.start().await;
    let headers = [("X-Access-Client-Id", client_id.to_string()), ("X-Access-Secret", secret)];
    let server = Arc::new(Server { address, headers });
    let slow = Arc::new(Slow::default());
    let (stop, is_over) = watch::channel(false);
    let crowd: Vec<_> = (0..plan.connections)
        .map(|number| tokio::spawn(be_slow(number, Arc::clone(&server), Arc::clone(&slow), is_over.clone())))
        .collect();
    let open = || slow.open.load(Ordering::Relaxed);
    // Some are between two tries at any time.
    let most_are_there = async {
        while open() < plan.connections * 9 / 10 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), most_are_there).await.expect("the slow ones come in");

    // Each on a connection of its own, so that it has to be let in too.
    let http = reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap();
    let (mut times, mut fewest) = (Vec::new(), usize::MAX);
    let (begun, mut beat) = (Instant::now(), interval(Duration::from_millis(20)));
    while begun.elapsed() < plan.lasts {
        beat.tick().await;
        let request = http.get(format!("http://{address}/v1/providers/adp/"));
        let request =
            server.headers.iter().fold(request, |request, (name, value)| request.header(*name, value));
        let asked = Instant::now();
        let status = request.send().await.map(|answer| answer.status().as_u16());
        assert!(matches!(status, Ok(200)), "{status:?} with {} slow connections", open());
        times.push(asked.elapsed());
        fewest = fewest.min(open());
    }
    stop.send_replace(true);
    for one in crowd {
        one.await.unwrap();
    }
    let ended = slow.ended.each_ref().map(|count| count.load(Ordering::Relaxed));
    assert!(
        !plan.ends_all || ended.iter().all(|count| *count > 0),
        "each kind is ended: {KINDS:?} {ended:?}"
    );
    times.sort();
    let (p99, slowest) = (times[(times.len() * 99 / 100).min(times.len() - 1)], times[times.len() - 1]);
    let figure = format!(
        "{} answered, 0 failed, p99 {} ms, slowest {} ms, {fewest} slow ones there at least, {} ended",
        times.len(),
        p99.as_millis(),
        slowest.as_millis(),
        ended.iter().sum::<usize>()
    );
    (figure, p99)
}
