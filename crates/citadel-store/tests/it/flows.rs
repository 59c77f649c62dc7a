use citadel_domain::{BridgeTokenId, ScreenId, TaskStatus};
use citadel_store::{
    Db, Tenant,
    bridge_tokens::BridgeToken,
    calls::NewCall,
    deliveries,
    flows::{self, Entry, What},
    screens::{self, NewScreen},
    tasks::Task,
};

use crate::harness::{Store, for_each_db};

impl Store {
    pub(crate) async fn screen(&self, token: &BridgeToken, name: &'static str, seconds: i64) {
        let at = self.after(seconds);
        let new = NewScreen {
            id: ScreenId::generate(at, &*self.random),
            tenant: token.tenant,
            bridge_token_id: token.id,
            name,
            at,
        };
        self.db.write(async move |tx| screens::append(tx, &new).await).await.unwrap();
    }
}

async fn timeline(db: &Db, tenant: Tenant, id: BridgeTokenId) -> Vec<Entry> {
    db.read(async move |tx| flows::timeline(tx, tenant, id).await).await.unwrap()
}

/// The line in words.
fn told(entries: &[Entry]) -> Vec<String> {
    let tell = |entry: &Entry| match &entry.what {
        What::Call(call) => call.path.clone(),
        What::Screen(name) => name.clone(),
        What::Begun { .. } => "begun".to_owned(),
        What::Ended { status, .. } => status.to_string(),
        What::Event { event_type, .. } => event_type.clone(),
        What::Delivery { status_code, .. } => format!("sent {status_code:?}"),
    };
    entries.iter().map(tell).collect()
}

/// Calls, screens, an event and its delivery around a task that has ended.
async fn lived(store: &Store) -> (BridgeToken, Task) {
    let (token, link, task) = store.running_task().await;
    let call =
        |path: &str, seconds| NewCall { path: path.to_owned(), ..store.new_call(token.tenant, seconds) };
    store.keep_call(NewCall { bridge_token_id: Some(token.id), ..call("/made", -30) }).await;
    store.screen(&token, "SELECT_EMPLOYER", -20).await;
    store.screen(&token, "PROVIDER_LOGIN", -10).await;
    // By the widget, about the link; and later by the back end, which names the link alone.
    let own = NewCall { bridge_token_id: Some(token.id), link_id: Some(link.id), ..call("/signed-in", -5) };
    store.keep_call(own).await;
    store.keep_call(NewCall { link_id: Some(link.id), ..call("/read", 60) }).await;
    store.keep_call(call("/elsewhere", 61)).await;
    let (webhook, event) = (store.webhook(token.tenant).await, store.event(&task).await);
    let delivery = store.new_delivery(token.tenant, webhook, event.id, 500);
    store.db.write(async move |tx| deliveries::append(tx, &delivery).await).await.unwrap();
    let task = store.put_status(&task, TaskStatus::Done).await;
    (token, task)
}

#[tokio::test]
async fn a_flow_is_one_line_in_order_of_time() {
    for_each_db("flows_timeline", async |store| {
        let (token, _) = lived(&store).await;
        let (other, _) = lived(&store).await;
        let line = timeline(&store.db, token.tenant, token.id).await;
        let expected = [
            "/made",
            "SELECT_EMPLOYER",
            "PROVIDER_LOGIN",
            "/signed-in",
            "begun",
            "task-status-updated",
            "done",
            "sent Some(500)",
            "/read",
        ];
        assert_eq!(told(&line), expected);
        assert_eq!(timeline(&store.db, other.tenant, token.id).await, [], "another tenant's");
    })
    .await;
}

#[tokio::test]
async fn what_was_said_in_a_flow_is_read_at_once() {
    for_each_db("flows_bodies", async |store| {
        let (token, _) = lived(&store).await;
        let line = timeline(&store.db, token.tenant, token.id).await;
        let calls: Vec<_> = line
            .iter()
            .filter_map(|entry| if let What::Call(call) = &entry.what { Some(call.id) } else { None })
            .collect();
        let read = async |tenant, first, last| {
            let id = token.id;
            let read = async move |tx: &mut citadel_store::Tx<'_>| {
                flows::bodies(tx, tenant, id, (first, last)).await
            };
            store.db.read(read).await.unwrap()
        };
        let (first, last) = (*calls.iter().min().unwrap(), *calls.iter().max().unwrap());
        let all = read(token.tenant, first, last).await;
        assert_eq!(all.len(), 3, "of its own calls and of those about its link");
        assert!(all.values().all(|bodies| bodies.response.is_some()));
        assert_eq!(read(token.tenant, first, first).await.into_keys().collect::<Vec<_>>(), [first]);
        assert!(read(store.tenant().await, first, last).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn flows_are_listed_with_how_far_they_came() {
    for_each_db("flows_list", async |store| {
        let (token, task) = lived(&store).await;
        let tenant = token.tenant;
        let fresh = store.bridge_token(tenant).await;
        store.screen(&fresh, "SELECT_EMPLOYER", 1).await;
        lived(&store).await;
        let list = async |before, limit| {
            store.db.read(async move |tx| flows::list(tx, tenant, before, limit).await).await.unwrap().rows
        };
        let mut ids = [token.id, fresh.id];
        ids.sort();
        ids.reverse();
        let all = list(None, 9).await;
        assert_eq!(all.iter().map(|flow| flow.bridge_token_id).collect::<Vec<_>>(), ids);
        let find = |id| all.iter().find(|flow| flow.bridge_token_id == id).unwrap();
        let far = find(token.id);
        assert_eq!((far.status, far.screen.as_deref()), (Some(TaskStatus::Done), Some("PROVIDER_LOGIN")));
        assert_eq!((far.link_id, far.task_id), (Some(task.link_id), Some(task.id)));
        assert_eq!(far.provider_id.as_deref(), Some("paywell"));
        let near = find(fresh.id);
        assert_eq!((near.status, near.screen.as_deref()), (None, Some("SELECT_EMPLOYER")));
        assert_eq!(list(None, 1).await, all[..1]);
        assert_eq!(list(Some(ids[0]), 9).await, all[1..]);
    })
    .await;
}

#[tokio::test]
async fn a_page_cannot_tell_screens_without_end() {
    for_each_db("flows_screens", async |store| {
        let (token, ..) = store.running_task().await;
        for second in 0..205 {
            store.screen(&token, "LOADING", second).await;
        }
        let line = timeline(&store.db, token.tenant, token.id).await;
        assert_eq!(line.iter().filter(|entry| matches!(entry.what, What::Screen(_))).count(), 200);
        let mut foreign = token.clone();
        foreign.tenant = store.tenant().await;
        store.screen(&foreign, "LOADING", 300).await;
        assert_eq!(timeline(&store.db, foreign.tenant, token.id).await, [], "no token of this tenant");
    })
    .await;
}
