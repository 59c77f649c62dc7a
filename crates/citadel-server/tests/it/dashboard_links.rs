//! Links and tasks on the dashboard: found, masked, revealed, ended.

use axum::http::{Method, StatusCode};
use citadel_domain::{AccessKeyId, ClientId, Environment, LinkId, Role};
use citadel_server::router;
use citadel_store::{
    Value as Param,
    audit::{self, Act, Filter, Record},
    holds,
};
use serde_json::{Value, json};

use crate::{
    dashboard_support::{Browser, Page},
    support::{TestApp, TestClient, for_each_db},
};

/// An owner's browser, and the back end of the client that came with it.
pub(crate) async fn owner_with_client(app: &TestApp) -> (Browser<'_>, TestClient<'_>) {
    let browser = Browser::new(app);
    browser.set_up().await;
    let id: ClientId = browser.get("/").await.location.split('/').nth(2).unwrap().parse().unwrap();
    let (key_id, secret): (AccessKeyId, String) = app.key(id, Environment::Sandbox).await;
    (browser, TestClient { app, id, key_id, secret })
}

fn home(client: &TestClient<'_>) -> String {
    format!("/c/{}/sandbox", client.id)
}

/// What the trail of a client has of an act, newest first.
async fn entries(app: &TestApp, client_id: ClientId, act: Act) -> Vec<Record> {
    citadel_server::trail::flush(&app.app).await.unwrap();
    let filter = Filter { act: Some(act), ..Filter::default() };
    let db = app.app.db.scoped(client_id);
    db.read(async move |tx| audit::list(tx, client_id, filter, None, 100).await).await.unwrap()
}

/// The texts of a report under names.
fn values<'a>(report: &'a Value, names: &[&str], found: &mut Vec<&'a str>) {
    match report {
        Value::Object(members) => {
            for (name, value) in members {
                match value.as_str() {
                    Some(text) if names.contains(&name.as_str()) => found.push(text),
                    _ => values(value, names, found),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|value| values(value, names, found)),
        _ => {}
    }
}

const MOST_PERSONAL: [&str; 4] = ["account_number", "date_of_birth", "routing_number", "ssn"];

#[tokio::test]
async fn an_empty_list_says_what_to_do_and_a_full_one_goes_on() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let home = home(&client);
        for (page, next) in [("links", "No link yet"), ("tasks", "No task yet"), ("flows", "API_SECRET")] {
            let page = browser.get(&format!("{home}/{page}")).await;
            assert_eq!(page.status, StatusCode::OK);
            assert!(page.text.contains(next), "{}", page.text);
        }
        let user = client.user("person-1").await;
        let (link_id, _) = client.link_of(&user, "income").await;
        let page = browser.get(&format!("{home}/links")).await;
        for text in [link_id.as_str(), &user, "ADP", "done", "income"] {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        assert!(!page.text.contains(">Older<"), "{}", page.text);
        // Sixty more, as they would be after a while.
        let first: LinkId = link_id.parse().unwrap();
        app.app
            .db
            .write(async move |tx| {
                for number in 0..60_u8 {
                    let mut id = *first.as_bytes();
                    id[15] = id[15].wrapping_add(number + 1);
                    let values = [Param::from(first), Param::from(LinkId::from_bytes(id))];
                    let copy = "insert into links (client_id, id, environment, bridge_token_id, provider_id, product,
                                                   allowed_products, status, data_key_wrapped, created_at, updated_at,
                                                   consent_expires_at)
                                select client_id, $2, environment, bridge_token_id, provider_id, product,
                                       allowed_products, 'login_error', data_key_wrapped, created_at, updated_at,
                                       consent_expires_at from links where id = $1";
                    tx.execute(copy, &values).await?;
                }
                Ok::<_, citadel_store::Error>(())
            })
            .await
            .unwrap();
        let rows = |page: &Page| page.text.matches("<tr><td>").count();
        let page = browser.get(&format!("{home}/links?status=login_error&provider=adp&product=income")).await;
        assert_eq!(rows(&page), 50, "{}", page.text);
        let older = page.between("</table>", ">Older<").rsplit_once("href=\"").unwrap().1.replace("&#38;", "&");
        let older = older.split('"').next().unwrap().to_owned();
        assert!(older.contains("status=login_error") && older.contains("before="), "{older}");
        let page = browser.get(&older).await;
        assert_eq!(rows(&page), 10, "{}", page.text);
        assert!(page.text.contains(">Newest<") && !page.text.contains(">Older<"), "{}", page.text);
        let page = browser.get(&format!("{home}/links?status=done&provider=&product=")).await;
        assert!(rows(&page) == 1 && page.text.contains(&link_id), "{}", page.text);
        let page = browser.get(&format!("{home}/links?provider=paychex")).await;
        assert!(page.text.contains("No link is like this"), "{}", page.text);
        assert_eq!(browser.get(&format!("{home}/links?status=nothing")).await.status, StatusCode::BAD_REQUEST);
    })
    .await;
}

#[tokio::test]
async fn any_id_leads_to_its_link() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let home = home(&client);
        let csrf = browser.csrf(&format!("{home}/links")).await;
        let user = client.user("person-1").await;
        let body = json!({"product_type": "employment", "tracking_info": "1337"});
        let reply = client.post(&format!("/v1/users/{user}/tokens/"), body).await;
        let bridge_token = reply.json()["bridge_token"].as_str().unwrap().to_owned();
        let task_id = app.sign_in(&bridge_token, "goodlogin", "goodpassword").await;
        app.run_jobs().await;
        let answer = client.exchange(&app.public_token(&bridge_token, &task_id).await).await.json();
        let (link_id, access_token) =
            (answer["link_id"].as_str().unwrap(), answer["access_token"].as_str().unwrap());
        let find = async |home: &str, id: &str| {
            let page = browser.post(&format!("{home}/links/find"), &csrf, &[("id", id)]).await;
            assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text);
            page.location
        };
        let link_url = format!("{home}/links/{link_id}");
        assert_eq!(find(&home, &format!(" {link_id}\n")).await, link_url);
        assert_eq!(find(&home, access_token).await, link_url);
        assert_eq!(find(&home, &task_id).await, format!("{link_url}#task-{task_id}"));
        assert_eq!(find(&home, &user).await, format!("{home}/links?user={user}"));
        let flow = find(&home, &bridge_token).await;
        let flow_id = flow.strip_prefix(&format!("{home}/flows/")).unwrap().to_owned();
        assert_eq!(find(&home, &flow_id).await, flow);
        assert!(browser.get(&link_url).await.text.contains(&flow));
        let page = browser.get(&format!("{home}/links?user={user}")).await;
        assert!(page.text.contains(link_id), "{}", page.text);

        // Of an order, by way of its employer.
        let order =
            client.post("/v1/orders/", json!({"products": ["employment"], "employers": [{}]})).await.json();
        let order_id = order["id"].as_str().unwrap();
        let unknown = format!("{home}/links?done=unknown");
        assert_eq!(find(&home, order_id).await, unknown, "nobody has signed in for it");
        app.sign_in(order["employers"][0]["bridge_token"].as_str().unwrap(), "goodlogin", "goodpassword")
            .await;
        app.run_jobs().await;
        let of_order = browser.get(&find(&home, order_id).await).await;
        assert!(of_order.text.contains(order_id), "{}", of_order.text);
        assert_eq!(find(&home, "no id at all").await, unknown);
        // What is somebody else's, or of another environment, is as unknown.
        let other = app.client("other").await;
        let foreign = other.link_of(&other.user("x").await, "income").await;
        let dev = home.replace("/sandbox", "/dev");
        for (home, id) in [
            (&home, foreign.0.as_str()),
            (&home, &foreign.1),
            (&dev, link_id),
            (&dev, access_token),
            (&dev, &bridge_token),
        ] {
            assert_eq!(find(home, id).await, format!("{home}/links?done=unknown"), "{id}");
        }
    })
    .await;
}

#[tokio::test]
async fn p05_foreign_deleted_and_random_ids_are_one_404() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let home = home(&client);
        let token_of = async |client: &TestClient<'_>| {
            let token = client.bridge_token("income").await;
            let hash = app.app.keyring.keyed_hash(citadel_server::purposes::BRIDGE_TOKEN, &token);
            let find = async move |tx: &mut citadel_store::Tx<'_>| {
                citadel_store::bridge_tokens::find_by_hash(tx, &hash).await
            };
            app.app.db.read(find).await.unwrap().unwrap().id.to_string()
        };
        let user = client.user("person-1").await;
        let (deleted, _) = client.link_of(&user, "income").await;
        let (own, _) = client.link_of(&user, "income").await;
        assert_eq!(client.delete(&format!("/v1/links/{deleted}/")).await.status, StatusCode::NO_CONTENT);
        let other = app.client("other").await;
        let (foreign, _) = other.link_of(&other.user("x").await, "income").await;
        let (own_token, foreign_token) = (token_of(&client).await, token_of(&other).await);
        let csrf = browser.csrf("/account").await;
        let mut tried = 0;
        for (path, _) in router::dashboard_permissions(app.app.clone()) {
            let (place, ids) = if path.contains("{link_id}") {
                ("{link_id}", [&foreign, &deleted, &own])
            } else if path.contains("{bridge_token_id}") {
                ("{bridge_token_id}", [&foreign_token, &own, &own_token])
            } else {
                continue;
            };
            let ask = async |environment: &str, id: &str| {
                let path = path
                    .replace("{client_id}", &client.id.to_string())
                    .replace("{environment}", environment)
                    .replace(place, id);
                let page = browser.post(&path, &csrf, &[]).await;
                let page = if page.status == StatusCode::METHOD_NOT_ALLOWED {
                    browser.get(&path).await
                } else {
                    page
                };
                (page.status, page.text)
            };
            let random = ask("sandbox", &"0".repeat(32)).await;
            assert_eq!(random.0, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(ask("sandbox", ids[0]).await, random, "{path}: another client's");
            assert_eq!(ask("sandbox", ids[1]).await, random, "{path}: deleted, or of another kind");
            assert_eq!(ask("dev", ids[2]).await, random, "{path}: another environment's");
            assert_eq!(ask("sandbox", "no-id").await, random, "{path}");
            tried += 1;
        }
        assert_eq!(tried, 6);
        // Nothing was done by that, and the own ones are there.
        assert_eq!(other.get(&format!("/v1/links/{foreign}/")).await.status, StatusCode::OK);
        for path in [format!("{home}/links/{own}"), format!("{home}/flows/{own_token}")] {
            assert_eq!(browser.get(&path).await.status, StatusCode::OK);
        }
    })
    .await;
}

#[tokio::test]
async fn p07_what_is_most_personal_is_masked_until_a_developer_reveals_it() {
    for_each_db(async |app| {
        let (owner, client) = owner_with_client(&app).await;
        let (viewer, _) = owner.invite("view@example.com", Role::Viewer, "").await;
        let (developer, seed) = owner.invite("dev@example.com", Role::Developer, "").await;
        let user = client.user("person-1").await;
        let (link_id, access_token) = client.link_of(&user, "income").await;
        let report =
            client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await.json();
        let mut secrets = Vec::new();
        values(&report, &MOST_PERSONAL, &mut secrets);
        assert!(secrets.len() >= 4, "{secrets:?}");
        let mut wages = Vec::new();
        values(&report["employments"][0]["w2s"], &["wages"], &mut wages);
        let name = report["employments"][0]["profile"]["first_name"].as_str().unwrap();
        let url = format!("{}/links/{link_id}", home(&client));

        for browser in [&viewer, &developer] {
            let page = browser.get(&url).await;
            assert!(page.text.contains(name), "what is less personal is shown: {}", page.text);
            for secret in &secrets {
                assert!(!page.text.contains(secret), "{secret}: {}", page.text);
            }
            let ssn = report["employments"][0]["profile"]["ssn"].as_str().unwrap();
            assert!(page.text.contains(&format!("•••{}", &ssn[ssn.len() - 4..])), "{}", page.text);
            assert!(!page.text.contains("/files/") && !page.text.contains(&access_token), "{}", page.text);
        }
        assert!(
            entries(&app, client.id, Act::DataReleased).await.iter().any(|entry| {
                entry.actor_kind == "member" && entry.detail.contains("\"shown\":\"masked\"")
            })
        );
        assert!(!viewer.get(&url).await.text.contains(">Reveal<"));
        let csrf = viewer.csrf(&url).await;
        let reveal = format!("{url}/reveal");
        assert_eq!(viewer.post(&reveal, &csrf, &[]).await.status, StatusCode::FORBIDDEN);

        app.advance(301);
        let csrf = developer.csrf(&url).await;
        let page = developer.post(&reveal, &csrf, &[]).await;
        assert!(page.location.starts_with("/code"), "{}", page.text);
        assert_eq!(entries(&app, client.id, Act::DataRevealed).await.len(), 0);
        developer.prove(&seed).await;
        let csrf = developer.csrf(&url).await;
        let page = developer.post(&reveal, &csrf, &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text);
        for secret in secrets.iter().chain(&wages) {
            assert!(page.text.contains(secret), "{secret}: {}", page.text);
        }
        assert!(!page.text.contains("/files/") && !page.text.contains(&access_token), "{}", page.text);
        let told = entries(&app, client.id, Act::DataRevealed).await;
        let [told] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!((told.actor_kind.as_str(), told.object_kind.as_str()), ("member", "link"));
        assert_eq!(told.object_id.map(|id| id.to_string()), Some(link_id));
        for field in MOST_PERSONAL {
            assert!(told.detail.contains(field), "{told:?}");
        }
        assert!(secrets.iter().all(|secret| !told.detail.contains(secret)), "{told:?}");
        // This once.
        let page = developer.get(&url).await;
        assert!(secrets.iter().all(|secret| !page.text.contains(secret)), "{}", page.text);
    })
    .await;
}

/// Every product's page, with what its report has of the most personal.
#[tokio::test]
async fn p07_no_product_has_a_page_that_tells_more() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let user = client.user("person-1").await;
        for (product, kind) in [
            ("employment", "employment"),
            ("deposit_switch", "direct_deposit"),
            ("pll", "pll"),
            ("admin", "admin"),
        ] {
            let link_id = if product == "admin" {
                let answer = client.exchange(&client.connect(product).await).await.json();
                answer["link_id"].as_str().unwrap().to_owned()
            } else {
                client.link_of(&user, product).await.0
            };
            let report = client.get(&format!("/v1/links/{link_id}/{kind}/report/")).await;
            assert_eq!(report.status, StatusCode::OK, "{product}: {report:?}");
            let report = report.json();
            let mut secrets = Vec::new();
            values(&report, &MOST_PERSONAL, &mut secrets);
            assert!(!secrets.is_empty(), "{product}: {report}");
            let page = browser.get(&format!("{}/links/{link_id}", home(&client))).await;
            assert!(page.text.contains("Masked: "), "{product}: {}", page.text);
            for secret in secrets {
                assert!(!page.text.contains(secret), "{product}, {secret}: {}", page.text);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn p21_a_consent_is_revoked_from_the_page_whatever_is_under_way() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let user = client.user("person-1").await;
        let (link_id, access_token) = client.link_of(&user, "income").await;
        let body = json!({"access_token": access_token});
        client.post("/v1/refresh/tasks/", body.clone()).await;
        let url = format!("{}/links/{link_id}", home(&client));
        let csrf = browser.csrf(&url).await;
        let page = browser.post(&format!("{url}/revoke-consent"), &csrf, &[]).await;
        assert_eq!(page.location, format!("{url}?done=consent"), "{}", page.text);
        app.run_jobs().await;
        for read in [
            client.post("/v1/verifications/incomes/", body.clone()).await,
            client.post("/v1/refresh/tasks/", body).await,
            client.get(&format!("/v1/links/{link_id}/income/report/")).await,
        ] {
            assert_eq!(read.status, StatusCode::NOT_FOUND, "{read:?}");
        }
        let events = client.events().await;
        assert_eq!(events.last().unwrap()["event_type"], "link-disconnected");
        let page = browser.get(&url).await;
        for text in ["taken back", "nothing is read any more", "ended: error"] {
            assert!(page.text.contains(text), "{text}: {}", page.text);
        }
        assert!(!page.text.contains("first_name"), "{}", page.text);
        assert_eq!(browser.post(&format!("{url}/reveal"), &csrf, &[]).await.status, StatusCode::BAD_REQUEST);
        // Twice is once.
        browser.post(&format!("{url}/revoke-consent"), &csrf, &[]).await;
        let told = entries(&app, client.id, Act::ConsentRevoked).await;
        assert_eq!(told.iter().map(|entry| entry.actor_kind.as_str()).collect::<Vec<_>>(), ["member"]);
    })
    .await;
}

#[tokio::test]
async fn p11_an_access_token_is_revoked_from_the_page() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let user = client.user("person-1").await;
        let (link_id, access_token) = client.link_of(&user, "income").await;
        let url = format!("{}/links/{link_id}", home(&client));
        let page = browser.get(&url).await;
        assert!(page.text.contains(&format!("•••{}", &access_token[28..])), "{}", page.text);
        let csrf = page.field("csrf");
        let page = browser.post(&format!("{url}/revoke-token"), &csrf, &[]).await;
        assert_eq!(page.location, format!("{url}?done=token"), "{}", page.text);
        let read = client.post("/v1/verifications/incomes/", json!({"access_token": access_token})).await;
        assert_eq!(read.status, StatusCode::NOT_FOUND);
        assert_eq!(client.get(&format!("/v1/links/{link_id}/income/report/")).await.status, StatusCode::OK);
        assert!(!browser.get(&url).await.text.contains("/revoke-token"), "there is none to revoke");
        browser.post(&format!("{url}/revoke-token"), &csrf, &[]).await;
        assert_eq!(entries(&app, client.id, Act::AccessTokenRevoked).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn p22_a_link_is_deleted_from_the_page_also_when_it_is_held() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let user = client.user("person-1").await;
        let (link_id, _) = client.link_of(&user, "income").await;
        let url = format!("{}/links/{link_id}", home(&client));
        let (id, client_id, now): (LinkId, _, _) = (link_id.parse().unwrap(), client.id, app.app.clock.now());
        let hold =
            async move |tx: &mut citadel_store::Tx<'_>| holds::set(tx, client_id, id, "a lawsuit", now).await;
        assert!(!browser.get(&url).await.text.contains("held"));
        assert!(app.app.db.write(hold).await.unwrap());
        assert!(browser.get(&url).await.text.contains("held"));

        let csrf = browser.csrf(&url).await;
        // A look at the address of a form does nothing.
        assert_eq!(browser.get(&format!("{url}/delete")).await.status, StatusCode::METHOD_NOT_ALLOWED);
        let page = browser.post(&format!("{url}/delete"), &csrf, &[]).await;
        assert_eq!(page.location, format!("{}/links?done=deleted", home(&client)), "{}", page.text);
        assert!(browser.get(&page.location).await.text.contains("The link is deleted"));
        assert_eq!(browser.get(&url).await.status, StatusCode::NOT_FOUND);
        assert_eq!(client.get(&format!("/v1/links/{link_id}/")).await.status, StatusCode::NOT_FOUND);
        let key = "select data_key_wrapped from links where id = $1";
        let key = app
            .app
            .db
            .read(async move |tx| tx.fetch_one(key, &[Param::from(id)], |row| row.get::<Vec<u8>>(0)).await);
        assert_eq!(key.await.unwrap(), Vec::<u8>::new(), "nothing opens it any more");
        let events = client.events().await;
        assert_eq!(events.last().unwrap()["event_type"], "link-deleted");
        let told = entries(&app, client.id, Act::LinkDeleted).await;
        assert_eq!(told.iter().map(|entry| entry.actor_kind.as_str()).collect::<Vec<_>>(), ["member"]);
    })
    .await;
}

#[tokio::test]
async fn a_task_tells_its_steps_and_what_the_provider_said() {
    for_each_db(async |app| {
        let (browser, client) = owner_with_client(&app).await;
        let home = home(&client);
        let token = client.bridge_token("income").await;
        let task_id = app.sign_in(&token, "goodlogin", "wrong").await;
        app.run_jobs().await;
        let task = app.task(&token, &task_id).await;
        let page = browser.get(&format!("{home}/tasks?status=login_error&kind=initial&provider=adp")).await;
        assert!(page.text.contains(&task_id), "{}", page.text);
        let url = page.between("<td><a href=\"", "\"");
        assert!(url.ends_with(&format!("#task-{task_id}")), "{url}");
        let link = browser.get(url.split('#').next().unwrap()).await;
        let steps = link.between(&format!("id=\"task-{task_id}\""), "</article>");
        let places: Vec<_> =
            ["began", "login</li>", "ended: login_error"].map(|step| steps.find(step)).to_vec();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{steps}");
        if let Some(said) = task["error_message"].as_str() {
            assert!(steps.contains(&said.replace('\'', "&#39;")), "{said}: {steps}");
        }
        let none = browser.get(&format!("{home}/tasks?kind=refresh")).await;
        assert!(none.text.contains("No task is like this"), "{}", none.text);
        let request = browser.request(Method::GET, &format!("{home}/tasks?before=nothing"));
        let page = browser.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND);
    })
    .await;
}
