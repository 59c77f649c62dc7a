//! What goes over the wire, checked against the published shapes.

mod answers;
mod requests;
mod schemas;
