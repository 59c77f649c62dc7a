//! TLS on the public listener, with a real client.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use reqwest::{Certificate, Client, tls::TlsInfo};

use crate::{
    dev_cert::serve,
    ephemeral::Ephemeral,
    harness::{Home, finish, free_address, get},
};

/// A client that trusts the authority of this place and nobody else, and finds every host at this address.
pub(crate) fn trusting(home: &Home, server: SocketAddr) -> Client {
    let authority = fs::read(home.path("data/dev-cert/ca.pem")).unwrap();
    let mut builder = Client::builder()
        .no_proxy()
        .tls_info(true)
        .tls_certs_only([Certificate::from_pem(&authority).unwrap()]);
    for host in [
        "localhost",
        "prod.citadelid.com",
        "cdn.citadelid.com",
        "prod.truv.com",
        "cdn.truv.com",
        "example.com",
    ] {
        builder = builder.resolve(host, server);
    }
    builder.build().unwrap()
}

/// The certificate that a call was answered with.
async fn shown(client: &Client, server: SocketAddr) -> Vec<u8> {
    let answer = client.get(format!("https://{server}/bridge.js")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let info: &TlsInfo = answer.extensions().get().unwrap();
    let certificate = info.peer_certificate().unwrap().to_vec();
    // To the end, so that the connection can be used again.
    answer.bytes().await.unwrap();
    certificate
}

#[tokio::test]
async fn p49_production_tells_browsers_to_stay_with_tls() {
    let home = Home::new();
    home.run(&["dev-cert"]).succeeded();
    let key = home.write_private("root.key", &"5a".repeat(32)).display().to_string();
    let production = [("CITADEL_PROFILE", "production"), ("CITADEL_ROOT_KEY_FILE", key.as_str())];
    for (settings, expected) in
        [(&production[..], Some("max-age=31536000; includeSubDomains")), (&[][..], None)]
    {
        let server = serve(&home, settings);
        let client = trusting(&home, server.api);
        for path in ["bridge.js", "v1/nothing/"] {
            let answer = client.get(format!("https://localhost:{}/{path}", server.api.port())).send().await;
            let headers = answer.unwrap().headers().clone();
            let told = headers.get("strict-transport-security").map(|value| value.to_str().unwrap());
            assert_eq!(told, expected, "{path}");
        }
        drop(server);
        // The other profile has a key of its own.
        fs::remove_file(home.path("data/citadel.db")).unwrap();
    }
}

#[test]
fn a_bad_certificate_stops_the_start_and_nothing_is_written() {
    let home = Home::new();
    home.run(&["dev-cert", "--dir", "one"]).succeeded();
    home.run(&["dev-cert", "--dir", "two"]).succeeded();
    let check = |cert: &str, key: &str, texts: &[&str]| {
        for verb in [&["serve"][..], &["config", "check"]] {
            let mut command = home.command(verb);
            finish(command.env("CITADEL_TLS_CERT", cert).env("CITADEL_TLS_KEY", key)).failed_with(texts);
        }
        assert!(!home.path("data").exists());
    };
    check("one/cert.pem", "two/key.pem", &["CITADEL_TLS_KEY", "is not the key of the certificate", "fix: "]);
    check("nowhere.pem", "two/key.pem", &["CITADEL_TLS_CERT", "nowhere.pem", "cannot be read"]);
    check("one/cert.pem", "", &["CITADEL_TLS_KEY", "is not set, but CITADEL_TLS_CERT is"]);
    // Verbs that show no certificate do not look at it.
    let mut command = home.command(&["client", "list"]);
    let unreadable = command.env("CITADEL_TLS_CERT", "nowhere.pem").env("CITADEL_TLS_KEY", "nowhere.pem");
    finish(unreadable).succeeded();
}

/// A hello of this version, which is answered if the version is.
fn hello(minor: u8) -> Vec<u8> {
    let mut hello = vec![3, minor];
    hello.extend([7; 32]);
    // No session; one suite (ECDHE, ECDSA, AES-128-GCM); no compression; P-256, and ECDSA on it.
    hello.extend([0, 0, 2, 0xc0, 0x2b, 1, 0]);
    hello.extend([0, 16, 0, 10, 0, 4, 0, 2, 0, 23, 0, 13, 0, 4, 0, 2, 4, 3]);
    let length = u8::try_from(hello.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &hello].concat()
}

#[test]
fn p50_old_versions_and_plain_http_get_no_answer() {
    let home = Home::new();
    home.run(&["dev-cert"]).succeeded();
    let server = serve(&home, &[]);
    // 22: the handshake goes on. 21: an alert.
    let first = |minor: u8| {
        let mut stream = TcpStream::connect(server.api).unwrap();
        stream.write_all(&hello(minor)).unwrap();
        let mut record = [0; 7];
        stream.read_exact(&mut record).unwrap();
        record[0]
    };
    assert_eq!([0, 1, 2, 3].map(first), [21, 21, 21, 22]);
    let mut stream = TcpStream::connect(server.api).unwrap();
    stream.write_all(b"GET /bridge.js HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut plain = Vec::new();
    let _ = stream.read_to_end(&mut plain);
    assert!(!plain.starts_with(b"HTTP"), "{plain:?}");
}

#[tokio::test]
async fn a_new_certificate_is_taken_at_a_signal_and_open_connections_go_on() {
    let home = Home::new();
    home.run(&["dev-cert"]).succeeded();
    let server = serve(&home, &[]);
    let (before, api) = (trusting(&home, server.api), server.api);
    let first = shown(&before, api).await;

    home.run(&["dev-cert"]).succeeded();
    server.signal("HUP");
    let mut second = first.clone();
    for _ in 0..500 {
        second = shown(&trusting(&home, api), api).await;
        if second != first {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_ne!(second, first);
    assert_eq!(shown(&before, api).await, first, "the old connection is still there");
    assert!(server.log().contains("certificate read again"), "{}", server.log());

    fs::write(home.path("data/dev-cert/cert.pem"), "nothing").unwrap();
    server.signal("HUP");
    for _ in 0..500 {
        if server.log().contains("the old one stays") {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(server.log().contains("holds no certificate; the old one stays"), "{}", server.log());
    assert_eq!(shown(&trusting(&home, api), api).await, second);
    assert!(server.stop().success());
}

#[tokio::test]
async fn an_ephemeral_server_prints_https_addresses() {
    let home = Home::new();
    home.run(&["dev-cert"]).succeeded();
    let mut command = home.command(&["serve", "--ephemeral", "--print-env"]);
    command
        .env("CITADEL_TLS_CERT", home.path("data/dev-cert/cert.pem"))
        .env("CITADEL_TLS_KEY", home.path("data/dev-cert/key.pem"));
    let server = Ephemeral::start(&mut command);
    let url = server.value("BRIDGE_URL");
    assert!(url.starts_with("https://127.0.0.1:"), "{url}");
    assert_eq!(server.value("API_URL"), url.replace("bridge.js", "v1/"));
    let client = trusting(&home, "127.0.0.1:1".parse().unwrap());
    assert_eq!(client.get(url).send().await.unwrap().status(), 200);
}

/// The verbs that are clients of a server, and the doctor.
#[test]
fn verbs_call_a_server_that_speaks_tls() {
    let home = Home::new();
    let cert = home.run(&["dev-cert", "--json"]).succeeded().json();
    let (api, metrics) = (free_address().to_string(), free_address().to_string());
    let text = |name: &str| cert[name].as_str().unwrap().to_owned();
    let settings = [
        ("CITADEL_LISTEN", api.clone()),
        ("CITADEL_METRICS_LISTEN", metrics),
        ("CITADEL_TLS_CERT", text("cert")),
        ("CITADEL_TLS_KEY", text("key")),
    ];
    let pairs: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let server = serve(&home, &pairs);
    assert!(server.announced.contains(&format!("ready on https://{api}\n")), "{}", server.announced);
    assert_eq!(get(server.metrics, "/readyz", "").0, 200, "health stays plain");
    home.run(&["client", "create", "--name", "demo", "--write-env", ".env"]).succeeded();

    let doctor = finish(home.command(&["doctor"]).envs(pairs.iter().copied())).succeeded();
    for expected in ["cert.pem is good until", "accepts its keys", "is served by citadel"] {
        assert!(doctor.stdout.contains(expected), "{expected}: {doctor:?}");
    }
    let public = ("CITADEL_PUBLIC_URL", "https://citadel.example.com");
    let doctor = finish(home.command(&["doctor"]).envs(pairs.iter().copied().chain([public])));
    assert!(doctor.stdout.contains("is not for the host of https://citadel.example.com"), "{doctor:?}");

    let export = |url: &str, trusted: &str| {
        let verb = ["sandbox", "export", "--format", "csv", "--username", "goodlogin", "--output", "pay.csv"];
        finish(home.command(&verb).env("API_URL", url).env("SSL_CERT_FILE", trusted))
    };
    let https = format!("https://{api}/v1/");
    // Where the system keeps its list elsewhere, the variable does not count.
    if cfg!(target_os = "linux") {
        export(&https, &text("ca_cert")).succeeded();
        assert!(fs::read_to_string(home.path("pay.csv")).unwrap().starts_with("person,employer,"));
    }
    home.run(&["dev-cert", "--dir", "other"]).succeeded();
    export(&https, "other/ca.pem").failed_with(&["does not trust the server's certificate", "ca.pem"]);
    export(&format!("http://{api}/v1/"), "").failed_with(&["the server speaks TLS", "https://"]);
}
