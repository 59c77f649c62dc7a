use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};

use axum_server::accept::Accept;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::{
    net::{TcpListener, TcpStream},
    time::Instant,
};

use super::*;

/// A certificate of the year 2030, and the key of another one.
struct Place {
    folder: PathBuf,
    files: TlsFiles,
    key_pem: String,
    other_key_pem: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn place() -> Place {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("citadel-tls-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).unwrap();
    let files = TlsFiles { cert: folder.join("cert.pem"), key: folder.join("key.pem") };
    let (cert_pem, key_pem) = issue((2030, 1), (2031, 1));
    let (_, other_key_pem) = issue((2030, 1), (2031, 1));
    fs::write(&files.cert, cert_pem).unwrap();
    fs::write(&files.key, &key_pem).unwrap();
    Place { folder, files, key_pem, other_key_pem }
}

/// A certificate from the first of one month to the first of another, and its key.
fn issue(from: (i32, u8), to: (i32, u8)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let names = ["citadel.example.com", "127.0.0.1", "::1"].map(str::to_owned);
    let mut params = CertificateParams::new(names).unwrap();
    params.not_before = date_time_ymd(from.0, from.1, 1);
    params.not_after = date_time_ymd(to.0, to.1, 1);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn refusal(files: &TlsFiles, now: &str) -> String {
    let problem = Tls::open(files, at(now)).map(|_| ()).unwrap_err();
    assert!(!problem.to_string().contains("PRIVATE"), "{problem}");
    problem.to_string()
}

#[test]
fn p50_a_certificate_is_good_for_its_time_and_its_names() {
    let place = place();
    let tls = Tls::open(&place.files, at("2030-06-01T00:00:00Z")).unwrap();
    assert_eq!(tls.not_after(), at("2031-01-01T00:00:00Z"));
    assert!(!tls.ends_soon(at("2030-12-17T23:59:59Z")) && tls.ends_soon(at("2030-12-18T00:00:01Z")));
    for own in ["https://citadel.example.com", "https://127.0.0.1:8700", "https://[::1]:8700"] {
        assert!(tls.is_for(own), "{own}");
    }
    for other in ["https://example.com", "https://127.0.0.2", "https://a.citadel.example.com", "x y"] {
        assert!(!tls.is_for(other), "{other}");
    }
}

#[test]
fn p50_a_certificate_outside_its_time_is_refused() {
    let place = place();
    assert!(Tls::open(&place.files, at("2031-01-01T00:00:00Z")).is_ok());
    let late = refusal(&place.files, "2031-01-01T00:00:01Z");
    assert!(late.contains("CITADEL_TLS_CERT") && late.contains("ran out at 2031-01-01T00:00:00Z"), "{late}");
    let early = refusal(&place.files, "2029-12-31T23:59:59Z");
    assert!(early.contains("not good before 2030-01-01T00:00:00Z"), "{early}");
}

#[test]
fn each_wrong_file_is_named_with_what_is_wrong() {
    let place = place();
    let TlsFiles { cert, key } = &place.files;
    let check = |cert: &Path, key: &Path, setting: &str, what: &str| {
        let files = TlsFiles { cert: cert.to_owned(), key: key.to_owned() };
        let text = refusal(&files, "2030-06-01T00:00:00Z");
        assert!(text.starts_with(setting) && text.contains(what) && text.contains("fix: "), "{what}: {text}");
    };
    let file = |text: &str| {
        let path = place.folder.join("wrong.pem");
        fs::write(&path, text).unwrap();
        path
    };
    let nowhere = place.folder.join("nowhere.pem");
    check(&nowhere, key, "CITADEL_TLS_CERT", "cannot be read");
    check(cert, &nowhere, "CITADEL_TLS_KEY", "cannot be read");
    check(cert, &place.folder, "CITADEL_TLS_KEY", "cannot be read");
    check(&file(""), key, "CITADEL_TLS_CERT", "holds no certificate");
    check(key, key, "CITADEL_TLS_CERT", "holds no certificate");
    check(cert, cert, "CITADEL_TLS_KEY", "holds no private key");
    check(cert, &file(&place.other_key_pem), "CITADEL_TLS_KEY", "is not the key of the certificate");
    let cut = &fs::read_to_string(cert).unwrap()[..200];
    check(&file(cut), key, "CITADEL_TLS_CERT", "is no whole PEM file");
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    check(&file(garbage), key, "CITADEL_TLS_CERT", "no X.509 certificate at place 1");
    let chain = format!("{}{garbage}", fs::read_to_string(cert).unwrap());
    check(&file(&chain), key, "CITADEL_TLS_CERT", "no X.509 certificate at place 2");
    let encrypted = place.key_pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    check(cert, &file(&encrypted), "CITADEL_TLS_KEY", "is encrypted");
    let broken = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    check(cert, &file(broken), "CITADEL_TLS_KEY", "of a kind that is not served");
}

#[test]
fn a_changed_file_is_taken_and_a_bad_one_leaves_what_was_there() {
    let place = place();
    let now = at("2030-06-01T00:00:00Z");
    let mut tls = Tls::open(&place.files, now).unwrap();
    let shown = |tls: &Tls| Arc::as_ptr(&tls.shared.get_inner());
    let first = shown(&tls);
    tls.look(false, now);
    assert_eq!(shown(&tls), first, "nothing has changed");

    let (cert, key) = issue((2030, 1), (2032, 1));
    let change = |path: &Path, text: &str, seconds: u64| {
        fs::write(path, text).unwrap();
        // A file system may tell two changes of one instant as one.
        let file = fs::File::options().append(true).open(path).unwrap();
        let changed = file.metadata().unwrap().modified().unwrap() + Duration::from_secs(seconds);
        file.set_modified(changed).unwrap();
    };
    change(&place.files.cert, &cert, 1);
    tls.look(false, now);
    assert_eq!(shown(&tls), first, "its key is still to come");
    assert_eq!(tls.not_after(), at("2031-01-01T00:00:00Z"));
    change(&place.files.key, &key, 2);
    tls.look(false, now);
    assert_ne!(shown(&tls), first);
    assert_eq!(tls.not_after(), at("2032-01-01T00:00:00Z"));

    let second = shown(&tls);
    fs::remove_file(&place.files.cert).unwrap();
    tls.look(true, now);
    assert_eq!(shown(&tls), second);
}

/// Time stands still here but for waits, so the ten seconds take none.
#[tokio::test(start_paused = true)]
async fn p45_a_handshake_that_does_not_come_is_cut() {
    let place = place();
    let tls = Tls::open(&place.files, at("2030-06-01T00:00:00Z")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let started = Instant::now();
    let cut = tls
        .acceptor(crate::connections::Door::new(crate::connections::Proxies::default()))
        .accept(stream, ())
        .await;
    assert_eq!(cut.map(|_| ()).unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert_eq!(started.elapsed().as_secs(), HANDSHAKE_DEADLINE.as_secs());
}
