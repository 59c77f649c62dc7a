//! P6: nothing of the product needs a network. Every flow runs where there is nothing but the loopback interface.

use std::{
    fs,
    io::ErrorKind,
    net::{SocketAddr, TcpStream},
    process::{Command, Stdio},
    time::Duration,
};

use citadel_sdk::{Citadel, CreatePayrollReport, CreateRefreshTask, Polling, Redacted, testing::Sandbox};
use serde_json::{Value, json};

/// Tells this test that it runs inside. Its value is the network namespace of the outside.
const INSIDE: &str = "CITADEL_TEST_INSIDE_NAMESPACE_OF";
/// For machines on which no namespace can be made. Nothing is tested then.
const SKIP: &str = "CITADEL_TEST_SKIP_NAMESPACE";

/// The test starts itself once more, in a network namespace of its own.
#[tokio::test]
async fn p06_every_flow_runs_where_there_is_no_route_but_loopback() {
    if let Some(outside) = variable(INSIDE) {
        only_loopback(&outside);
        every_flow().await;
        return nothing_went_elsewhere();
    }
    if variable(SKIP).is_some_and(|value| value == "1") {
        return println!("skipped, because {SKIP} is 1");
    }
    // The first is for root, the second for whoever may be root of a namespace of their own.
    let ways: [&[&str]; 2] = [&["--net"], &["--net", "--map-root-user"]];
    let Some(way) = ways.into_iter().find(|way| unshared(way, &["true"]).is_ok()) else {
        let problem = unshared(ways[1], &["true"]).unwrap_err();
        panic!(
            "no network namespace can be made here, so nothing was tested: allow `unshare {} ip link set lo up` \
             (util-linux, iproute2), or set {SKIP}=1. It said: {problem}",
            ways[1].join(" ")
        );
    };
    let this = std::env::current_exe().unwrap();
    let name = "offline::p06_every_flow_runs_where_there_is_no_route_but_loopback";
    let said = unshared(way, &[this.to_str().unwrap(), name, "--exact", "--nocapture"]);
    assert!(
        said.as_ref().is_ok_and(|said| said.contains("1 passed")),
        "inside: {}",
        said.unwrap_or_else(|said| said)
    );
}

#[expect(clippy::disallowed_methods, reason = "a test that starts itself has no other way to be told")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs a command where there is only loopback; what it said. `Err`: it failed.
fn unshared(way: &[&str], command: &[&str]) -> Result<String, String> {
    let output = Command::new("unshare")
        .args(way)
        .args(["sh", "-c", "ip link set lo up && exec \"$0\" \"$@\""])
        .args(command)
        .env(INSIDE, namespace())
        // A proxy that cannot be reached, as it is where the outside is.
        .env("HTTP_PROXY", "http://192.0.2.1:3128")
        .env("http_proxy", "http://192.0.2.1:3128")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let said =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    if output.status.success() { Ok(said) } else { Err(said) }
}

fn namespace() -> String {
    fs::read_link("/proc/self/ns/net").unwrap().display().to_string()
}

fn only_loopback(outside: &str) {
    assert_ne!(namespace(), outside, "this is a namespace of its own");
    let routes = fs::read_to_string("/proc/net/route").unwrap();
    assert_eq!(routes.lines().skip(1).count(), 0, "{routes}");
    let routes = fs::read_to_string("/proc/net/ipv6_route").unwrap_or_default();
    assert!(routes.lines().all(|line| line.ends_with(" lo")), "{routes}");
    // An address of documentation, which is nobody's.
    let elsewhere: SocketAddr = "192.0.2.1:80".parse().unwrap();
    let refused = TcpStream::connect_timeout(&elsewhere, Duration::from_secs(1)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NetworkUnreachable, "{refused}");
}

/// Some kernels put unused tunnels into every namespace, so what counts is whether anything went through them.
fn nothing_went_elsewhere() {
    let devices = fs::read_to_string("/proc/net/dev").unwrap();
    for line in devices.lines().skip(2) {
        let (name, counts) = line.trim().split_once(':').unwrap();
        let counts: Vec<u64> = counts.split_whitespace().map(|count| count.parse().unwrap()).collect();
        let (received, sent) = (counts[0], counts[8]);
        assert_eq!(received + sent > 0, name == "lo", "{devices}");
    }
}

/// A client's back end, and a person without a browser.
struct Visit {
    sandbox: Sandbox,
    http: reqwest::Client,
}

impl Visit {
    fn citadel(&self) -> &Citadel {
        self.sandbox.citadel()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self
            .http
            .post(format!("{}{path}", self.sandbox.api_url()))
            .header("X-Access-Client-Id", self.sandbox.client_id())
            .header("X-Access-Secret", self.sandbox.secret().expose());
        let answer = request.json(&body).send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// From the bridge token to the access token.
    async fn link(&self, product: &str) -> Redacted {
        let mut order = json!({"product_type": product});
        if let Some(account) = account(product) {
            order["account"] = account;
        }
        let bridge = self.post("bridge-tokens/", order).await;
        let login = json!({
            "bridge_token": bridge["bridge_token"], "provider_id": "adp",
            "username": "goodlogin", "password": "goodpassword",
        });
        let signed_in = self.post("sandbox/public-tokens/", login).await;
        assert_eq!(signed_in["status"], "done", "{product}: {signed_in}");
        let public_token = signed_in["public_token"].as_str().unwrap();
        self.citadel().exchange_public_token(public_token).await.unwrap().access_token
    }
}

fn account(product: &str) -> Option<Value> {
    let account = json!({
        "account_number": "16002600", "account_type": "checking",
        "routing_number": "123456789", "bank_name": "TD Bank",
    });
    match product {
        "deposit_switch" | "fas" => Some(account),
        "pll" => {
            let mut account = account;
            account["deposit_type"] = json!("amount");
            account["deposit_value"] = json!("1");
            Some(account)
        }
        _ => None,
    }
}

async fn every_flow() {
    let sandbox = Sandbox::builder().program(env!("CARGO_BIN_EXE_citadel")).start().await.unwrap();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(30)).no_proxy().build().unwrap();
    let visit = Visit { sandbox, http };
    let citadel = visit.citadel();
    let page = visit.http.get(visit.sandbox.bridge_url()).send().await.unwrap();
    assert!(page.status().is_success(), "the widget's script: {}", page.status());

    let employment = citadel.employment_report(visit.link("employment").await).await.unwrap();
    assert_eq!(employment.employments[0].profile.last_name.as_deref(), Some("Doe"));

    let income = citadel.income_report(visit.link("income").await).await.unwrap();
    let statement = &income.employments[0].statements[0];
    let document = visit.http.get(statement.file.clone().unwrap()).send().await.unwrap();
    assert!(document.bytes().await.unwrap().starts_with(b"%PDF-"));

    let admin = visit.link("admin").await;
    assert!(!citadel.directory(&admin).await.unwrap().directory.is_empty());
    let register = CreatePayrollReport {
        access_token: admin.clone(),
        start_date: "2020-01-01".to_owned(),
        end_date: "2020-02-01".to_owned(),
    };
    let register = citadel.create_payroll_report(&register).await.unwrap();
    assert_eq!(citadel.payroll_report(&register.payroll_report_id).await.unwrap().status, "done");

    // The loan first: a switch of the whole pay would leave nothing to share.
    let loan = citadel.paycheck_linked_loan_report(visit.link("pll").await).await.unwrap();
    let switch = citadel.deposit_switch_report(visit.link("deposit_switch").await).await.unwrap();
    assert_eq!((loan.status.as_str(), switch.status.as_str()), ("done", "done"));

    let funding = visit.link("fas").await;
    let polling = Polling { every: Duration::from_millis(100), ..Polling::default() };
    let proof = CreateRefreshTask::micro_deposits(&funding, "0.1", "0.2");
    let task = citadel.create_refresh_task(&proof).await.unwrap();
    let task = citadel.wait_for_refresh(&task.task_id, polling).await.unwrap();
    assert_eq!(task.status, "done");
    assert!(!citadel.funding_switch_report(&funding).await.unwrap().micro_deposits_required);
}
