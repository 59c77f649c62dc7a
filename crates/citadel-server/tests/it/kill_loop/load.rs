//! Clients that do everything at once, and write down what they were told.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use citadel_api_types::webhooks::EVENT_TYPES;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::{
    history::{Fact, History, Question},
    sign_in, text,
};
use crate::support::account;

/// What the load consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    Everything,
    /// Sign-ins, and several exchanges of each token at once.
    #[cfg_attr(not(feature = "soak"), expect(dead_code, reason = "for the soak"))]
    Exchanges,
    /// One task of each product at a time.
    #[cfg_attr(not(feature = "soak"), expect(dead_code, reason = "for the soak"))]
    Tasks,
    /// 64 who only write.
    #[cfg_attr(not(feature = "soak"), expect(dead_code, reason = "for the soak"))]
    Writes,
}

const PRODUCTS: [&str; 6] = ["income", "employment", "admin", "deposit_switch", "pll", "fas"];

impl Work {
    const fn actors(self) -> usize {
        match self {
            Self::Everything => 10,
            Self::Exchanges => 8,
            Self::Tasks => PRODUCTS.len(),
            Self::Writes => 64,
        }
    }
}

/// A link that was made and not deleted.
#[derive(Clone)]
struct Link {
    id: String,
    public_token: String,
    access_token: String,
    /// The task that made it.
    task_id: String,
}

pub(super) struct Load {
    http: reqwest::Client,
    client_id: String,
    secret: String,
    address: Mutex<Option<SocketAddr>>,
    pub(super) history: History,
    /// Links that are deleted sometime.
    links: Mutex<Vec<Link>>,
    /// Those that stay, and are refreshed: what belongs to a link goes with it.
    kept: Mutex<Vec<Link>>,
    /// Calls that the living server should have taken.
    refused: Mutex<Vec<String>>,
    /// Public tokens that were sent to be exchanged, without an answer, and their tasks.
    unsure: Mutex<Vec<(String, String)>>,
    /// Tasks that an answer named.
    tasks: Mutex<Vec<String>>,
    /// Employers, and providers with what they serve, whose pay nobody has changed yet.
    places: Mutex<Vec<(String, Value)>>,
    turns: AtomicUsize,
}

pub(crate) fn is_final(status: &str) -> bool {
    citadel_api_types::tasks::is_final(status)
}

impl Load {
    pub(super) fn new(client_id: &str, secret: &str) -> Self {
        Self {
            http: reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap(),
            client_id: client_id.to_owned(),
            secret: secret.to_owned(),
            address: Mutex::default(),
            history: History::default(),
            links: Mutex::default(),
            kept: Mutex::default(),
            refused: Mutex::default(),
            unsure: Mutex::default(),
            tasks: Mutex::default(),
            places: Mutex::default(),
            turns: AtomicUsize::new(0),
        }
    }

    pub(super) fn server_is_at(&self, address: SocketAddr) {
        *self.address.lock().unwrap() = Some(address);
    }

    /// The answer, if there was one before the server died.
    async fn ask(&self, question: &Question) -> Option<(u16, Value)> {
        let address = self.address.lock().unwrap().unwrap();
        let mut request =
            self.http.request(question.method.clone(), format!("http://{address}{}", question.path));
        request = match &question.bearer {
            Some(token) => request.bearer_auth(token),
            None => {
                request.header("X-Access-Client-Id", &self.client_id).header("X-Access-Secret", &self.secret)
            }
        };
        if let Some(body) = &question.body {
            request = request.json(body);
        }
        let reply = request.send().await.ok()?;
        let status = reply.status().as_u16();
        let bytes = reply.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }

    /// A good answer's body. Anything else than that and death is a fault of the server.
    async fn good(&self, question: &Question) -> Option<Value> {
        let (status, body) = self.ask(question).await?;
        if !(200..300).contains(&status) {
            self.refused.lock().unwrap().push(format!("{} was refused: {status} {body}", question.key()));
            return None;
        }
        Some(body)
    }

    pub(super) async fn prepare(&self, receiver: &str) {
        let events = EVENT_TYPES.map(str::to_owned).to_vec();
        let webhook =
            json!({"name": "kills", "webhook_url": receiver, "env_type": "sandbox", "events": events});
        self.good(&Question::post("/v1/webhooks/", webhook)).await.unwrap();
        let mut companies = Vec::new();
        for query in ["a", "b", "c", "d", "e", "f", "m", "s"] {
            let path = format!("/v1/company-mappings-search/?query={query}&product_type=deposit_switch");
            let found = self.good(&Question::get(path)).await.unwrap();
            companies.extend(found.as_array().unwrap().iter().map(|each| text(&each["company_mapping_id"])));
        }
        companies.sort();
        companies.dedup();
        let providers = self.good(&Question::get("/v1/providers/?page_size=100")).await.unwrap();
        let mut providers = providers["results"].as_array().unwrap().clone();
        // These ask for a code.
        providers.retain(|each| !["infor", "prismhr", "isolved"].contains(&each["id"].as_str().unwrap()));
        companies.retain(|id| !id.is_empty());
        let places = companies
            .iter()
            .flat_map(|company| providers.iter().map(move |provider| (company.clone(), provider.clone())));
        *self.places.lock().unwrap() = places.collect();
    }

    /// Everybody at work, until the server is gone.
    pub(super) fn begin(self: &Arc<Self>, work: Work) -> JoinSet<()> {
        let mut running = JoinSet::new();
        for actor in 0..work.actors() {
            let load = Arc::clone(self);
            running.spawn(async move { while load.act(work, actor).await.is_some() {} });
        }
        running
    }

    async fn act(&self, work: Work, actor: usize) -> Option<()> {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        match (work, actor) {
            (Work::Everything, 0) => self.bridge_token().await,
            (Work::Everything, 1 | 2) => self.user(turn).await,
            (Work::Everything, 3 | 4) => self.order(turn).await,
            (Work::Everything, 5 | 6) => self.connect().await,
            (Work::Everything, 7) => self.refresh(turn).await,
            (Work::Everything, 8) => self.delete_link(turn).await,
            (Work::Everything, _) => self.change("deposit_switch").await,
            (Work::Exchanges, _) => self.race().await,
            (Work::Writes, _) => match actor % 3 {
                0 => self.bridge_token().await,
                1 => self.user(turn).await,
                _ => self.order(turn).await,
            },
            // Each of these once: what counts is how far they are when the server dies.
            (Work::Tasks, _) => {
                match PRODUCTS[actor] {
                    product @ ("deposit_switch" | "pll" | "fas") => self.change(product).await,
                    product => self.signed_in(product, json!({})).await.map(drop),
                }?;
                None
            }
        }
    }

    /// How many things have been done.
    #[cfg(feature = "soak")]
    pub(super) fn turns(&self) -> usize {
        self.turns.load(Ordering::Relaxed)
    }

    async fn bridge_token(&self) -> Option<()> {
        let token = self.token("income").await?;
        let bearer = Some(token);
        self.history.know(Question { bearer, ..Question::get("/bridge/api/session") }, 200, vec![]);
        Some(())
    }

    async fn token(&self, product: &str) -> Option<String> {
        let mut body = json!({"product_type": product, "client_name": "Kills", "tracking_info": "38"});
        if matches!(product, "deposit_switch" | "pll" | "fas") {
            body["account"] = account(product);
        }
        Some(text(&self.good(&Question::post("/v1/bridge-tokens/", body)).await?["bridge_token"]))
    }

    async fn user(&self, turn: usize) -> Option<()> {
        let body =
            json!({"first_name": format!("John {turn}"), "last_name": "Doe", "email": "j.doe@example.com"});
        let user = self.good(&Question::post("/v1/users/", body)).await?;
        let path = format!("/v1/users/{}/", text(&user["id"]));
        let read = Question::get(path.clone());
        self.history.know(read.clone(), 200, vec![("first_name", user["first_name"].clone())]);
        if turn.is_multiple_of(3) {
            self.history.doubt(&read);
            let mut change = Question::post(path.clone(), json!({"first_name": format!("Jane {turn}")}));
            change.method = reqwest::Method::PATCH;
            let changed = self.good(&change).await?;
            self.history.know(read.clone(), 200, vec![("first_name", changed["first_name"].clone())]);
        }
        if turn.is_multiple_of(4) {
            self.history.doubt(&read);
            self.good(&Question::delete(path)).await?;
            self.history.know(read, 404, vec![]);
        }
        Some(())
    }

    async fn order(&self, turn: usize) -> Option<()> {
        let body = json!({
            "products": ["income"], "first_name": "John", "last_name": "Doe", "email": "j.doe@example.com",
            "order_number": format!("order-{turn}"), "employers": [{"company_name": "Home Depot"}],
        });
        let order = self.good(&Question::post("/v1/orders/", body)).await?;
        let path = format!("/v1/orders/{}/", text(&order["id"]));
        let read = Question::get(path.clone());
        self.history.know(read.clone(), 200, vec![("order_number", order["order_number"].clone())]);
        if turn.is_multiple_of(3) {
            self.history.doubt(&read);
            let canceled = self.good(&Question::post(format!("{path}cancel/"), json!({}))).await?;
            self.history.know(read, 200, vec![("status", canceled["status"].clone())]);
        }
        Some(())
    }

    /// A sign-in that has ended: the answer.
    async fn signed_in(&self, product: &str, more: Value) -> Option<Value> {
        let token = self.token(product).await?;
        let signed = self.good(&Question::post("/v1/sandbox/public-tokens/", sign_in(&token, more))).await?;
        let task_id = text(&signed["task_id"]);
        let read = of_task(&task_id);
        // It ends once, and then keeps its end.
        self.history.know(read, 200, vec![("status", signed["status"].clone())]);
        self.tasks.lock().unwrap().push(task_id);
        Some(signed)
    }

    /// From bridge token to access token.
    async fn connect(&self) -> Option<()> {
        let (public_token, task_id) = self.doubt_exchange(&self.signed_in("income", json!({})).await?);
        let exchanged = self.good(&exchange(&public_token)).await?;
        self.exchanged(&public_token, &task_id, &exchanged);
        Some(())
    }

    /// The same, with four who exchange the same token at once.
    async fn race(&self) -> Option<()> {
        let (public_token, task_id) = self.doubt_exchange(&self.signed_in("income", json!({})).await?);
        let question = exchange(&public_token);
        let ask = || self.ask(&question);
        let answers = <[_; 4]>::from(tokio::join!(ask(), ask(), ask(), ask()));
        let mut won = answers.iter().flatten().filter(|(status, _)| *status == 200);
        if let Some((_, exchanged)) = won.next() {
            self.exchanged(&public_token, &task_id, exchanged);
        }
        if won.next().is_some() {
            self.refused.lock().unwrap().push(format!("exchanged twice: {answers:?}"));
        }
        answers.iter().any(Option::is_some).then_some(())
    }

    /// Somebody is about to exchange this.
    fn doubt_exchange(&self, signed: &Value) -> (String, String) {
        let pair = (text(&signed["public_token"]), text(&signed["task_id"]));
        self.unsure.lock().unwrap().push(pair.clone());
        pair
    }

    fn exchanged(&self, public_token: &str, task_id: &str, link: &Value) {
        self.unsure.lock().unwrap().retain(|(token, _)| token != public_token);
        let link = Link {
            id: text(&link["link_id"]),
            public_token: public_token.to_owned(),
            access_token: text(&link["access_token"]),
            task_id: task_id.to_owned(),
        };
        self.history.know(exchange(public_token), 410, vec![]);
        self.history.know(income(&link), 200, vec![]);
        self.history.know(of_link(&link), 200, vec![("id", json!(link.id))]);
        let is_kept = self.turns.load(Ordering::Relaxed).is_multiple_of(3);
        if is_kept { &self.kept } else { &self.links }.lock().unwrap().push(link);
    }

    async fn refresh(&self, turn: usize) -> Option<()> {
        let link = {
            let kept = self.kept.lock().unwrap();
            match kept.is_empty() {
                true => None,
                false => Some(kept[turn % kept.len()].clone()),
            }
        };
        let Some(link) = link else { return self.wait().await };
        let body = json!({"access_token": link.access_token});
        let task_id = text(&self.good(&Question::post("/v1/refresh/tasks/", body)).await?["task_id"]);
        let read = Question::get(format!("/v1/refresh/tasks/{task_id}/"));
        self.history.know(read, 200, vec![("id", json!(task_id))]);
        self.tasks.lock().unwrap().push(task_id);
        self.wait().await
    }

    /// A pause, if the server lives.
    async fn wait(&self) -> Option<()> {
        tokio::time::sleep(Duration::from_millis(60)).await;
        self.ask(&Question::get("/v1/providers/adp/")).await.map(drop)
    }

    async fn delete_link(&self, turn: usize) -> Option<()> {
        let link = {
            let mut links = self.links.lock().unwrap();
            match links.len() {
                0 => None,
                count => Some(links.swap_remove(turn % count)),
            }
        };
        let Some(link) = link else { return self.wait().await };
        self.history.doubt(&of_link(&link));
        self.history.doubt(&income(&link));
        self.history.doubt(&exchange(&link.public_token));
        self.history.doubt(&of_task(&link.task_id));
        self.good(&Question::delete(format!("/v1/links/{}/", link.id))).await?;
        self.history.know(of_link(&link), 404, vec![]);
        self.history.know(income(&link), 404, vec![]);
        self.wait().await
    }

    /// A change of somebody's pay, each at another employer or provider.
    async fn change(&self, product: &str) -> Option<()> {
        let place = {
            let mut places = self.places.lock().unwrap();
            let place = places.iter().rposition(|(_, provider)| provider["features"][product] == true);
            place.map(|place| places.remove(place))
        };
        let Some((company, provider)) = place else { return self.wait().await };
        let more = json!({"company_mapping_id": company, "provider_id": provider["id"]});
        self.signed_in(product, more).await.map(drop)
    }

    /// Which of these facts do not hold.
    pub(super) async fn check(self: &Arc<Self>, facts: &[Fact]) -> Vec<String> {
        self.settle_exchanges().await;
        let refused = std::mem::take(&mut *self.refused.lock().unwrap());
        let mut asked = JoinSet::new();
        for part in facts.chunks(facts.len() / 8 + 1) {
            let (load, part) = (Arc::clone(self), part.to_vec());
            asked.spawn(async move {
                let mut broken = Vec::new();
                for fact in part {
                    let found = load.ask(&fact.question).await;
                    let holds = found.as_ref().is_some_and(|(status, body)| {
                        *status == fact.status && fact.fields.iter().all(|(name, value)| body[name] == *value)
                    });
                    if !holds {
                        broken.push(format!("{fact:?} is now {found:?}"));
                    }
                }
                broken
            });
        }
        [refused, asked.join_all().await.concat()].concat()
    }

    /// Exchanges without an answer: done once at the most, and now surely.
    async fn settle_exchanges(&self) {
        let unsure = std::mem::take(&mut *self.unsure.lock().unwrap());
        for (public_token, task_id) in unsure {
            let (status, body) = self.ask(&exchange(&public_token)).await.unwrap();
            match status {
                200 => self.exchanged(&public_token, &task_id, &body),
                _ => self.history.know(exchange(&public_token), 410, vec![]),
            }
        }
    }

    /// The body of every event.
    pub(super) async fn events(&self) -> Vec<Value> {
        let (mut found, mut after) = (Vec::new(), 0);
        loop {
            let page = self.good(&Question::get(format!("/v1/events/?after={after}"))).await.unwrap();
            let results = page["results"].as_array().unwrap();
            let Some(last) = results.last() else { return found };
            after = last["sequence"].as_i64().unwrap();
            found.extend(results.iter().map(|event| event["payload"].clone()));
        }
    }

    /// From now on the provider takes ten seconds to sign in.
    #[cfg(feature = "soak")]
    pub(super) async fn be_slow(&self) {
        self.good(&Question::post("/v1/sandbox/faults/", json!({"faults": ["slow"]}))).await.unwrap();
    }

    /// How many tasks there are.
    #[cfg(feature = "soak")]
    pub(super) fn begun(&self, events: &[Value]) -> usize {
        let tasks = events.iter().filter_map(|event| event["task_id"].as_str());
        tasks.collect::<std::collections::BTreeSet<_>>().len()
    }

    /// Tasks that have not ended, whether an answer named them or only an event.
    pub(super) fn open_tasks(&self, events: &[Value]) -> Vec<String> {
        let mut last: BTreeMap<String, bool> = BTreeMap::new();
        last.extend(self.tasks.lock().unwrap().iter().map(|id| (id.clone(), false)));
        for event in events.iter().filter(|event| event["task_id"].is_string()) {
            let has_ended = event["status"].as_str().is_some_and(is_final);
            *last.entry(text(&event["task_id"])).or_default() |= has_ended;
        }
        last.into_iter().filter(|(_, has_ended)| !has_ended).map(|(id, _)| id).collect()
    }
}

fn exchange(public_token: &str) -> Question {
    Question::post("/v1/link-access-tokens/", json!({"public_token": public_token}))
}

fn income(link: &Link) -> Question {
    Question::post("/v1/verifications/incomes/", json!({"access_token": link.access_token}))
}

fn of_task(task_id: &str) -> Question {
    Question::get(format!("/v1/tasks/{task_id}/"))
}

fn of_link(link: &Link) -> Question {
    Question::get(format!("/v1/links/{}/", link.id))
}
