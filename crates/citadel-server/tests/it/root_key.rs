//! P19: the root key gets a new version while everything goes on.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, sync::Arc};

use axum::http::StatusCode;
use citadel_domain::{Clock, tokens::hex};
use citadel_server::{
    admin::{Admin, Answer, Refusal, Request, root_key::VersionLine},
    config::Profile,
    jobs::rewrap,
    system::SystemRandom,
};
use citadel_store::root_keys;
use serde_json::json;

use crate::support::{ROOT_KEY, TestApp, for_each_db};

struct KeyFile(PathBuf);

impl KeyFile {
    fn new(app: &TestApp) -> Self {
        let kind = if app.app.db.is_embedded() { "sqlite" } else { "postgres" };
        let path = std::env::temp_dir().join(format!("citadel-root-key-{kind}-{}", std::process::id()));
        fs::write(&path, format!("{}\n", hex(&ROOT_KEY))).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        Self(path)
    }

    fn versions(&self) -> usize {
        fs::read_to_string(&self.0).unwrap().lines().count()
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn admin(app: &TestApp, file: &KeyFile) -> Admin {
    Admin {
        db: app.app.db.clone(),
        keyring: Arc::clone(&app.app.keyring),
        clock: app.clock.clone(),
        random: Arc::new(SystemRandom),
        profile: Profile::Production,
        root_key_file: file.0.clone(),
        sandbox_now: None,
    }
}

async fn status(admin: &Admin) -> Vec<VersionLine> {
    match admin.perform(Request::RootKeyStatus).await {
        Ok(Answer::RootKeys(versions)) => versions,
        other => panic!("{other:?}"),
    }
}

async fn remove(admin: &Admin, id: &str) -> Result<(), String> {
    match admin.perform(Request::RemoveRootKey { id: id.to_owned() }).await {
        Ok(Answer::RootKeyRemoved) => Ok(()),
        Err(Refusal::Told(text)) => Err(text),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p19_the_root_key_rotates_under_way() {
    for_each_db(async |app| {
        let (kept, now) = (Arc::clone(&app.app.keyring), app.clock.now());
        app.app.db.write(async move |tx| root_keys::keep(tx, &kept, now).await).await.unwrap();
        let file = KeyFile::new(&app);
        let admin = admin(&app, &file);
        let client = app.client("acme").await;
        let user = client.user("person").await;
        let (_, old_token) = client.link_of(&user, "income").await;
        client.webhook("https://acme.example/hook").await;
        // A task that is in the middle of its sign-in keeps its login under the old version.
        let bridge_token = client.bridge_token("income").await;
        let task = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;

        let before = status(&admin).await;
        assert!(before.len() == 1 && before[0].is_current && before[0].sealed > 3, "{before:?}");
        let first = before[0].id.clone();
        if !app.app.db.is_embedded() {
            // Every node must have the new version before any seals with it.
            let answer = admin.perform(Request::RotateRootKey).await;
            assert!(matches!(answer, Ok(Answer::RootKeyRotated { is_in_use: false, .. })), "{answer:?}");
            let lines = status(&admin).await;
            assert!(lines.len() == 2 && lines[0].is_current && lines[1].in_use_since.is_none(), "{lines:?}");
        }
        let answer = admin.perform(Request::RotateRootKey).await;
        assert!(matches!(answer, Ok(Answer::RootKeyRotated { is_in_use: true, .. })), "{answer:?}");
        assert_eq!(file.versions(), 2);
        let (_, new_token) = client.link_of(&client.user("another").await, "income").await;
        let lines = status(&admin).await;
        assert!(
            lines[1].is_current && lines[1].sealed > 0,
            "new seals use the new version at once: {lines:?}"
        );
        assert!(!lines[0].is_removable && lines[0].sealed > 3, "{lines:?}");
        let refused = remove(&admin, &first).await.unwrap_err();
        assert!(refused.contains("lie under this version"), "{refused}");

        // In the background, what is older is sealed anew. Nobody who is slow may still commit under the old version.
        let look = async || rewrap::look(&app.app.db, &app.app.keyring, app.clock.now()).await.unwrap();
        assert!(look().await > 3);
        assert_eq!(status(&admin).await[0].sealed, 0);
        assert!(remove(&admin, &first).await.is_err(), "too early: somebody may still commit");
        app.advance(61);
        assert_eq!(look().await, 0);
        assert!(status(&admin).await[0].is_removable);
        remove(&admin, &first).await.unwrap();
        assert_eq!(file.versions(), 1);
        assert!(!fs::read_to_string(&file.0).unwrap().contains(&hex(&ROOT_KEY)));
        let current = status(&admin).await.into_iter().find(|line| line.is_current).unwrap().id;
        assert!(remove(&admin, &current).await.unwrap_err().contains("in use"));

        // Everything goes on: keys, tokens, ids, the login under way, people.
        app.run_jobs().await;
        assert_eq!(app.task(&bridge_token, &task).await["status"], "done");
        for token in [&old_token, &new_token] {
            let read = client.post("/v1/verifications/incomes/", json!({"access_token": token})).await;
            assert_eq!(read.status, StatusCode::OK, "{read:?}");
        }
        assert_eq!(client.get(&format!("/v1/users/{user}/")).await.json()["external_user_id"], "person");
        assert_eq!(look().await, 0, "nothing is sealed anew twice");
    })
    .await;
}

#[cfg(feature = "soak")]
mod soak {
    use super::*;
    use crate::soak;

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn p19_rotations_under_load_and_kills_fail_nobody() {
        let kills = soak::count("CITADEL_SOAK_P19_KILLS", 3);
        let finding = soak::begin(
            "P19",
            format!("{kills} rotations at 50 requests a second, SIGKILL after each"),
            "0 failed, all on the new version, early removal refused",
        );
        let figure = rotations_under_kills(kills).await;
        finding.end(figure, true);
    }
}

/// One version after another while 50 requests a second go on and the process is killed. A request fails when it is answered with
/// anything but success; one that meets a dead process is asked again. Answers the figures of the run.
#[cfg(feature = "soak")]
async fn rotations_under_kills(kills: usize) -> String {
    use std::{
        sync::{
            Mutex,
            atomic::{AtomicBool, AtomicU64, Ordering},
        },
        time::{Duration, Instant},
    };

    use citadel_server::admin::socket;

    let mut child = crate::child::ServerChild::new("p19-full");
    let (client_id, secret) = crate::kills::client(&child).await;
    let address = Arc::new(Mutex::new(child.start().await));
    let (is_done, served) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (current, stop, count) = (Arc::clone(&address), Arc::clone(&is_done), Arc::clone(&served));
    let load = tokio::spawn(async move {
        let http = reqwest::Client::builder().timeout(Duration::from_secs(5)).build().unwrap();
        let mut beat = tokio::time::interval(Duration::from_millis(20));
        let mut number = 0;
        let mut known: Option<String> = None;
        while !stop.load(Ordering::Relaxed) {
            beat.tick().await;
            number += 1;
            let base = format!("http://{}", *current.lock().unwrap());
            // Every other request reads what an earlier one has written.
            let path = known.as_ref().filter(|_| number % 2 == 0).map(|id| format!("{base}/v1/users/{id}/"));
            let request = match path {
                Some(url) => http.get(url),
                None => {
                    let body = json!({"external_user_id": format!("p-{number}"), "first_name": "A", "last_name": "B"});
                    http.post(format!("{base}/v1/users/")).json(&body)
                }
            };
            let request = request
                .header("X-Access-Client-Id", client_id.to_string())
                .header("X-Access-Secret", &secret);
            let Ok(answer) = request.send().await else { continue };
            assert!(answer.status().is_success(), "{}", answer.status());
            let Ok(user) = answer.json::<serde_json::Value>().await else { continue };
            known = user["id"].as_str().map(str::to_owned);
            count.fetch_add(1, Ordering::Relaxed);
        }
    });
    let socket_path = child.home().join("data/admin.sock");
    for _ in 0..kills {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let rotated = socket::call(&socket_path, &Request::RotateRootKey).await.unwrap();
        assert!(matches!(rotated, Answer::RootKeyRotated { is_in_use: true, .. }), "{rotated:?}");
        tokio::time::sleep(Duration::from_millis(300)).await;
        child.kill();
        *address.lock().unwrap() = child.start().await;
    }
    let answer = socket::call(&socket_path, &Request::RootKeyStatus).await.unwrap();
    let Answer::RootKeys(lines) = answer else { panic!("{answer:?}") };
    assert_eq!(lines.len(), kills + 1);
    let early = socket::call(&socket_path, &Request::RemoveRootKey { id: lines[0].id.clone() }).await;
    assert!(early.is_err(), "removed too early");
    let begun = Instant::now();
    for _ in 0..40 {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let Ok(Answer::RootKeys(lines)) = socket::call(&socket_path, &Request::RootKeyStatus).await else {
            continue;
        };
        if lines.iter().filter(|line| line.is_removable).count() == kills {
            break;
        }
    }
    let rewrapped = begun.elapsed();
    is_done.store(true, Ordering::Relaxed);
    load.await.unwrap();
    let answer = socket::call(&socket_path, &Request::RootKeyStatus).await.unwrap();
    let Answer::RootKeys(lines) = answer else { panic!("{answer:?}") };
    for line in &lines {
        assert_eq!(line.is_removable, !line.is_current, "{lines:?}");
        if line.is_removable {
            let removed = socket::call(&socket_path, &Request::RemoveRootKey { id: line.id.clone() }).await;
            assert!(removed.is_ok(), "{removed:?}");
        }
    }
    child.kill();
    child.start().await;
    let served = served.load(Ordering::Relaxed);
    assert!(served > 0);
    format!("{served} served, 0 failed, {kills} old versions removed {rewrapped:.0?} after the last kill")
}
