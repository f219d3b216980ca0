//! What takes more than one call: running, replacing, copying.

mod replace;
mod run;

pub use replace::Change;
pub use run::Run;
