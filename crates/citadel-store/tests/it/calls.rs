use citadel_domain::{CallId, LinkId, TaskId};
use citadel_store::{
    Db, Tenant, Value,
    calls::{self, Bodies, Call, Filter, NewCall, Status},
    links, purge,
    retention::{self, Scope},
    sandboxes,
};
use jiff::SignedDuration;

use crate::harness::{Store, for_each_db};

impl Store {
    /// A call that came in so many seconds after the test's beginning.
    pub(crate) fn new_call(&self, tenant: Tenant, seconds: i64) -> NewCall {
        let at = self.after(seconds);
        NewCall {
            id: CallId::generate(at, &*self.random),
            tenant,
            at,
            method: "GET".to_owned(),
            route: "/v1/tasks/{task_id}/".to_owned(),
            path: "/v1/tasks/0/".to_owned(),
            status: 200,
            duration_us: 700,
            access_key_id: None,
            bridge_token_id: None,
            link_id: None,
            task_id: None,
            bridge_token_hash: None,
            access_token_hash: None,
            request: None,
            response: Some(vec![1, 2]),
        }
    }

    pub(crate) async fn keep_call(&self, new: NewCall) -> CallId {
        let kept = self.db.write(async move |tx| calls::append(tx, &new).await).await.unwrap();
        kept.unwrap().id
    }
}

async fn list(db: &Db, tenant: Tenant, filter: Filter, before: Option<CallId>, limit: u32) -> Vec<CallId> {
    let list = db.read(async move |tx| calls::list(tx, tenant, &filter, before, limit).await).await;
    list.unwrap().into_iter().map(|call| call.id).collect()
}

async fn get(db: &Db, tenant: Tenant, id: CallId) -> Option<(Call, Bodies)> {
    db.read(async move |tx| calls::get(tx, tenant, id).await).await.unwrap()
}

async fn count(db: &Db, table: &str) -> i64 {
    let sql: &'static str = format!("select cast(count(*) as bigint) from {table}").leak();
    db.read(async move |tx| tx.fetch_one(sql, &[], |row| row.get::<i64>(0)).await).await.unwrap()
}

#[tokio::test]
async fn calls_are_listed_newest_first_and_narrowed_by_whatever_is_asked() {
    for_each_db("calls_list", async |store| {
        let (token, link, task) = store.running_task().await;
        let (tenant, key) = (token.tenant, token.access_key_id);
        let foreign = store.tenant().await;
        let plain = store.keep_call(store.new_call(tenant, 0)).await;
        let keyed = store.keep_call(NewCall { access_key_id: Some(key), ..store.new_call(tenant, 1) }).await;
        let refused = store.keep_call(NewCall { status: 404, ..store.new_call(tenant, 2) }).await;
        let failed = NewCall {
            status: 503,
            route: "/v1/links/".to_owned(),
            access_key_id: Some(key),
            ..store.new_call(tenant, 3)
        };
        let failed = store.keep_call(failed).await;
        let of_link = NewCall { task_id: Some(task.id), ..store.new_call(tenant, 4) };
        let of_link = store.keep_call(of_link).await;
        store.keep_call(store.new_call(foreign, 5)).await;
        store.keep_call(store.new_call(store.tenant().await, 6)).await;

        let db = &store.db;
        let all = [of_link, failed, refused, keyed, plain];
        assert_eq!(list(db, tenant, Filter::default(), None, 9).await, all);
        // Page by page.
        assert_eq!(list(db, tenant, Filter::default(), None, 2).await, all[..2]);
        assert_eq!(list(db, tenant, Filter::default(), Some(all[1]), 2).await, all[2..4]);
        let route = |route: &str| Some(route.to_owned());
        let (since, until) = (store.after(1), store.after(3));
        for (filter, expected) in [
            (Filter { status: Some(Status::Exactly(404)), ..Filter::default() }, vec![refused]),
            (Filter { status: Some(Status::Class(5)), ..Filter::default() }, vec![failed]),
            (Filter { status: Some(Status::Class(2)), ..Filter::default() }, vec![of_link, keyed, plain]),
            (Filter { status: Some(Status::Exactly(418)), ..Filter::default() }, vec![]),
            (Filter { route: route("/v1/links/"), ..Filter::default() }, vec![failed]),
            (Filter { access_key_id: Some(key), ..Filter::default() }, vec![failed, keyed]),
            (Filter { link_id: Some(link.id), ..Filter::default() }, vec![of_link]),
            (Filter { since: Some(since), until: Some(until), ..Filter::default() }, vec![refused, keyed]),
            (
                Filter {
                    route: route("/v1/tasks/{task_id}/"),
                    access_key_id: Some(key),
                    status: Some(Status::Class(2)),
                    ..Filter::default()
                },
                vec![keyed],
            ),
        ] {
            assert_eq!(list(db, tenant, filter.clone(), None, 9).await, expected, "{filter:?}");
        }
        assert_eq!(list(db, foreign, Filter::default(), None, 9).await.len(), 1);

        let (call, bodies) = get(db, tenant, of_link).await.unwrap();
        assert_eq!((call.link_id, call.task_id), (Some(link.id), Some(task.id)));
        assert_eq!(call.received_at(), store.after(4));
        assert_eq!(bodies, Bodies { request: None, response: Some(vec![1, 2]) });
        assert!(get(db, foreign, of_link).await.is_none(), "another tenant's");
    })
    .await;
}

#[tokio::test]
async fn p05_a_call_names_nothing_of_others() {
    for_each_db("p05_calls", async |store| {
        let (_, link, task) = store.running_task().await;
        let other = store.tenant().await;
        let new = NewCall { link_id: Some(link.id), task_id: Some(task.id), ..store.new_call(other, 0) };
        let id = store.keep_call(new).await;
        let (call, _) = get(&store.db, other, id).await.unwrap();
        assert_eq!((call.link_id, call.task_id), (None, None));
        let unknown = NewCall {
            link_id: Some(LinkId::from_bytes([1; 16])),
            task_id: Some(TaskId::from_bytes([1; 16])),
            ..store.new_call(other, 1)
        };
        let id = store.keep_call(unknown).await;
        assert_eq!(get(&store.db, other, id).await.unwrap().0.link_id, None);
    })
    .await;
}

#[tokio::test]
async fn p22_bodies_go_with_their_link() {
    for_each_db("p22_calls", async |store| {
        let (_, link, _) = store.running_task().await;
        let (tenant, id, now, stamp) = (link.tenant, link.id, store.now, store.stamp());
        let about = |seconds| NewCall { link_id: Some(id), ..store.new_call(tenant, seconds) };
        let before = store.keep_call(about(0)).await;
        let other = store.keep_call(store.new_call(tenant, 1)).await;
        store.db.write(async move |tx| links::erase(tx, tenant, id, now, stamp).await).await.unwrap();
        let after = store.keep_call(about(2)).await;
        for gone in [before, after] {
            let (call, bodies) = get(&store.db, tenant, gone).await.unwrap();
            assert_eq!((call.link_id, bodies), (Some(id), Bodies::default()));
        }
        assert_ne!(get(&store.db, tenant, other).await.unwrap().1, Bodies::default());
        // One that was written by a transaction which had not seen the deletion.
        let put = [Value::from(tenant.client_id), Value::from(before), Value::from(vec![1])];
        let sql = "insert into call_bodies (client_id, environment, call_id, response) values ($1, 'sandbox', $2, $3)";
        store.db.write(async move |tx| tx.execute(sql, &put).await).await.unwrap();
        while store.db.write(async |tx| purge::step(tx).await).await.unwrap() > 0 {}
        assert_eq!(get(&store.db, tenant, before).await.unwrap().1, Bodies::default());

        let empty = async move |tx: &mut citadel_store::Tx<'_>| sandboxes::empty(tx, tenant).await;
        store.db.write(empty).await.unwrap();
        assert_eq!((count(&store.db, "calls").await, count(&store.db, "call_bodies").await), (0, 0));
    })
    .await;
}

#[tokio::test]
async fn p23_calls_go_after_thirty_days() {
    for_each_db("p23_calls", async |store| {
        let tenant = store.tenant().await;
        let month = 30 * 24 * 3600;
        for seconds in 0..450 {
            store.keep_call(store.new_call(tenant, seconds)).await;
        }
        let last = store.keep_call(store.new_call(tenant, month)).await;
        let now = store.after(month) + SignedDuration::from_secs(451);
        let scope = Scope { sandbox: None, now };
        let mut steps = 0;
        while store.db.write(async move |tx| retention::delete_recorded(tx, scope).await).await.unwrap() > 0 {
            steps += 1;
        }
        assert_eq!(steps, 3, "no step is longer than 200 rows of a kind");
        assert_eq!(list(&store.db, tenant, Filter::default(), None, 9).await, [last]);
        assert_eq!(count(&store.db, "call_bodies").await, 1);
    })
    .await;
}
