use std::fmt;

use longshore_models::SortedMap;
use longshore_wire::request::{check_field, is_of_connection};
use serde::Deserialize;

use super::Environment;
use crate::error::{ErrorKind, Operation, Result};

/// Fields that are not the user's to set, beside those of the connection: how the answer comes, and who asks.
const OURS: [&str; 2] = ["accept-encoding", "user-agent"];

/// Header fields by name, as `config.json` has them. A value may be a secret.
#[derive(Clone, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct HttpHeaders(SortedMap<String, String>);

impl fmt::Debug for HttpHeaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl HttpHeaders {
    /// Those fields that may go with every request.
    fn checked(self) -> Result<Vec<(String, String)>> {
        let mut fields = Vec::new();
        for (name, value) in self.0 {
            if check_field(&name, &value).is_err() {
                let name = name.escape_debug();
                let message = format!("config.json has an HTTP header `{name}` that can't be sent");
                return Err(Operation::new("connect").error(ErrorKind::Config, message));
            }
            if !is_of_connection(&name) && !OURS.iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
                fields.push((name, value));
            }
        }
        Ok(fields)
    }
}

impl Environment {
    /// What goes with every request, as `config.json` says.
    ///
    /// A file that can't be read or understood says nothing, as for the official CLI: where it may have decided which
    /// engine is meant, that has been an error before.
    pub(crate) fn headers(&self) -> Result<Vec<(String, String)>> {
        match self.config_file() {
            Ok(file) => file.http_headers.checked(),
            Err(error) => {
                tracing::warn!("going on without the headers of the configuration: {error}");
                Ok(Vec::new())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(fields: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        HttpHeaders(fields.collect()).checked()
    }

    #[test]
    fn fields_of_the_user_are_kept_and_ours_are_left_out() {
        let fields = checked(&[("X-Meta", "a b\té"), ("Authorization", ""), ("HOST", "x"), ("User-Agent", "me")]);
        let expected = [("Authorization", ""), ("X-Meta", "a b\té")];
        assert_eq!(fields.unwrap(), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let of_connection = [
            "connection",
            "content-length",
            "expect",
            "host",
            "keep-alive",
            "te",
            "trailer",
            "transfer-encoding",
            "upgrade",
        ];
        for ours in OURS.into_iter().chain(of_connection) {
            assert_eq!(checked(&[(ours, "1"), (&ours.to_uppercase(), "1")]).unwrap(), []);
        }
    }

    #[test]
    fn a_field_that_can_not_be_sent_is_named_without_its_value() {
        for (name, value) in [("X-A", "s3cret\r\nHost: b"), ("X A", "s3cret"), ("", "s3cret"), ("X-A", "s3cret\0")] {
            let error = checked(&[(name, value)]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            let text = format!("{error} {error:?}");
            assert!(text.contains(&format!("`{name}`")) && !text.contains("s3cret"), "{text}");
        }
    }

    #[test]
    fn values_are_not_shown() {
        let headers = HttpHeaders([("X-Token".to_owned(), "s3cret".to_owned())].into());
        assert_eq!(format!("{headers:?}"), r#"{"X-Token"}"#);
    }
}
