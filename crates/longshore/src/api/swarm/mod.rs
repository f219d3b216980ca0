//! Swarms: what the engines of several machines do together.

mod object;

pub(crate) use object::{Object, update};
