//! The dashboard, through its real router, as a browser without script sees it.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, header},
};
use citadel_domain::{Environment, Role};
use citadel_server::router::{self, Permission};
use tower::ServiceExt;

use crate::{
    dashboard_support::{Browser, CODE, PASSWORD, form, make_code},
    support::{TestApp, for_each_db},
};

#[tokio::test]
async fn p58_the_first_owner_comes_with_a_code_that_works_once_for_an_hour() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        assert_eq!(browser.get("/").await.location, "/sign-in");
        make_code(&app).await;
        let csrf = browser.csrf("/set-up").await;
        let fields = |code, password| {
            [
                ("code", code),
                ("name", "Ada"),
                ("email", "ada@example.com"),
                ("password", password),
                ("client", "Acme"),
            ]
        };
        let wrong = "f".repeat(32);
        for (fields, problem) in [
            (fields(&wrong, PASSWORD), "not good"),
            (fields(CODE, "short"), "at least 12"),
            (fields(CODE, "ada@example.com"), "easily guessed"),
        ] {
            let page = browser.post("/set-up", &csrf, &fields).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST);
            assert!(page.text.contains(problem), "{problem}: {}", page.text);
        }
        app.advance(3600);
        let page = browser.post("/set-up", &csrf, &fields(CODE, PASSWORD)).await;
        assert!(page.text.contains("not good"), "after an hour: {}", page.text);
        app.sweep().await;

        let (_, codes) = browser.set_up().await;
        assert_eq!(codes.len(), 10);
        let late = Browser::new(&app);
        let csrf = late.csrf("/set-up").await;
        let page = late.post("/set-up", &csrf, &fields(CODE, PASSWORD)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "a code works once");
        let home = browser.get("/").await;
        assert!(
            home.location.starts_with("/c/") && home.location.ends_with("/sandbox/"),
            "{}",
            home.location
        );
        let start = browser.get(&home.location).await;
        assert!(start.text.contains("Acme Lending") && start.text.contains("Make a key"), "{}", start.text);
    })
    .await;
}

#[tokio::test]
async fn a_key_of_the_dashboard_calls_the_api_and_ends_at_once() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        browser.set_up().await;
        let keys = browser.get("/").await.location + "keys";
        let csrf = browser.csrf(&keys).await;
        let page = browser.post(&format!("{keys}/create"), &csrf, &[("name", "First <key>")]).await;
        let (secret, client_id) =
            (page.between("<code id=\"secret\">", "<"), page.between("<code id=\"client-id\">", "<"));
        assert!(secret.starts_with("sandbox-"), "{secret}");
        let call = async |secret: &str| {
            let request = Request::get("/v1/providers/")
                .header("X-Access-Client-Id", &client_id)
                .header("X-Access-Secret", secret);
            app.send(request.body(Body::empty()).unwrap()).await.status
        };
        assert_eq!(call(&secret).await, StatusCode::OK);
        let page = browser.get(&keys).await;
        assert!(!page.text.contains(&secret), "a secret is shown once");
        assert!(page.text.contains(&format!("sandbox-…{}", &secret[secret.len() - 4..])), "{}", page.text);
        assert!(page.text.contains("First &#60;key&#62;"), "{}", page.text);

        let fields = [("origins", "https://app.example.com\nhttps://other.example.com")];
        let page = browser.post(&keys.replace("keys", "origins"), &csrf, &fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
        assert!(browser.get(&keys).await.text.contains("https://other.example.com"));
        let page =
            browser.post(&keys.replace("keys", "origins"), &csrf, &[("origins", "app.example.com")]).await;
        assert!(
            page.status == StatusCode::BAD_REQUEST && page.text.contains("is not a web origin"),
            "{}",
            page.text
        );

        let id = browser.get(&keys).await.field("id");
        // Of another environment the key is not.
        let elsewhere = keys.replace("/sandbox/", "/dev/") + "/delete";
        assert_eq!(browser.post(&elsewhere, &csrf, &[("id", &id)]).await.status, StatusCode::NOT_FOUND);
        browser.post(&format!("{keys}/delete"), &csrf, &[("id", &id)]).await;
        assert_eq!(call(&secret).await, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn p53_a_session_that_ended_is_not_taken_again() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        let (seed, codes) = browser.set_up().await;
        let is_in = async |cookies: &BTreeMap<String, String>| {
            let other = Browser::new(&app);
            other.cookies.replace(cookies.clone());
            other.get("/account").await.status == StatusCode::OK
        };
        let snapshot = || browser.cookies.borrow().clone();
        let sign_in = async || {
            app.advance(60);
            // As in another browser: whoever is signed in is not asked.
            browser.cookies.borrow_mut().clear();
            let page = browser.sign_in("ada@example.com", PASSWORD).await;
            assert!(page.location.starts_with("/code"), "{}", page.text);
            let half = snapshot();
            assert!(!is_in(&half).await, "a password alone is not enough");
            assert_eq!(browser.prove(&seed).await.location, "/");
            assert!(is_in(&snapshot()).await);
            assert!(!is_in(&half).await, "the name from before the second factor has ended");
            snapshot()
        };
        let post = async |path: &str, fields: &[(&str, &str)]| {
            let csrf = browser.csrf("/account").await;
            browser.post(path, &csrf, fields).await
        };

        let first = snapshot();
        post("/sign-out", &[]).await;
        assert!(!is_in(&first).await, "signed out");

        let second = sign_in().await;
        let id = browser.get("/account").await.field("id");
        post("/account/sessions/end", &[("id", &id)]).await;
        assert!(!is_in(&second).await, "ended from the list");

        let third = sign_in().await;
        let fourth = sign_in().await;
        assert!(is_in(&third).await && third != fourth);
        let new = "another-walrus-teapot-17";
        let page = post("/account/password", &[("old", PASSWORD), ("new", new)]).await;
        assert_eq!(page.location, "/account?done=password", "{}", page.text);
        assert!(!is_in(&third).await && is_in(&fourth).await, "another password ends the others");
        app.advance(60);
        let page = browser.prove(&seed).await;
        assert_eq!(page.location, "/");
        assert!(!is_in(&fourth).await, "a second proof gives the session another name");
        let fifth = snapshot();
        browser.add_factor().await;
        assert!(!is_in(&fifth).await && is_in(&snapshot()).await, "another factor ends them all");

        let idle = snapshot();
        app.advance(1799);
        assert!(is_in(&idle).await);
        app.advance(1801);
        assert!(!is_in(&idle).await, "thirty minutes without a click");
        drop(codes);
    })
    .await;
}

#[tokio::test]
async fn p53_a_session_lasts_twelve_hours_at_most() {
    let app = TestApp::on_sqlite().await;
    let browser = Browser::new(&app);
    browser.set_up().await;
    for _ in 0..28 {
        app.advance(25 * 60);
        assert_eq!(browser.get("/account").await.status, StatusCode::OK);
    }
    app.advance(21 * 60);
    assert_eq!(browser.get("/account").await.location, "/sign-in?next=%2Faccount");
    app.sweep().await;
}

#[tokio::test]
async fn p54_forms_from_elsewhere_do_nothing() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        browser.set_up().await;
        let home = browser.get("/").await.location;
        let csrf = browser.csrf("/account").await;
        let client_id = home.split('/').nth(2).unwrap().to_owned();
        let mut tried = 0;
        for (path, _) in router::dashboard_permissions(app.app.clone()) {
            let path = path
                .replace("{client_id}", &client_id)
                .replace("{environment}", "sandbox")
                .replace("{token}", CODE);
            let way = |site: Option<&str>, origin: Option<&str>, token: &str| {
                let mut request = browser.request(Method::POST, &path);
                for (name, value) in [("sec-fetch-site", site), ("origin", origin)] {
                    if let Some(value) = value {
                        request = request.header(name, value);
                    }
                }
                let fields = [
                    ("email", "eve@example.com"),
                    ("role", "owner"),
                    ("client", ""),
                    ("name", "Eve"),
                    ("code", CODE),
                ];
                request.body(form(token, &fields)).unwrap()
            };
            for request in [
                way(Some("cross-site"), Some("https://evil.example.com"), &csrf),
                way(Some("same-site"), Some("http://evil.test"), &csrf),
                way(None, Some("https://evil.example.com"), &csrf),
                way(None, Some("null"), &csrf),
                way(None, None, &csrf),
                way(Some("same-origin"), Some("http://dashboard.test"), &"0".repeat(32)),
            ] {
                let page = browser.send(request).await;
                assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}: {}", page.text);
                tried += 1;
            }
        }
        assert!(tried >= 6 * 20, "{tried}");
        let page = browser.get("/members").await;
        assert!(!page.text.contains("eve@example.com"), "{}", page.text);
        assert_eq!(browser.get("/account").await.status, StatusCode::OK, "nobody was signed out");
    })
    .await;
}

#[tokio::test]
async fn p55_one_code_is_taken_once_however_often_it_is_sent() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        let (seed, codes) = browser.set_up().await;
        let totp = {
            app.advance(60);
            browser.totp(&seed)
        };
        for code in [totp.as_str(), codes[0].as_str()] {
            let mut browsers = Vec::new();
            for _ in 0..50 {
                let other = Browser::new(&app);
                other.sign_in("ada@example.com", PASSWORD).await;
                let csrf = other.csrf("/code").await;
                browsers.push((other, csrf));
            }
            let mut sent = Vec::new();
            for (other, csrf) in &browsers {
                let request = other.request(Method::POST, "/code").header("sec-fetch-site", "same-origin");
                let request = request.body(form(csrf, &[("code", code)])).unwrap();
                sent.push(tokio::spawn(other.router.clone().oneshot(request)));
            }
            let mut taken = 0;
            for answer in sent {
                let status = answer.await.unwrap().unwrap().status();
                assert!(
                    [StatusCode::SEE_OTHER, StatusCode::UNAUTHORIZED, StatusCode::TOO_MANY_REQUESTS]
                        .contains(&status)
                );
                taken += u32::from(status == StatusCode::SEE_OTHER);
            }
            assert_eq!(taken, 1, "{code}");
            app.advance(3600);
        }
    })
    .await;
}

#[tokio::test]
async fn p55_a_new_password_by_link_does_not_skip_the_second_factor() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let (member, seed) = owner.invite("bo@example.com", Role::Viewer, "").await;
        let page = owner.get("/members").await;
        let row = page.between("bo@example.com</td>", "</tr>");
        let id = row.split_once("name=\"id\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
        let page = owner.post("/members/reset-password", &page.field("csrf"), &[("id", &id)]).await;
        let url = page.between("<code id=\"invitation\">", "<");
        let path = url.strip_prefix("http://dashboard.test").unwrap();
        let thief = Browser::new(&app);
        let csrf = thief.csrf(path).await;
        let new = "another-walrus-teapot-17";
        assert_eq!(thief.post(path, &csrf, &[("password", new)]).await.location, "/code");
        assert_eq!(thief.get("/account").await.location, "/code?next=%2Faccount");
        assert_eq!(thief.get("/factor").await.status, StatusCode::FORBIDDEN, "nor can it be replaced");
        assert_eq!(member.get("/account").await.location, "/sign-in?next=%2Faccount", "other sessions ended");
        app.advance(60);
        assert!(member.sign_in("bo@example.com", PASSWORD).await.status == StatusCode::UNAUTHORIZED);
        app.advance(60);
        member.sign_in("bo@example.com", new).await;
        assert_eq!(member.prove(&seed).await.location, "/");
    })
    .await;
}

#[tokio::test]
async fn p56_every_route_opens_to_the_roles_that_it_names_and_to_nobody_else() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        let (owner_seed, _) = owner.set_up().await;
        let (developer, developer_seed) = owner.invite("dev@example.com", Role::Developer, "").await;
        let (viewer, viewer_seed) = owner.invite("view@example.com", Role::Viewer, "").await;
        let client_id = owner.get("/").await.location.split('/').nth(2).unwrap().to_owned();
        let nobody = Browser::new(&app);
        let all = router::dashboard_permissions(app.app.clone());
        assert!(all.len() >= 20, "{}", all.len());
        for is_fresh in [true, false] {
            if !is_fresh {
                app.advance(301);
            }
            for (browser, role) in [
                (&nobody, None),
                (&viewer, Some(Role::Viewer)),
                (&developer, Some(Role::Developer)),
                (&owner, Some(Role::Owner)),
            ] {
                let csrf = browser.csrf(if role.is_some() { "/account" } else { "/sign-in" }).await;
                for (path, permission) in &all {
                    // They end the session, or begin another.
                    if ["/sign-out", "/sign-in", "/set-up", "/code", "/factor"].contains(&path.as_str()) {
                        continue;
                    }
                    let path = path
                        .replace("{client_id}", &client_id)
                        .replace("{environment}", "sandbox")
                        .replace("{token}", CODE);
                    for method in [Method::GET, Method::POST] {
                        let request =
                            browser.request(method.clone(), &path).header("sec-fetch-site", "same-origin");
                        let page = browser.send(request.body(form(&csrf, &[])).unwrap()).await;
                        let needed = match permission {
                            Permission::As(role) | Permission::Fresh(role) => Some(*role),
                            _ => None,
                        };
                        let asks_factor =
                            matches!(permission, Permission::Fresh(_) | Permission::FreshMember);
                        let what = format!(
                            "{method} {path} as {role:?}, fresh {is_fresh}: {} {}",
                            page.status, page.location
                        );
                        if *permission == Permission::Open {
                            assert!(!page.location.starts_with("/sign-in"), "{what}");
                        } else if role.is_none() {
                            assert!(page.location.starts_with("/sign-in"), "{what}");
                        } else if needed.is_some_and(|needed| role < Some(needed)) {
                            assert_eq!(page.status, StatusCode::FORBIDDEN, "{what}");
                        } else if asks_factor && !is_fresh {
                            assert!(page.location.starts_with("/code"), "{what}");
                        } else {
                            // What the handler makes of an empty form is its own affair.
                            assert!(
                                page.status != StatusCode::FORBIDDEN
                                    && page.status != StatusCode::UNAUTHORIZED,
                                "{what}"
                            );
                            assert!(
                                !page.location.starts_with("/code") && !page.location.starts_with("/sign-in"),
                                "{what}"
                            );
                            assert!(!page.status.is_server_error(), "{what}");
                        }
                    }
                }
            }
        }
        drop((owner_seed, developer_seed, viewer_seed));
    })
    .await;
}

#[tokio::test]
async fn p56_a_role_is_taken_at_once_and_the_last_owner_stays() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let (other, _) = owner.invite("bo@example.com", Role::Owner, "").await;
        assert_eq!(other.get("/members").await.status, StatusCode::OK);
        let page = owner.get("/members").await;
        let id_of = |email: &str| {
            let row = page.between(&format!("{email}</td>"), "</tr>");
            row.split_once("name=\"id\" value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
        };
        let (ada, bo, csrf) = (id_of("ada@example.com"), id_of("bo@example.com"), page.field("csrf"));
        owner.post("/members/role", &csrf, &[("id", &bo), ("role", "viewer")]).await;
        assert_eq!(other.get("/members").await.status, StatusCode::FORBIDDEN, "at once");
        for (path, fields) in [
            ("/members/role", vec![("id", ada.as_str()), ("role", "viewer")]),
            ("/members/remove", vec![("id", ada.as_str())]),
        ] {
            let page = owner.post(path, &csrf, &fields).await;
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{path}");
            assert!(page.text.contains("last owner"), "{}", page.text);
        }
        owner.post("/members/remove", &csrf, &[("id", &bo)]).await;
        assert_eq!(other.get("/account").await.location, "/sign-in?next=%2Faccount", "removed");
        assert_eq!(other.sign_in("bo@example.com", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    })
    .await;
}

#[tokio::test]
async fn p05_a_member_of_one_client_meets_no_other() {
    for_each_db(async |app| {
        let owner = Browser::new(&app);
        owner.set_up().await;
        let own = owner.get("/").await.location.split('/').nth(2).unwrap().to_owned();
        let foreign = app.client_in("Other Company", Environment::Sandbox).await.id.to_string();
        let (member, _) = owner.invite("one@example.com", Role::Owner, &own).await;
        let random = "0".repeat(32);
        for (path, _) in router::dashboard_permissions(app.app.clone()) {
            if !path.contains("{client_id}") {
                continue;
            }
            for id in [&foreign, &random] {
                let path = path.replace("{client_id}", id).replace("{environment}", "sandbox");
                let page = member.get(&path).await;
                assert!(
                    [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&page.status),
                    "{path}: {}",
                    page.status
                );
                let csrf = member.csrf("/account").await;
                let page = member.post(&path, &csrf, &[("name", "x"), ("origins", ""), ("id", CODE)]).await;
                assert!(
                    [StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED].contains(&page.status),
                    "{path}: {}",
                    page.status
                );
            }
        }
        for text in
            [member.get("/members").await.text, member.get(&format!("/c/{own}/sandbox/keys")).await.text]
        {
            assert!(!text.contains("Other Company") && !text.contains("ada@example.com"), "{text}");
        }
    })
    .await;
}

#[tokio::test]
async fn p46_wrong_passwords_make_one_wait_and_lock_nobody_out_elsewhere() {
    for_each_db(async |app| {
        let browser = Browser::new(&app);
        let (seed, _) = browser.set_up().await;
        let thief = Browser::new(&app);
        let mut waited = 0;
        for _ in 0..5 {
            let page = thief.sign_in("ada@example.com", "wrong-wrong-wrong").await;
            waited += u32::from(page.status == StatusCode::TOO_MANY_REQUESTS);
        }
        assert_eq!(waited, 4, "the first try is answered, the others come too soon");
        app.advance(2);
        assert_eq!(
            thief.sign_in("ada@example.com", "wrong-wrong-wrong").await.status,
            StatusCode::UNAUTHORIZED
        );
        app.advance(3600);
        assert!(browser.sign_in("ada@example.com", PASSWORD).await.location.starts_with("/code"));
        assert_eq!(browser.prove(&seed).await.location, "/");
    })
    .await;
}

#[tokio::test]
async fn another_name_of_the_host_is_refused_or_led_to_the_right_one() {
    let app = TestApp::on_sqlite().await;
    let browser = Browser::new(&app);
    let ask = async |host: &str, path: &str| {
        let request = Request::get(path).header(header::HOST, host).body(Body::empty()).unwrap();
        browser.send(request).await
    };
    let page = ask("127.0.0.1:8701", "/sign-in?next=%2Faccount").await;
    assert_eq!(page.location, "http://dashboard.test/sign-in?next=%2Faccount");
    let page = ask("evil.example.com", "/sign-in").await;
    assert_eq!(page.status, StatusCode::MISDIRECTED_REQUEST);
    assert!(page.text.contains("CITADEL_DASHBOARD_URL"), "{}", page.text);
    // Where one goes after the sign-in is a page of ours, whatever the address says.
    for next in ["//evil.example.com/", "https://evil.example.com/", "/\\evil.example.com"] {
        let next: String = form_urlencoded::byte_serialize(next.as_bytes()).collect();
        let page = browser.get(&format!("/sign-in?next={next}")).await;
        assert!(!page.text.contains("evil"), "{}", page.text);
    }
}
