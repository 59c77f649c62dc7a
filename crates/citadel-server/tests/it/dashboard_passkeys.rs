//! Passkeys as a second factor, with an authenticator in software: ES256, no attestation, the user verified.

use std::cell::Cell;

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

use crate::{
    dashboard_support::{Browser, PASSWORD, Page},
    support::for_each_db,
};

const ORIGIN: &str = "http://dashboard.test";

/// What a telephone does.
struct Authenticator {
    key: EcdsaKeyPair,
    id: Vec<u8>,
    uses: Cell<u32>,
}

impl Authenticator {
    fn new(id: u8) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        Self { key, id: vec![id; 16], uses: Cell::new(0) }
    }

    /// Flags: the user is present and verified, and perhaps key material follows.
    fn data(&self, site: &str, has_key: bool) -> Vec<u8> {
        self.uses.set(self.uses.get() + 1);
        let mut data = digest(&SHA256, site.as_bytes()).as_ref().to_vec();
        data.push(if has_key { 0x45 } else { 0x05 });
        data.extend(self.uses.get().to_be_bytes());
        if has_key {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            let point = self.key.public_key().as_ref();
            // {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
            data.extend([0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
            data.extend(&point[1..33]);
            data.extend([0x22, 0x58, 0x20]);
            data.extend(&point[33..]);
        }
        data
    }

    fn client_data(kind: &str, options: &Value, origin: &str) -> Vec<u8> {
        let (kind, challenge) = (format!("webauthn.{kind}"), &options["challenge"]);
        serde_json::to_vec(
            &json!({"type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false}),
        )
        .unwrap()
    }

    fn create(&self, options: &Value) -> String {
        let data = self.data("dashboard.test", true);
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = vec![0xa3, 0x63];
        object.extend(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend(data);
        let id = BASE64.encode(&self.id);
        let response = json!({
            "attestationObject": BASE64.encode(object),
            "clientDataJSON": BASE64.encode(Self::client_data("create", options, ORIGIN)),
            "transports": ["internal"],
        });
        json!({"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response})
            .to_string()
    }

    fn get(&self, options: &Value, origin: &str) -> String {
        let data = self.data("dashboard.test", false);
        let client_data = Self::client_data("get", options, origin);
        let signed = [data.as_slice(), digest(&SHA256, &client_data).as_ref()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        let id = BASE64.encode(&self.id);
        let response = json!({
            "authenticatorData": BASE64.encode(data),
            "clientDataJSON": BASE64.encode(client_data),
            "signature": BASE64.encode(signature.as_ref()),
            "userHandle": null,
        });
        json!({"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": {}, "response": response})
            .to_string()
    }
}

/// The question in the page's form.
fn question(page: &Page) -> (Value, String) {
    let plain = |text: String| {
        text.replace("&#34;", "\"").replace("&#60;", "<").replace("&#62;", ">").replace("&#38;", "&")
    };
    let options = plain(page.between("data-options=\"", "\""));
    (serde_json::from_str(&options).unwrap(), plain(page.field("state")))
}

async fn create(browser: &Browser<'_>, page: &str, path: &str, phone: &Authenticator) -> Page {
    let page = browser.get(page).await;
    let (options, state) = question(&page);
    let answer = phone.create(&options);
    let fields = [("name", "My phone"), ("state", state.as_str()), ("answer", answer.as_str())];
    browser.post(path, &page.field("csrf"), &fields).await
}

async fn prove(browser: &Browser<'_>, phone: &Authenticator, origin: &str) -> Page {
    let page = browser.get("/code").await;
    let (options, state) = question(&page);
    let answer = phone.get(&options, origin);
    let fields = [("state", state.as_str()), ("answer", answer.as_str())];
    browser.post("/code/passkey", &page.field("csrf"), &fields).await
}

#[tokio::test]
async fn p55_a_passkey_is_a_second_factor() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        browser.set_up().await;
        let csrf = browser.csrf("/members").await;
        let fields = [("email", "eve@example.com"), ("role", "viewer"), ("client", "")];
        let page = browser.post("/members/invite", &csrf, &fields).await;
        let url = page.between("<code id=\"invitation\">", "<");
        let path = url.strip_prefix(ORIGIN).unwrap();
        let member = Browser::new(&app);
        let csrf = member.csrf(path).await;
        member.post(path, &csrf, &[("name", "Eve"), ("password", PASSWORD)]).await;
        assert_eq!(member.get("/code").await.location, "/factor", "nothing to prove oneself with yet");

        let phone = Authenticator::new(1);
        let page = create(&member, "/factor", "/factor/passkey", &phone).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        assert_eq!(page.text.matches("<li><code>").count(), 10, "recovery codes come with it");
        let account = member.get("/account").await;
        assert!(account.text.contains("My phone"), "{}", account.text);
        // The only factor stays.
        let passkeys = account.between("/account/passkeys/delete", "</form>");
        let id = passkeys.split_once("name=\"id\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let page = member.post("/account/passkeys/delete", &account.field("csrf"), &[("id", &id)]).await;
        assert!(page.text.contains("only second factor"), "{}", page.text);

        // Another day.
        member.cookies.borrow_mut().clear();
        assert!(member.sign_in("eve@example.com", PASSWORD).await.location.starts_with("/code"));
        assert_eq!(member.get("/account").await.location, "/code?next=%2Faccount");
        let page = prove(&member, &Authenticator::new(1), ORIGIN).await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "another key with the same name");
        app.advance(2);
        let page = prove(&member, &phone, "http://evil.test").await;
        assert_eq!(page.status, StatusCode::UNAUTHORIZED, "an answer to another site");
        app.advance(5);

        // Taken and replayed.
        let page = member.get("/code").await;
        let (options, state) = question(&page);
        let answer = phone.get(&options, ORIGIN);
        let fields = [("state", state.as_str()), ("answer", answer.as_str())];
        let before = member.cookies.borrow().clone();
        let taken = member.post("/code/passkey", &page.field("csrf"), &fields).await;
        assert_eq!((taken.status, taken.location.as_str()), (StatusCode::SEE_OTHER, "/"), "{}", taken.text);
        assert_eq!(member.get("/account").await.status, StatusCode::OK);
        let after = member.cookies.replace(before);
        assert_ne!(
            member.post("/code/passkey", &page.field("csrf"), &fields).await.location,
            "/",
            "the old session has ended"
        );
        // The same answer in the new session.
        member.cookies.replace(after);
        let page = member.get("/code").await;
        let replayed = member.post("/code/passkey", &page.field("csrf"), &fields).await;
        assert_eq!(replayed.status, StatusCode::UNAUTHORIZED);

        // A question of more than five minutes ago.
        app.advance(60);
        let page = member.get("/code").await;
        let (options, state) = question(&page);
        app.advance(301);
        let answer = phone.get(&options, ORIGIN);
        let fields = [("state", state.as_str()), ("answer", answer.as_str())];
        let late = member.post("/code/passkey", &page.field("csrf"), &fields).await;
        assert_eq!(late.status, StatusCode::UNAUTHORIZED);
        app.advance(60);
        assert_eq!(prove(&member, &phone, ORIGIN).await.location, "/");
    })
    .await;
}

#[tokio::test]
async fn p55_passkeys_are_added_and_deleted_beside_an_app() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        let (seed, _) = browser.set_up().await;
        let phone = Authenticator::new(2);
        let page = create(&browser, "/account", "/account/passkeys", &phone).await;
        assert_eq!(page.location, "/account?done=passkey", "{}", page.text);
        app.advance(301);
        let page = browser.get("/account").await;
        assert!(page.text.contains("Confirm that it is you") && !page.text.contains("data-options"));
        assert_eq!(prove(&browser, &phone, ORIGIN).await.location, "/", "in place of a code");
        app.advance(301);
        assert_eq!(browser.prove(&seed).await.location, "/", "and the other way round");
        let account = browser.get("/account").await;
        let passkeys = account.between("/account/passkeys/delete", "</form>");
        let id = passkeys.split_once("name=\"id\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let page = browser.post("/account/passkeys/delete", &account.field("csrf"), &[("id", &id)]).await;
        assert_eq!(page.location, "/account?done=passkey-deleted", "{}", page.text);
        assert!(!browser.get("/code").await.text.contains("data-passkey"));
    })
    .await;
}
