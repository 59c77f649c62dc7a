//! P13 and P17 with a server that is killed: canaries in logins, answers and what is known of people, searched in every spelling
//! in every file that is left.

use std::{fs, path::Path, sync::Arc, time::Duration};

use base64::Engine;
use citadel_domain::{Random, tokens::hex};
use citadel_sdk::{Citadel, CreateBridgeToken};
use citadel_server::{
    backups,
    system::{SystemClock, SystemRandom},
};
use memchr::memmem;
use serde_json::{Value, json};

use crate::{
    child::{self, ServerChild},
    kills::client,
};

/// Every canary begins so: whoever finds none of this has found none of them.
const CANARY: &str = "Canary7731x";

/// The canary in the spellings that a careless program would leave.
fn spellings() -> Vec<Vec<u8>> {
    let base64 = |before: &str| {
        let encoded = base64::engine::general_purpose::STANDARD_NO_PAD.encode(format!("{before}{CANARY}"));
        // Without the digits that depend on what stands before and after.
        encoded.as_bytes()[(before.len() * 4).div_ceil(3)..encoded.len() - 2].to_vec()
    };
    let hex = hex(CANARY.as_bytes());
    vec![
        CANARY.as_bytes().to_vec(),
        CANARY.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        CANARY.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        hex.clone().into_bytes(),
        hex.to_uppercase().into_bytes(),
        base64(""),
        base64("a"),
        base64("ab"),
    ]
}

/// Answers how many bytes were searched.
fn search(folder: &Path) -> u64 {
    let mut searched = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            searched += search(&path);
            continue;
        }
        // The admin socket holds nothing.
        if !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        searched += bytes.len() as u64;
        for (number, spelling) in spellings().iter().enumerate() {
            let found = memmem::find(&bytes, spelling);
            assert!(found.is_none(), "spelling {number} in {} at {found:?}", path.display());
        }
    }
    assert!(searched > 0, "{}", folder.display());
    searched
}

#[test]
fn the_search_finds_every_spelling() {
    let engine = base64::engine::general_purpose::STANDARD;
    let holds = |text: &[u8]| spellings().iter().any(|spelling| memmem::find(text, spelling).is_some());
    for before in ["", "x", "xy", "xyz", "wxyz"] {
        let text = format!("{before}{CANARY}-123");
        assert!(holds(text.as_bytes()) && holds(engine.encode(&text).as_bytes()), "{before}");
        assert!(holds(hex(text.as_bytes()).as_bytes()));
    }
    assert!(!holds(b"nothing of the kind"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p13_logins_leave_no_trace() {
    logins_under_kills("p13-small", 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn p17_canaries_are_found_nowhere() {
    canaries_in_people("p17-small", 8).await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn p13_logins_leave_no_trace_after_a_hundred_kills() {
        let kills = soak::count("CITADEL_SOAK_P13_KILLS", 100);
        let finding = soak::begin(
            "P13",
            format!("{kills} kills while canaries sign in and answer"),
            "0 plain copies, 0 sealed ones 60 s past their life",
        );
        let figure = logins_under_kills("p13-full", kills).await;
        finding.end(figure, true);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn p17_ten_thousand_canaries_are_found_nowhere() {
        let canaries = soak::count("CITADEL_SOAK_P17_CANARIES", 10_000);
        let finding = soak::begin(
            "P17",
            format!("{canaries} canaries in what is known of people, in 8 spellings"),
            "0 plain copies",
        );
        let figure = canaries_in_people("p17-full", canaries).await;
        finding.end(figure, true);
    }
}

/// Within which no login lies sealed after its life.
const GONE: Duration = Duration::from_secs(60);

/// Stops at any copy. Answers the figures of the run.
async fn logins_under_kills(name: &str, kills: usize) -> String {
    let mut child = ServerChild::new(name);
    let (client_id, secret) = client(&child).await;
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    let mut seen = std::collections::BTreeSet::new();
    let (mut answered, mut searched) = (0, 0);
    for round in 0..kills {
        let base = format!("http://{}", child.start().await);
        let citadel = Citadel::builder(base.clone(), client_id.to_string(), secret.clone()).build().unwrap();
        let (mut tasks, mut looked) = (Vec::new(), 0);
        for (username, password) in [
            (format!("{CANARY}-user-{round}"), format!("{CANARY}-password-{round}")),
            ("goodlogin".to_owned(), format!("{CANARY}-password-{round}")),
            ("goodlogin".to_owned(), "mfa".to_owned()),
            ("goodlogin".to_owned(), "goodpassword".to_owned()),
            ("lockedlogin".to_owned(), format!("{CANARY}-locked")),
        ] {
            let token = citadel.create_bridge_token(&CreateBridgeToken::new("income")).await.unwrap();
            let login = json!({"provider_id": "adp", "login": {"username": username, "password": password}});
            let call = http
                .post(format!("{base}/bridge/api/tasks"))
                .bearer_auth(token.bridge_token.expose())
                .json(&login);
            let made: Value = call.send().await.unwrap().json().await.unwrap();
            tasks.push((token.bridge_token, made["task_id"].as_str().unwrap().to_owned()));
        }
        // The question is answered with a canary; then the process is killed, early in one round and late in the next.
        let looks = (round % 4) * 5;
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        // One round goes on until a login was refused and a question answered: there must be something to find.
        while looked < looks || (round == 1 && (answered == 0 || !seen.contains("login_error"))) {
            assert!(tokio::time::Instant::now() < deadline, "{seen:?}, {answered} answered");
            looked += 1;
            for (token, task) in &tasks {
                let call = http.get(format!("{base}/bridge/api/tasks/{task}")).bearer_auth(token.expose());
                let shown: Value = call.send().await.unwrap().json().await.unwrap();
                seen.insert(shown["status"].as_str().unwrap().to_owned());
                if shown["status"] == "mfa" {
                    let answer = json!({"answer": format!("{CANARY}-answer")});
                    let url = format!("{base}/bridge/api/tasks/{task}/answer");
                    let reply =
                        http.post(url).bearer_auth(token.expose()).json(&answer).send().await.unwrap();
                    answered += usize::from(reply.status().is_success());
                }
            }
        }
        child.kill();
        // As a kill leaves it: nothing in the clear, whatever was under way.
        searched += search(child.home());
    }
    assert!(answered > 0 && seen.contains("login_error"), "{seen:?}");
    // After the time that a login may be kept: no sealed copy either.
    child.shift_clock(16 * 60);
    child.start().await;
    let (mut number, begun) = (0, tokio::time::Instant::now());
    while back_up(&child, number).rows["logins"] > 0 {
        number += 1;
        assert!(begun.elapsed() < GONE, "sealed copies past their life");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let gone = begun.elapsed();
    child.kill();
    searched += search(child.home());
    format!(
        "0 plain copies in {} MiB, {answered} questions answered, tasks seen as {seen:?}; 0 sealed after {gone:.1?}",
        searched >> 20
    )
}

fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

/// A backup is taken beside the server, so it also tells what is in the database.
fn back_up(child: &ServerChild, number: usize) -> backups::Contents {
    let progress: backups::Progress = Arc::new(|_, _| ());
    let file = child.home().join(format!("{number}.backup"));
    backups::create(&child::config(child.home()), &file, &SystemClock, &random(), &progress).unwrap()
}

/// Canaries in what clients tell of people, four in each person. Stops at any copy; answers the figures of the run.
async fn canaries_in_people(name: &str, canaries: usize) -> String {
    let mut child = ServerChild::new(name);
    let (client_id, secret) = client(&child).await;
    let base = format!("http://{}", child.start().await);
    let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
    for number in 0..canaries.div_ceil(4) {
        let body = json!({
            "external_user_id": format!("{CANARY}-id-{number}"),
            "first_name": format!("{CANARY}-first-{number}"),
            "last_name": format!("{CANARY}-last-{number}"),
            "email": format!("{CANARY}-{number}@example.com"),
        });
        let call = http
            .post(format!("{base}/v1/users/"))
            .header("X-Access-Client-Id", client_id.to_string())
            .header("X-Access-Secret", &secret)
            .json(&body);
        assert_eq!(call.send().await.unwrap().status(), 201);
    }
    // Beside the server, and as the kill leaves it, with a backup.
    let beside = search(child.home());
    back_up(&child, 0);
    child.kill();
    format!("0 plain copies in {} KiB", (beside + search(child.home())) >> 10)
}
