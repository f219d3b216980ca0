//! The error of every task: a text for the person at the terminal.

use std::fmt;

/// What went wrong, in words; a task prints it and ends with exit code 1.
///
/// Any `std::error::Error` becomes one through `?`; that is why this type is none itself.
#[derive(Debug)]
pub(crate) struct Error(String);

/// The result of a task or of a part of it.
pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Makes an error that says `message`.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Error {
    fn from(error: E) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        Self(message)
    }
}

/// Says what was being done when something failed.
pub(crate) trait Context<T> {
    /// Puts `doing` in front of the error's text.
    fn context(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error(format!("{}: {}", doing(), error.into().0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_comes_before_the_cause() {
        let failed: std::result::Result<(), _> = "x".parse::<u16>().map(drop);
        let error = failed.context(|| "read the port".into()).unwrap_err();
        assert_eq!(error.to_string(), "read the port: invalid digit found in string");
    }
}
