//! A browser without script at the dashboard's real router.

use std::{cell::RefCell, collections::BTreeMap};

use aws_lc_rs::hmac;
use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use citadel_domain::{Clock, Role};
use citadel_server::{
    purposes,
    router::{self, Api},
};
use citadel_store::members;
use http_body_util::BodyExt;
use tower::ServiceExt;

use crate::support::TestApp;

pub(crate) const HOST: &str = "dashboard.test";
pub(crate) const CODE: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const PASSWORD: &str = "correct-zebra-umbrella-92";

pub(crate) struct Page {
    pub(crate) status: StatusCode,
    pub(crate) location: String,
    pub(crate) text: String,
}

impl Page {
    /// The value of a hidden field.
    pub(crate) fn field(&self, name: &str) -> String {
        let (_, rest) = self.text.split_once(&format!("name=\"{name}\" value=\"")).expect(&self.text);
        rest.split_once('"').unwrap().0.to_owned()
    }

    pub(crate) fn between(&self, before: &str, after: &str) -> String {
        let (_, rest) = self.text.split_once(before).expect(&self.text);
        rest.split_once(after).unwrap().0.to_owned()
    }
}

/// A browser without script.
pub(crate) struct Browser<'a> {
    pub(crate) app: &'a TestApp,
    pub(crate) router: Api,
    pub(crate) cookies: RefCell<BTreeMap<String, String>>,
}

impl<'a> Browser<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        Self { app, router: router::dashboard(app.app.clone()), cookies: RefCell::default() }
    }

    pub(crate) fn cookie_line(&self) -> String {
        let cookies = self.cookies.borrow();
        cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Page {
        let response = self.router.clone().oneshot(request).await.unwrap();
        for line in response.headers().get_all(header::SET_COOKIE) {
            let line = line.to_str().unwrap();
            for attribute in ["Path=/", "Secure", "HttpOnly", "SameSite=Strict"] {
                assert!(line.contains(attribute), "{line}");
            }
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            assert!(name.starts_with("__Host-"), "{line}");
            self.cookies.borrow_mut().insert(name.to_owned(), value.to_owned());
        }
        let location =
            response.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        let status = response.status();
        if status == StatusCode::OK {
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{policy}"
            );
            assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        }
        // A stream has no end.
        let is_stream =
            response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let body = if is_stream { Body::empty() } else { response.into_body() };
        let bytes = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Page { status, location: location.unwrap_or_default(), text }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, HOST)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::COOKIE, self.cookie_line())
    }

    pub(crate) async fn get(&self, path: &str) -> Page {
        self.send(self.request(Method::GET, path).body(Body::empty()).unwrap()).await
    }

    /// Sends a form as the page has it.
    pub(crate) async fn post(&self, path: &str, csrf: &str, fields: &[(&str, &str)]) -> Page {
        let request = self.request(Method::POST, path).header("sec-fetch-site", "same-origin");
        self.send(request.body(form(csrf, fields)).unwrap()).await
    }

    /// The token of this visitor's forms.
    pub(crate) async fn csrf(&self, page: &str) -> String {
        self.get(page).await.field("csrf")
    }

    /// Enters a code of the authenticator app.
    pub(crate) async fn prove(&self, seed: &str) -> Page {
        let csrf = self.csrf("/code").await;
        self.post("/code", &csrf, &[("code", &self.totp(seed))]).await
    }

    pub(crate) fn totp(&self, seed: &str) -> String {
        let bits: Vec<u8> = seed
            .bytes()
            .map(|letter| b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".iter().position(|one| *one == letter).unwrap())
            .flat_map(|five| (0..5).rev().map(move |bit| (five >> bit & 1) as u8))
            .collect();
        let key: Vec<u8> =
            bits.chunks(8).map(|eight| eight.iter().fold(0, |byte, bit| byte << 1 | bit)).collect();
        let step = self.app.clock.now().as_second() / 30;
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), &step.to_be_bytes());
        let offset = usize::from(tag.as_ref()[19] & 15);
        let number = u32::from_be_bytes(tag.as_ref()[offset..offset + 4].try_into().unwrap());
        format!("{:06}", (number & 0x7fff_ffff) % 1_000_000)
    }

    /// Adds an authenticator app, and answers its seed and the recovery codes.
    pub(crate) async fn add_factor(&self) -> (String, Vec<String>) {
        let page = self.get("/factor").await;
        let seed = page.between("<code class=\"seed\">", "<");
        let fields = [("salt", page.field("salt")), ("code", self.totp(&seed))];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = self.post("/factor", &page.field("csrf"), &fields).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        let codes =
            page.text.split("<li><code>").skip(1).map(|rest| rest.split_once('<').unwrap().0.to_owned());
        (seed, codes.collect())
    }

    pub(crate) async fn sign_in(&self, email: &str, password: &str) -> Page {
        let csrf = self.csrf("/sign-in").await;
        self.post("/sign-in", &csrf, &[("email", email), ("password", password)]).await
    }

    /// The first owner, signed in; answers the seed and the recovery codes.
    pub(crate) async fn set_up(&self) -> (String, Vec<String>) {
        make_code(self.app).await;
        let csrf = self.csrf("/set-up").await;
        let fields =
            [("code", CODE), ("name", "Ada Owner"), ("email", "Ada@Example.com"), ("password", PASSWORD)];
        let fields = [&fields[..], &[("client", "Acme Lending")]].concat();
        let page = self.post("/set-up", &csrf, &fields).await;
        assert_eq!(
            (page.status, page.location.as_str()),
            (StatusCode::SEE_OTHER, "/factor"),
            "{}",
            page.text
        );
        self.add_factor().await
    }

    /// Has somebody join with this role, at every client or at one; answers their browser and seed.
    pub(crate) async fn invite(&self, email: &str, role: Role, client: &str) -> (Browser<'a>, String) {
        let csrf = self.csrf("/members").await;
        let fields = [("email", email), ("role", role.as_str()), ("client", client)];
        let page = self.post("/members/invite", &csrf, &fields).await;
        let url = page.between("<code id=\"invitation\">", "<");
        let path = url.strip_prefix("http://dashboard.test").unwrap();
        let other = Browser::new(self.app);
        let csrf = other.csrf(path).await;
        let page = other.post(path, &csrf, &[("name", "Somebody"), ("password", PASSWORD)]).await;
        assert_eq!(page.location, "/code", "{}", page.text);
        assert_eq!(other.get(path).await.status, StatusCode::NOT_FOUND, "an invitation works once");
        let (seed, _) = other.add_factor().await;
        (other, seed)
    }
}

pub(crate) fn form(csrf: &str, fields: &[(&str, &str)]) -> Body {
    let mut text = form_urlencoded::Serializer::new(String::new());
    text.append_pair("csrf", csrf).extend_pairs(fields);
    text.finish().into()
}

pub(crate) async fn make_code(app: &TestApp) {
    let hash = app.app.keyring.keyed_hash(purposes::SETUP_CODE, CODE);
    let end = app.clock.now() + jiff::SignedDuration::from_hours(1);
    app.app.db.write(async move |tx| members::add_setup_code(tx, &hash, end).await).await.unwrap();
}
