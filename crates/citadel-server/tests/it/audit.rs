//! P25, P26: what is done is in the audit trail, once, with who, what, whose, when, and in which call.
//!
//! To add an act, do it in one of the stories below and say what its entry is; then take its word off [`ELSEWHERE`].

use std::{collections::HashSet, fs, os::unix::fs::PermissionsExt, sync::Arc};

use axum::http::StatusCode;
use citadel_domain::{ClientId, Clock, tokens::hex};
use citadel_server::{
    admin::{Admin, Answer, Request as Order, audit::Wanted},
    config::Profile,
    jobs,
    jobs::rewrap,
    system::SystemRandom,
    trail,
};
use citadel_store::audit::{
    self, Act, ActorKind, Filter, ObjectKind, Outcome, Record, SERVER,
    verify::{self, Finding},
};
use serde_json::json;

use crate::support::{ROOT_KEY, TestApp, TestClient, for_each_db};

const DAY: i64 = 24 * 3600;

/// Words of the trail whose entries other tests look for, or whose acts are yet to come.
const ELSEWHERE: &[Act] = &[
    // Of a start, the command line and an upgrade: the tests of `citadel audit` and of backups in citadel-cli.
    Act::ServerStarted,
    Act::ConfigurationChanged,
    Act::SchemaMigrated,
    Act::BackupRestored,
    Act::BackupSettled,
    // Of the policy that ends an access token: below.
    Act::AccessTokenRevoked,
    // Of the consumer's page: tests/it/consumer.rs.
    Act::ConsentRevoked,
    Act::PersonFileMade,
    Act::DisputeFlagged,
    Act::DisputeLifted,
    // Of the dashboard.
    Act::ClientChanged,
    Act::OriginsChanged,
    Act::DataRevealed,
    Act::ExportMade,
    Act::HoldSet,
    Act::HoldLifted,
    Act::SignInLimited,
    Act::OwnerSetUp,
    Act::MemberSignedIn,
    Act::MemberSignInRefused,
    Act::MemberSignedOut,
    Act::MemberInvited,
    Act::MemberInvitationEnded,
    Act::MemberJoined,
    Act::MemberRoleChanged,
    Act::MemberDisabled,
    Act::MemberRemoved,
    Act::PasswordChanged,
    Act::PasswordResetAsked,
    Act::PasswordReset,
    Act::FactorAdded,
    Act::FactorRemoved,
    Act::FactorConfirmed,
    Act::FactorRefused,
    Act::RecoveryCodesMade,
    Act::RecoveryCodeUsed,
    Act::SessionEnded,
    Act::PermissionRefused,
    Act::RequestLogViewed,
];

/// Reads what is new in some chains.
struct Reader<'a> {
    app: &'a TestApp,
    /// Up to which number each chain was read.
    chains: Vec<(ClientId, i64)>,
    seen: HashSet<Act>,
}

impl<'a> Reader<'a> {
    async fn of(app: &'a TestApp) -> Self {
        let mut reader = Self { app, chains: vec![(SERVER, 0)], seen: HashSet::new() };
        reader.news().await;
        reader
    }

    /// Reads this client's chain too, from its beginning.
    fn add(&mut self, client_id: ClientId) {
        self.chains.push((client_id, 0));
    }

    async fn news(&mut self) -> Vec<(ClientId, Record)> {
        trail::flush(&self.app.app).await.unwrap();
        let mut news = Vec::new();
        for (client_id, last) in &mut self.chains {
            let client_id = *client_id;
            let all = self
                .app
                .app
                .db
                .read(async move |tx| audit::list(tx, client_id, Filter::default(), None, 1000).await);
            let mut new: Vec<_> =
                all.await.unwrap().into_iter().filter(|entry| entry.number > *last).collect();
            new.reverse();
            *last = new.last().map_or(*last, |entry| entry.number);
            news.extend(new.into_iter().map(|entry| (client_id, entry)));
        }
        news
    }

    /// What is new is these entries and no other, in this order.
    async fn expect(&mut self, expected: &[(Act, ActorKind, ObjectKind)]) -> Vec<Record> {
        self.expect_with(expected, Outcome::Done).await
    }

    async fn expect_with(
        &mut self,
        expected: &[(Act, ActorKind, ObjectKind)],
        outcome: Outcome,
    ) -> Vec<Record> {
        let news = self.news().await;
        let words: Vec<_> = news
            .iter()
            .map(|(_, entry)| {
                [&entry.act, &entry.actor_kind, &entry.object_kind, &entry.outcome].map(String::as_str)
            })
            .collect();
        let wanted: Vec<_> = expected
            .iter()
            .map(|(act, actor, object)| [act.as_str(), actor.as_str(), object.as_str(), outcome.as_str()])
            .collect();
        assert_eq!(words, wanted, "{news:?}");
        for ((client_id, entry), (act, actor, object)) in news.iter().zip(expected) {
            self.check(*client_id, entry, *act, *actor, *object);
        }
        news.into_iter().map(|(_, entry)| entry).collect()
    }

    fn check(&mut self, client_id: ClientId, entry: &Record, act: Act, actor: ActorKind, object: ObjectKind) {
        self.seen.insert(act);
        let is_called =
            matches!(actor, ActorKind::AccessKey | ActorKind::Consumer) || act == Act::AccessKeyRefused;
        let is_id = |id: &String| id.len() == 32;
        assert_eq!(entry.request_id.as_ref().is_some_and(is_id), is_called, "{entry:?}");
        let has_actor = matches!(actor, ActorKind::AccessKey | ActorKind::Consumer);
        assert_eq!(entry.actor_id.is_some(), has_actor, "{entry:?}");
        let has_object = !matches!(object, ObjectKind::Sandbox | ObjectKind::RootKey | ObjectKind::Server);
        assert_eq!(entry.object_id.is_some(), has_object, "{entry:?}");
        assert!(
            client_id == SERVER || entry.environment.is_some() || actor == ActorKind::Operator,
            "{entry:?}"
        );
        let age = self.app.clock.now().duration_since(entry.at);
        assert!((0..=60).contains(&age.as_secs()), "{entry:?}");
    }

    /// One act of a client's back end.
    async fn by_key(&mut self, act: Act, object: ObjectKind) -> Record {
        self.expect(&[(act, ActorKind::AccessKey, object)]).await.remove(0)
    }
}

/// The command line, beside this server.
fn admin(app: &TestApp) -> Admin {
    let kind = if app.app.db.is_embedded() { "sqlite" } else { "postgres" };
    let path = std::env::temp_dir().join(format!("citadel-audit-key-{kind}-{}", std::process::id()));
    fs::write(&path, format!("{}\n", hex(&ROOT_KEY))).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    Admin {
        db: app.app.db.clone(),
        keyring: Arc::clone(&app.app.keyring),
        clock: app.clock.clone(),
        random: Arc::new(SystemRandom),
        profile: Profile::Production,
        root_key_file: path,
        sandbox_now: None,
    }
}

async fn perform(admin: &Admin, order: Order) -> Answer {
    admin.perform(order).await.unwrap()
}

async fn findings(app: &TestApp) -> Vec<Finding> {
    let (mut place, mut found) = (None, Vec::new());
    loop {
        let keyring = Arc::clone(&app.app.keyring);
        let page =
            app.app.db.read(async move |tx| verify::page(tx, &keyring, place, 50).await).await.unwrap();
        found.extend(page.finding);
        place = page.next;
        if place.is_none() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p26_every_act_leaves_one_entry() {
    for_each_db(async |app| {
        let mut reader = Reader::of(&app).await;
        let admin = admin(&app);
        let client = by_operator(&mut reader, &admin).await;
        by_back_end(&mut reader, &client).await;
        about_people(&mut reader, &client).await;
        by_the_server(&mut reader, &client).await;
        at_the_end(&mut reader, &admin, &client).await;
        let _ = fs::remove_file(&admin.root_key_file);

        let elsewhere: HashSet<_> = ELSEWHERE.iter().copied().collect();
        let missing: Vec<_> =
            Act::ALL.iter().filter(|act| !reader.seen.contains(act) && !elsewhere.contains(act)).collect();
        assert!(missing.is_empty(), "nobody looks for {missing:?}");
        let twice: Vec<_> = reader.seen.intersection(&elsewhere).collect();
        assert!(twice.is_empty(), "{twice:?} are looked for here");
        assert_eq!(findings(&app).await, []);
    })
    .await;
}

async fn by_operator<'a>(reader: &mut Reader<'a>, admin: &Admin) -> TestClient<'a> {
    use ActorKind::Operator;
    let order = Order::CreateClient { name: "acme".to_owned(), origins: vec![] };
    let Answer::ClientCreated { client_id, secret } = perform(admin, order).await else { panic!() };
    reader.add(client_id);
    let made = [
        (Act::ClientCreated, Operator, ObjectKind::Client),
        (Act::AccessKeyCreated, Operator, ObjectKind::AccessKey),
    ];
    let made = reader.expect(&made).await;
    let order = Order::CreateKey { client_id, environment: "dev".to_owned(), is_masked: false };
    let Answer::KeyCreated { key_id, .. } = perform(admin, order).await else { panic!() };
    reader.expect(&[(Act::AccessKeyCreated, Operator, ObjectKind::AccessKey)]).await;
    perform(admin, Order::DeleteKey { client_id, key_id }).await;
    reader.expect(&[(Act::AccessKeyDeleted, Operator, ObjectKind::AccessKey)]).await;
    perform(admin, Order::NoteBackup { rows: 3 }).await;
    reader.expect(&[(Act::BackupMade, Operator, ObjectKind::Server)]).await;
    let wanted = Wanted { client_id: Some(client_id), since: None, act: None, object_id: None, before: None };
    let Answer::AuditEntries(listed) = perform(admin, Order::ListAudit(wanted)).await else { panic!() };
    assert_eq!(listed.len(), 4);
    reader.expect(&[(Act::AuditListed, Operator, ObjectKind::Client)]).await;
    let key_id = made[1].object_id.unwrap().to_string().parse().unwrap();
    TestClient { app: reader.app, id: client_id, key_id, secret: secret.expose().to_owned() }
}

async fn by_back_end(reader: &mut Reader<'_>, client: &TestClient<'_>) {
    let made = client.post("/v1/keys/", json!({})).await.json();
    reader.by_key(Act::AccessKeyCreated, ObjectKind::AccessKey).await;
    client.post("/v1/keys/deactivate/", json!({"id": made["id"]})).await;
    reader.by_key(Act::AccessKeyDeleted, ObjectKind::AccessKey).await;

    let made = client.post("/v1/templates/", json!({"name": "Plain"})).await.json();
    reader.by_key(Act::TemplateCreated, ObjectKind::Template).await;
    let path = format!("/v1/templates/{}/", made["id"].as_str().unwrap());
    client.patch(&path, json!({"name": "Plainer"})).await;
    reader.by_key(Act::TemplateChanged, ObjectKind::Template).await;
    client.delete(&path).await;
    reader.by_key(Act::TemplateDeleted, ObjectKind::Template).await;
    assert_eq!(client.delete(&path).await.status, StatusCode::NOT_FOUND);

    let (id, _) = client.webhook("https://acme.example/hook").await;
    reader.by_key(Act::WebhookCreated, ObjectKind::Webhook).await;
    for (named, object) in [(Some(&id), ObjectKind::Webhook), (None, ObjectKind::Client)] {
        let body = json!({"created_at__gte": "2026-11-18T15:00:00Z", "webhook_id": named});
        let reply = client.post("/v1/events/resend/", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let resent = reader.by_key(Act::EventsResent, object).await;
        assert_eq!(resent.detail, r#"{"deliveries":0}"#);
    }
    let path = format!("/v1/webhooks/{id}/");
    client.patch(&path, json!({"name": "Other", "enabled": false})).await;
    let changed = reader.by_key(Act::WebhookChanged, ObjectKind::Webhook).await;
    assert_eq!(changed.detail, r#"{"fields":["name","enabled"]}"#);
    client.post(&format!("{path}rotate-secret/"), json!({})).await;
    reader.by_key(Act::WebhookSecretRotated, ObjectKind::Webhook).await;
    assert_eq!(client.post(&format!("{path}rotate-secret/"), json!({})).await.status, StatusCode::CONFLICT);
    client.delete(&path).await;
    reader.by_key(Act::WebhookDeleted, ObjectKind::Webhook).await;

    // What is refused has no effect, and but for bad keys no entry.
    let bad =
        TestClient { app: client.app, id: client.id, key_id: client.key_id, secret: "wrong".to_owned() };
    for _ in 0..3 {
        assert_eq!(bad.get("/v1/tasks/").await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = [(Act::AccessKeyRefused, ActorKind::Stranger, ObjectKind::Client)];
    let refused = reader.expect_with(&refused, Outcome::Refused).await;
    assert_eq!(refused[0].detail, r#"{"times":3}"#);
}

async fn about_people(reader: &mut Reader<'_>, client: &TestClient<'_>) {
    let app = client.app;
    let user_id = client.user("jane").await;
    let reply = client.post(&format!("/v1/users/{user_id}/tokens/"), json!({"product_type": "income"})).await;
    let bridge_token = reply.json()["bridge_token"].as_str().unwrap().to_owned();
    let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    let given = reader.expect(&[(Act::ConsentGiven, ActorKind::Consumer, ObjectKind::Link)]).await;
    assert_eq!(given[0].detail, r#"{"products":["income"]}"#);
    app.run_jobs().await;
    let public_token = app.public_token(&bridge_token, &task_id).await;
    let link = client.exchange(&public_token).await.json();
    reader.by_key(Act::AccessTokenIssued, ObjectKind::Link).await;
    for _ in 0..2 {
        assert_eq!(client.exchange(&public_token).await.status, StatusCode::GONE);
    }
    let replayed = [(Act::PublicTokenReplayed, ActorKind::AccessKey, ObjectKind::Link)];
    let replayed = reader.expect_with(&replayed, Outcome::Refused).await;
    assert_eq!(replayed[0].detail, r#"{"times":2}"#);

    let (link_id, access_token) = (link["link_id"].as_str().unwrap(), &link["access_token"]);
    let report = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
    let released = reader.by_key(Act::DataReleased, ObjectKind::Link).await;
    assert_eq!(released.object_id.unwrap().to_string(), link_id);
    assert!(released.detail.starts_with(r#"{"data":"income","fields":["profile","ssn","#), "{released:?}");
    assert_eq!(released.request_id.unwrap(), report.header("x-request-id"));
    for part in
        ["employments", "employment", "identity", "statements", "bank_accounts", "tax", "income/report"]
    {
        let reply = client.get(&format!("/v1/links/{link_id}/{part}/")).await;
        assert_eq!(reply.status, StatusCode::OK, "{part}: {reply:?}");
        reader.by_key(Act::DataReleased, ObjectKind::Link).await;
    }
    let file = report.text().split("http://citadel.test").find(|text| text.starts_with("/files/")).unwrap();
    let reply = app.get(file.split('"').next().unwrap()).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    reader.expect(&[(Act::DocumentReleased, ActorKind::Stranger, ObjectKind::Link)]).await;

    let path = format!("/v1/users/{user_id}/");
    client.get(&path).await;
    reader.by_key(Act::DataReleased, ObjectKind::User).await;
    let made = client.post(&format!("{path}reports/"), json!({})).await.json();
    reader.by_key(Act::DataReleased, ObjectKind::User).await;
    client.get(&format!("{path}reports/{}/", made["report_id"].as_str().unwrap())).await;
    reader.by_key(Act::DataReleased, ObjectKind::User).await;

    let repair = json!({"product_type": "income", "access_token": access_token});
    let bridge_token = client.bridge_token_of(repair).await;
    app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
    app.run_jobs().await;
    reader.expect(&[(Act::ConsentRenewed, ActorKind::Consumer, ObjectKind::Link)]).await;
    client.delete(&format!("/v1/links/{link_id}/")).await;
    reader.by_key(Act::LinkDeleted, ObjectKind::Link).await;
    client.delete(&path).await;
    reader.by_key(Act::UserDeleted, ObjectKind::User).await;
}

async fn by_the_server(reader: &mut Reader<'_>, client: &TestClient<'_>) {
    use ActorKind::Server;
    let app = client.app;
    client.link("income").await;
    let made = [
        (Act::ConsentGiven, ActorKind::Consumer, ObjectKind::Link),
        (Act::AccessTokenIssued, ActorKind::AccessKey, ObjectKind::Link),
    ];
    reader.expect(&made).await;
    app.advance(366 * DAY);
    app.sweep().await;
    reader.expect(&[(Act::ConsentEnded, Server, ObjectKind::Link)]).await;
    app.advance(31 * DAY);
    jobs::retain(&app.app).await;
    let news = reader.news().await;
    let words: HashSet<_> = news.iter().map(|(_, entry)| entry.act.as_str()).collect();
    assert_eq!(words, HashSet::from(["link_deleted", "retention_ran"]), "{news:?}");
    let erased = news.iter().find(|(_, entry)| entry.act == "link_deleted").unwrap();
    assert_eq!(erased.1.detail, r#"{"why":"consent ended"}"#);
    for (client_id, entry) in news.iter().filter(|(_, entry)| entry.act == "retention_ran") {
        reader.check(*client_id, entry, Act::RetentionRan, Server, ObjectKind::Server);
    }
    client.post("/v1/sandbox/clock/", json!({"advance": "P1D"})).await;
    reader.by_key(Act::SandboxClockTurned, ObjectKind::Sandbox).await;
    client.post("/v1/sandbox/reset/", json!({})).await;
    reader.by_key(Act::SandboxReset, ObjectKind::Sandbox).await;
}

async fn at_the_end(reader: &mut Reader<'_>, admin: &Admin, client: &TestClient<'_>) {
    use ActorKind::Operator;
    let app = client.app;
    let (keyring, now) = (Arc::clone(&app.app.keyring), app.clock.now());
    app.app.db.write(async move |tx| citadel_store::root_keys::keep(tx, &keyring, now).await).await.unwrap();
    // Of two versions of one instant nobody could tell which came later.
    app.advance(1);
    let Answer::RootKeys(versions) = perform(admin, Order::RootKeyStatus).await else { panic!() };
    let mut expected = vec![(Act::RootKeyAdded, Operator, ObjectKind::RootKey)];
    perform(admin, Order::RotateRootKey).await;
    if !app.app.db.is_embedded() {
        reader.expect(&expected).await;
        expected.clear();
        perform(admin, Order::RotateRootKey).await;
    }
    expected.push((Act::RootKeyRotated, Operator, ObjectKind::RootKey));
    reader.expect(&expected).await;
    reader.seen.insert(Act::RootKeyAdded);
    app.advance(120);
    rewrap::look(&app.app.db, &app.app.keyring, app.clock.now()).await.unwrap();
    reader.expect(&[(Act::RootKeyEmptied, ActorKind::Server, ObjectKind::RootKey)]).await;
    perform(admin, Order::RemoveRootKey { id: versions[0].id.clone() }).await;
    let removed = reader.expect(&[(Act::RootKeyRemoved, Operator, ObjectKind::RootKey)]).await;
    assert_eq!(removed[0].detail, format!(r#"{{"version":"{}"}}"#, versions[0].id));
    perform(admin, Order::DeleteClient { client_id: client.id }).await;
    reader.expect(&[(Act::ClientDeleted, Operator, ObjectKind::Client)]).await;
}

/// An address that nobody may know leaves no chain, and many names fill no disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p26_strangers_fill_no_disk() {
    for_each_db(async |app| {
        let mut reader = Reader::of(&app).await;
        for number in 0..100 {
            let id = ClientId::from_bytes([number + 1; 16]);
            let client = app.client("acme").await;
            let stranger = TestClient { id, ..client };
            assert_eq!(stranger.get("/v1/tasks/").await.status, StatusCode::UNAUTHORIZED);
        }
        let news = reader.news().await;
        assert_eq!(news.len(), 21, "{news:?}");
        assert!(
            news.iter().any(|(_, entry)| entry.detail == r#"{"object":"of many","times":80}"#),
            "{news:?}"
        );
        let chains = app.app.db.read(async |tx| audit::heads(tx).await).await.unwrap();
        assert_eq!(chains.len(), 1, "{chains:?}");
    })
    .await;
}

/// A replay under the stricter policy ends the access token, in one transaction with its entry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p26_a_replay_that_revokes_is_told() {
    for app in TestApp::each_with_replay_policy(citadel_server::config::ReplayPolicy::Revoke).await {
        let client = app.client("acme").await;
        let mut reader = Reader::of(&app).await;
        let public_token = client.connect("income").await;
        client.exchange(&public_token).await;
        reader.add(client.id);
        reader.news().await;
        assert_eq!(client.exchange(&public_token).await.status, StatusCode::GONE);
        let acts: Vec<_> =
            reader.news().await.into_iter().map(|(_, entry)| (entry.act, entry.outcome)).collect();
        let expected = [("access_token_revoked", "done"), ("public_token_replayed", "refused")];
        assert_eq!(acts, expected.map(|(act, outcome)| (act.to_owned(), outcome.to_owned())));
    }
}

/// The file and the log of heads: one line for each chain that has grown, and the whole trail holds against them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p25_heads_are_copied_out_and_read_back() {
    for_each_db(async |app| {
        let admin = admin(&app);
        let order = Order::CreateClient { name: "acme".to_owned(), origins: vec![] };
        perform(&admin, order).await;
        let _ = fs::remove_file(&admin.root_key_file);
        let path = admin.root_key_file.with_extension("heads");
        let _ = fs::remove_file(&path);
        let (db, now) = (&app.app.db, app.clock.now());
        let mut known = std::collections::HashMap::new();
        assert_eq!(trail::heads::export(db, &path, now, &mut known).await.unwrap(), 1);
        assert_eq!(trail::heads::export(db, &path, now, &mut known).await.unwrap(), 0);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let text = fs::read_to_string(&path).unwrap();
        // A start in between writes it again, and a crash half a line.
        let cut = format!("{text}{text}2026-");
        let heads = trail::heads::parse(&cut, &path).unwrap();
        assert_eq!(heads, db.read(async |tx| audit::heads(tx).await).await.unwrap());
        let refused = trail::heads::parse("nonsense\n", &path).unwrap_err();
        assert!(refused.starts_with("line 1 of "), "{refused}");
        let keyring = Arc::clone(&app.app.keyring);
        let found = db.read(async move |tx| verify::exported(tx, &keyring, &heads).await).await.unwrap();
        assert_eq!(found, []);
        let _ = fs::remove_file(&path);
    })
    .await;
}
