use std::fmt;

use longshore_models::SortedMap;
use longshore_models::decode::{Decode, Place};
use longshore_wire::request::{check_field, is_of_connection};

use super::Environment;
use crate::error::{ErrorKind, Operation, Result};

/// Fields that are not the user's to set, beside those of the connection: how the answer comes, and who asks.
const OURS: [&str; 2] = ["accept-encoding", "user-agent"];

/// The variable whose fields stand in for those of `config.json`.
const VARIABLE: &str = "DOCKER_CUSTOM_HEADERS";

/// Header fields by name, as `config.json` has them. A value may be a secret.
#[derive(Clone, Default)]
pub(crate) struct HttpHeaders(SortedMap<String, String>);

impl Decode for HttpHeaders {
    fn place(&mut self) -> Place<'_> {
        self.0.place()
    }
}

impl fmt::Debug for HttpHeaders {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl HttpHeaders {
    /// Reads a list of `name=value` with commas between them, each in double quotes if it has a comma itself.
    ///
    /// As in the official CLI, only the first line counts, and spaces around a name do not.
    fn listed(list: &str) -> Result<Self> {
        let wrong = |what: &str| {
            let message = format!("{VARIABLE} is to be a list of name=value with commas between them: {what}");
            Operation::new("connect").error(ErrorKind::Config, message)
        };
        let items = first_record(list).ok_or_else(|| wrong("a double quote is out of place"))?;
        let mut fields = SortedMap::new();
        for item in items {
            let (name, value) = item.split_once('=').ok_or_else(|| wrong("one has no value"))?;
            if name.trim().is_empty() {
                return Err(wrong("one has no name"));
            }
            // A name that comes again in other letters is the same.
            fields.retain(|known: &String, _| !known.eq_ignore_ascii_case(name.trim()));
            fields.insert(name.trim().to_owned(), value.to_owned());
        }
        Ok(HttpHeaders(fields))
    }

    /// Those fields that may go with every request; `origin` is where they are from.
    fn checked(self, origin: &str) -> Result<Vec<(String, String)>> {
        let mut fields = Vec::new();
        for (name, value) in self.0 {
            if check_field(&name, &value).is_err() {
                let name = name.escape_debug();
                let message = format!("{origin} has an HTTP header `{name}` that can't be sent");
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
    /// What goes with every request, as `DOCKER_CUSTOM_HEADERS` says, or else `config.json`.
    ///
    /// A file that can't be read or understood says nothing, as for the official CLI: where it may have decided which
    /// engine is meant, that has been an error before.
    pub(crate) fn headers(&self) -> Result<Vec<(String, String)>> {
        if let Some(list) = self.get(VARIABLE).filter(|list| !list.trim_matches(['\r', '\n']).is_empty()) {
            return HttpHeaders::listed(list)?.checked(VARIABLE);
        }
        match self.config_file() {
            Ok(file) => file.http_headers.checked("config.json"),
            Err(error) => {
                tracing::warn!("going on without the headers of the configuration: {error}");
                Ok(Vec::new())
            }
        }
    }
}

/// The fields of the first line of comma-separated values that is not empty; `None` if its quotes are wrong.
fn first_record(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim_start_matches(['\r', '\n']);
    let mut fields = Vec::new();
    loop {
        let mut field = String::new();
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted;
            loop {
                let (text, behind) = rest.split_once('"')?;
                field.push_str(text);
                rest = behind;
                // Two of them stand for one.
                let Some(behind) = rest.strip_prefix('"') else { break };
                field.push('"');
                rest = behind;
            }
        } else {
            let end = rest.find([',', '\n']).unwrap_or(rest.len());
            field.push_str(rest[..end].trim_end_matches('\r'));
            rest = &rest[end..];
            if field.contains('"') {
                return None;
            }
        }
        fields.push(field);
        if rest.trim_start_matches('\r').is_empty() || rest.starts_with('\n') || rest.starts_with("\r\n") {
            return Some(fields);
        }
        rest = rest.strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(fields: &[(&str, &str)]) -> Result<Vec<(String, String)>> {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        HttpHeaders(fields.collect()).checked("config.json")
    }

    fn listed(list: &str) -> Result<Vec<(String, String)>> {
        Environment::default().variable(VARIABLE, list).headers()
    }

    #[test]
    fn a_variable_lists_fields() {
        for (list, expected) in [
            ("X-A=1", &[("X-A", "1")][..]),
            (" X-B = 2 ,X-A=1=1,X-C=", &[("X-A", "1=1"), ("X-B", " 2 "), ("X-C", "")]),
            ("\"X-A=1, 2\",\"X-B=\"\"so\"\"\"", &[("X-A", "1, 2"), ("X-B", "\"so\"")]),
            ("\r\nX-A=1\r\nX-B=2", &[("X-A", "1")]),
            ("\"X-A=1\"\r\nX-B", &[("X-A", "1")]),
            ("X-A=1,x-a=2", &[("x-a", "2")]),
            ("User-Agent=me,X-A=1", &[("X-A", "1")]),
            ("", &[]),
            ("\n", &[]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(listed(list).unwrap(), expected, "{list:?}");
        }
    }

    #[test]
    fn a_list_that_is_none_is_an_error_without_its_values() {
        for (list, why) in [
            ("X-A", "no value"),
            ("X-A=s3cret,", "no value"),
            ("=s3cret", "no name"),
            (" =s3cret", "no name"),
            ("X-A=\"s3cret\"", "quote"),
            ("\"X-A=s3cret", "quote"),
            ("\"X-A=s3cret\"b,X-B=1", "quote"),
            ("X A=s3cret", "`X A`"),
        ] {
            let error = listed(list).unwrap_err();
            let text = format!("{error} {error:?}");
            assert_eq!(error.kind(), ErrorKind::Config, "{list:?}");
            assert!(text.contains(VARIABLE) && text.contains(why) && !text.contains("s3cret"), "{text}");
        }
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
