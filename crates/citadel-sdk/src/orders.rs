//! Orders: a user, bridge tokens and a page for the person in one call.

use citadel_api_types::{
    events::Event,
    orders::{
        CreateOrder, LookUpOrders, Order, OrderEmployer, OrderEmployerRequest, OrderPage, RefreshOrder,
        UpdateOrder,
    },
};

use crate::{Citadel, Error, client::Call, retry::Repeat};

impl Citadel {
    /// Makes an order. Send its `share_url` to the person, or open the widget with its `bridge_token` and `isOrder`. Two orders
    /// may have one number: what was asked for once is made once because of the call's idempotency key.
    pub async fn create_order(&self, request: &CreateOrder) -> Result<Order, Error> {
        self.post("orders", request, Repeat::UnderKey).await
    }

    /// One page of orders, newest first, counted from 1.
    pub async fn orders(&self, page: u32) -> Result<OrderPage, Error> {
        let page = page.to_string();
        self.get(Call::new("orders").query(&[("page", &page)])).await
    }

    /// Orders with a number of yours.
    pub async fn look_up_orders(&self, order_number: &str) -> Result<OrderPage, Error> {
        let request = LookUpOrders { order_number: order_number.to_owned() };
        self.post("orders/lookup", &request, Repeat::Always).await
    }

    /// One order, with the jobs of the employers that are completed.
    pub async fn order(&self, id: &str) -> Result<Order, Error> {
        self.get(Call::new("orders").id(id)).await
    }

    /// Changes an order that nobody has begun with: what is `None` stays.
    pub async fn update_order(&self, id: &str, request: &UpdateOrder) -> Result<Order, Error> {
        self.patch(Call::new("orders").id(id), request).await
    }

    /// Takes an order back. Doing it twice does no harm.
    pub async fn cancel_order(&self, id: &str) -> Result<Order, Error> {
        self.post(Call::new("orders").id(id).then("cancel"), &(), Repeat::UnderKey).await
    }

    /// Puts one more employer into an order.
    pub async fn add_order_employer(
        &self,
        id: &str,
        request: &OrderEmployerRequest,
    ) -> Result<OrderEmployer, Error> {
        self.post(Call::new("orders").id(id).then("employers"), request, Repeat::UnderKey).await
    }

    /// Asks again what an order asked before: a new order for the same person.
    pub async fn refresh_order(&self, id: &str, request: &RefreshOrder) -> Result<Order, Error> {
        self.post(Call::new("orders").id(id).then("refresh"), request, Repeat::UnderKey).await
    }

    /// Asks the same again, with the same employers and accounts: a new order for the same person.
    pub async fn reverify_order(&self, id: &str) -> Result<Order, Error> {
        self.post(Call::new("orders").id(id), &RefreshOrder::default(), Repeat::UnderKey).await
    }

    /// The webhook events of an order, oldest first.
    pub async fn order_events(&self, id: &str) -> Result<Vec<Event>, Error> {
        self.get(Call::new("orders").id(id).then("events")).await
    }
}
