//! TLS to Postgres: certificates are verified, always (P50).

use std::{fs, path::Path};

use citadel_store::{Db, DbConfig};
use jiff::Timestamp;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::own_postgres::OwnPostgres;

struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A certificate for these names, and its key.
    fn sign(&self, names: &[&str]) -> (String, String) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.0).unwrap();
        (certificate.pem(), key.serialize_pem())
    }
}

async fn reach(config: &DbConfig) -> Result<Option<bool>, citadel_store::Error> {
    let db = Db::open(config)?;
    let sql = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    db.read(async move |tx| tx.fetch_optional(sql, &[], |row| row.get::<bool>(0)).await).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p50_the_certificate_of_postgres_is_verified() {
    let (ours, other) = (Authority::new(), Authority::new());
    let Some(postgres) = OwnPostgres::start().await else { return };
    let (certificate, key) = ours.sign(&["localhost"]);
    postgres.write("server.pem", &certificate);
    postgres.write("server.key", &key);
    let ca = |name: &str, authority: &Authority| {
        let path = postgres.write(name, &authority.0.pem());
        path.display().to_string()
    };
    let (ours, other) = (ca("ours.pem", &ours), ca("other.pem", &other));

    // A server without TLS is not spoken to in the open when TLS was asked for.
    let verified =
        |host: &str, ca: &str| postgres.config(host, &format!("?sslmode=verify-full&sslrootcert={ca}"));
    assert!(reach(&verified("localhost", &ours)).await.is_err());
    assert_eq!(reach(&postgres.config("localhost", "")).await.unwrap(), Some(false));

    postgres.run_sql("alter system set ssl = on").await;
    postgres.control("restart");

    assert_eq!(reach(&verified("localhost", &ours)).await.unwrap(), Some(true));
    let required = postgres.config("localhost", &format!("?sslmode=require&sslrootcert={ours}"));
    assert_eq!(reach(&required).await.unwrap(), Some(true));
    // A migration and everything after it, the same as in the open.
    Db::open(&required).unwrap().migrate(Timestamp::UNIX_EPOCH).await.unwrap();
    // Another name, another authority, and one that the system does not trust.
    for refused in [
        verified("127.0.0.1", &ours),
        verified("localhost", &other),
        postgres.config("localhost", "?sslmode=require"),
    ] {
        let error = reach(&refused).await.unwrap_err();
        assert!(matches!(error, citadel_store::Error::Unavailable(_)), "{error}");
    }
    // Files that are no certificates stop the start.
    let broken = postgres.write("broken.pem", "no certificate").display().to_string();
    for path in [broken.as_str(), "/no/such/file.pem"] {
        let error = Db::open(&verified("localhost", path)).map(drop).unwrap_err().to_string();
        assert!(error.contains(path) && error.contains("PEM"), "{error}");
    }
    assert!(fs::exists(Path::new(&ours)).unwrap());
}
