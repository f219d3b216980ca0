//! Networks: what they are made from, and what engines tell of them.

pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod inspect;
pub(crate) mod ipam;
pub(crate) mod status;
pub(crate) mod subnet;
