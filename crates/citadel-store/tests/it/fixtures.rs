//! Rows to begin with. Sealed columns hold any bytes: the store does not look inside.

use citadel_domain::{
    AccessKeyId, BridgeTokenId, ClientId, ConsentId, DeletionId, DeliveryId, Environment, EventId, JobId,
    LinkId, MemberId, Product, PublicTokenId, Random, Role, SessionId, TaskId, TaskStatus, WebhookId,
};
use citadel_store::{
    Error, Tenant, Tx, Value,
    access_keys::{self, NewAccessKey},
    bridge_tokens::{self, BridgeToken, NewBridgeToken},
    clients::{self, NewClient},
    consents::{self, Consent},
    dashboard_sessions::{self, Session},
    deletions::Stamp,
    deliveries::NewDelivery,
    jobs::{self, NewJob},
    links::{self, Link, NewLink},
    logins::{self, NewLogin},
    members::{self, NewMember},
    public_tokens::{self, NewPublicToken},
    tasks::{self, Kind, NewTask, Task},
    webhook_events::{self, NewWebhookEvent, WebhookEvent},
    webhooks::{self, NewWebhook},
};
use jiff::{SignedDuration, Timestamp};

use crate::harness::Store;

impl Store {
    pub(crate) fn after(&self, seconds: i64) -> Timestamp {
        self.now + SignedDuration::from_secs(seconds)
    }

    pub(crate) fn hash(&self) -> [u8; 32] {
        let mut hash = [0; 32];
        self.random.fill(&mut hash);
        hash
    }

    /// A client's sandbox.
    pub(crate) async fn tenant(&self) -> Tenant {
        let new = NewClient {
            id: ClientId::generate(self.now, &*self.random),
            name: "Acme Lending".to_owned(),
            allowed_origins: vec!["https://acme.example".to_owned(), "http://localhost:5001".to_owned()],
            created_at: self.now,
        };
        let client_id = new.id;
        self.db.write(async move |tx| clients::create(tx, &new).await).await.unwrap();
        Tenant { client_id, environment: Environment::Sandbox }
    }

    pub(crate) fn new_access_key(&self, tenant: Tenant) -> NewAccessKey {
        NewAccessKey {
            id: AccessKeyId::generate(self.now, &*self.random),
            client_id: tenant.client_id,
            environment: tenant.environment,
            name: String::new(),
            is_masked: false,
            secret_hash: self.hash(),
            secret_sealed: vec![1, 2, 3],
            created_at: self.now,
        }
    }

    /// `None` when the tenant has two keys.
    pub(crate) async fn access_key(&self, tenant: Tenant) -> Option<NewAccessKey> {
        let new = self.new_access_key(tenant);
        let written = new.clone();
        let made = self.db.write(async move |tx| access_keys::create(tx, &written).await).await.unwrap();
        made.then_some(new)
    }

    pub(crate) fn new_bridge_token(&self, tenant: Tenant, access_key_id: AccessKeyId) -> NewBridgeToken {
        NewBridgeToken {
            id: BridgeTokenId::generate(self.now, &*self.random),
            tenant,
            access_key_id,
            token_hash: self.hash(),
            product: Product::Income,
            allowed_products: vec![Product::Income, Product::Employment],
            client_name: Some("Acme".to_owned()),
            tracking_info: None,
            company_mapping_id: None,
            provider_id: None,
            link_id: None,
            data_sources: vec!["payroll".to_owned()],
            account_sealed: None,
            faults: Vec::new(),
            user_id: None,
            order_employer_id: None,
            template_id: None,
            created_at: self.now,
            expires_at: self.after(6 * 3600),
        }
    }

    pub(crate) async fn bridge_token(&self, tenant: Tenant) -> BridgeToken {
        let key = self.access_key(tenant).await.unwrap();
        let new = self.new_bridge_token(tenant, key.id);
        let find = async move |tx: &mut citadel_store::Tx<'_>| {
            bridge_tokens::create(tx, &new).await?;
            bridge_tokens::find_by_hash(tx, &new.token_hash).await
        };
        self.db.write(find).await.unwrap().unwrap()
    }

    pub(crate) fn new_link(&self, token: &BridgeToken) -> NewLink {
        NewLink {
            id: LinkId::generate(self.now, &*self.random),
            tenant: token.tenant,
            bridge_token_id: token.id,
            provider_id: "paywell".to_owned(),
            company_mapping_id: None,
            tracking_info: token.tracking_info.clone(),
            product: token.product,
            allowed_products: token.allowed_products.clone(),
            data_key_wrapped: vec![6],
            user_id: None,
            created_at: self.now,
            consent_expires_at: self.after(365 * 24 * 3600),
        }
    }

    pub(crate) async fn link(&self, token: &BridgeToken) -> Link {
        let new = self.new_link(token);
        self.db.write(async move |tx| links::create(tx, &new).await).await.unwrap()
    }

    pub(crate) async fn task(&self, token: &BridgeToken, link: &Link, created_at: Timestamp) -> Task {
        let new = NewTask {
            id: TaskId::generate(created_at, &*self.random),
            tenant: token.tenant,
            link_id: link.id,
            bridge_token_id: Some(token.id),
            access_key_id: token.access_key_id,
            product: token.product,
            kind: Kind::Initial,
            faults: Vec::new(),
            scenario_id: None,
            created_at,
        };
        let receipt = self.receipt(link, created_at);
        let make = async move |tx: &mut citadel_store::Tx<'_>| {
            consents::give(tx, &receipt).await?;
            tasks::create(tx, &new).await
        };
        self.db.write(make).await.unwrap()
    }

    /// What the person agrees to at a sign-in.
    pub(crate) fn receipt(&self, link: &Link, given_at: Timestamp) -> Consent {
        Consent {
            id: ConsentId::generate(given_at, &*self.random),
            tenant: link.tenant,
            link_id: link.id,
            text_hash: consents::text_hash(&["Acme will receive your income"]),
            products: link.allowed_products.clone(),
            given_at,
            expires_at: given_at + SignedDuration::from_hours(365 * 24),
            page_hash: None,
            client_name: Some("Acme".to_owned()),
            purpose: Some(link.product),
        }
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { id: DeletionId::generate(self.now, &*self.random), at: self.now }
    }

    pub(crate) async fn login(&self, task: &Task) {
        let new = NewLogin {
            task_id: task.id,
            tenant: task.tenant,
            key_wrapped: vec![7],
            login_sealed: vec![8],
            expires_at: self.after(900),
        };
        self.db.write(async move |tx| logins::put(tx, &new).await).await.unwrap();
    }

    pub(crate) fn new_public_token(&self, task: &Task) -> NewPublicToken {
        NewPublicToken {
            id: PublicTokenId::generate(self.now, &*self.random),
            tenant: task.tenant,
            link_id: task.link_id,
            task_id: task.id,
            token_hash: self.hash(),
            created_at: self.now,
            expires_at: self.after(6 * 3600),
        }
    }

    /// The hash of a new public token.
    pub(crate) async fn public_token(&self, task: &Task) -> [u8; 32] {
        let new = self.new_public_token(task);
        let hash = new.token_hash;
        self.db.write(async move |tx| public_tokens::create(tx, &new).await).await.unwrap();
        hash
    }

    pub(crate) async fn job(&self, run_at: Timestamp) -> JobId {
        let id = JobId::generate(run_at, &*self.random);
        self.db
            .write(async move |tx| {
                let payload = r#"{"n":1}"#.to_owned();
                let new = NewJob { id, kind: "run_task", payload, run_at, created_at: run_at };
                jobs::enqueue(tx, &new).await
            })
            .await
            .unwrap();
        id
    }

    /// Somebody who is signed in and sees this client, or all.
    pub(crate) async fn member(&self, client_id: Option<ClientId>) -> MemberId {
        let id = MemberId::generate(self.now, &*self.random);
        let new = NewMember {
            id,
            client_id,
            email: format!("{id}@example.com"),
            name: "Ada".to_owned(),
            role: Role::Owner,
            password_hash: String::new(),
            created_at: self.now,
        };
        let session = Session {
            id: SessionId::generate(self.now, &*self.random),
            token_hash: [id.as_bytes().as_slice(); 2].concat().try_into().unwrap(),
            member_id: id,
            agent: String::new(),
            created_at: self.now,
            seen_at: self.now,
            factor_at: Some(self.now),
        };
        let make = async move |tx: &mut Tx<'_>| {
            assert!(members::create(tx, &new).await?);
            dashboard_sessions::create(tx, &session).await
        };
        self.db.write(make).await.unwrap();
        id
    }

    /// An endpoint that wants the events of tasks.
    pub(crate) async fn webhook(&self, tenant: Tenant) -> WebhookId {
        let id = WebhookId::generate(self.now, &*self.random);
        let new = NewWebhook {
            id,
            tenant,
            name: "Main".to_owned(),
            url: format!("https://acme.example/{id}"),
            events: vec!["task-status-updated".to_owned()],
            secret_sealed: vec![9],
            created_at: self.now,
        };
        self.db.write(async move |tx| webhooks::create(tx, &new).await).await.unwrap();
        id
    }

    pub(crate) fn new_event(&self, task: &Task) -> NewWebhookEvent {
        NewWebhookEvent {
            id: EventId::generate(self.now, &*self.random),
            tenant: task.tenant,
            link_id: Some(task.link_id),
            task_id: Some(task.id),
            order_id: None,
            event_type: "task-status-updated".to_owned(),
            body: "{}".to_owned(),
            created_at: self.now,
        }
    }

    /// An event of a task.
    pub(crate) async fn event(&self, task: &Task) -> WebhookEvent {
        let (new, tenant) = (self.new_event(task), task.tenant);
        let append = async move |tx: &mut citadel_store::Tx<'_>| {
            append_event(tx, &new).await?;
            webhook_events::find(tx, tenant, new.id).await
        };
        self.db.write(append).await.unwrap().unwrap()
    }

    pub(crate) fn new_delivery(
        &self,
        tenant: Tenant,
        webhook_id: WebhookId,
        event_id: EventId,
        status: i64,
    ) -> NewDelivery {
        NewDelivery {
            id: DeliveryId::generate(self.now, &*self.random),
            tenant,
            webhook_id,
            event_id,
            event_type: "task-status-updated".to_owned(),
            url: "https://acme.example/".to_owned(),
            attempt: 1,
            status_code: Some(status),
            error_message: None,
            answer: String::new(),
            duration_ms: 3,
            attempted_at: self.now,
        }
    }

    /// A token, a link and a task of a new client.
    pub(crate) async fn running_task(&self) -> (BridgeToken, Link, Task) {
        let tenant = self.tenant().await;
        let token = self.bridge_token(tenant).await;
        let link = self.link(&token).await;
        let task = self.task(&token, &link, self.now).await;
        (token, link, task)
    }

    /// The task with this status and none of the way to it.
    pub(crate) async fn put_status(&self, task: &Task, status: TaskStatus) -> Task {
        let (id, now) = (task.id, self.now);
        let put = async move |tx: &mut citadel_store::Tx<'_>| {
            let end = status.is_final().then_some(now);
            let values = [Value::from(id), Value::from(status), Value::from(end)];
            tx.execute("update tasks set status = $2, finished_at = $3 where id = $1", &values).await
        };
        assert_eq!(self.db.write(put).await.unwrap(), 1);
        self.find_task(task).await
    }

    pub(crate) async fn find_task(&self, task: &Task) -> Task {
        let (tenant, id) = (task.tenant, task.id);
        self.db.read(async move |tx| tasks::find(tx, tenant, id).await).await.unwrap().unwrap()
    }

    pub(crate) async fn find_link(&self, link: &Link) -> Option<Link> {
        let (tenant, id) = (link.tenant, link.id);
        self.db.read(async move |tx| links::find(tx, tenant, id).await).await.unwrap()
    }
}

/// So that closures in tests need not spell their error.
pub(crate) type Done<T = ()> = Result<T, Error>;

/// Keeps an event; answers its place in the order of commits.
pub(crate) async fn append_event(
    tx: &mut citadel_store::Tx<'_>,
    event: &NewWebhookEvent,
) -> Result<i64, citadel_store::Error> {
    let place = webhook_events::take_places(tx, event.tenant, 1).await?;
    webhook_events::append(tx, place, std::slice::from_ref(event)).await?;
    Ok(place)
}
