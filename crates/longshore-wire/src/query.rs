//! Request query strings.

use std::fmt::{self, Display, Write};

use percent_encoding::utf8_percent_encode;

use crate::filters::Filters;
use crate::path::RESERVED;

/// Collects the parameters of a request, percent-encoded, in the order they are pushed.
///
/// A space is written `%20`, never `+`, so that every server reads it the same.
///
/// ```
/// use longshore_wire::query::Query;
///
/// let mut query = Query::new();
/// query.push("tail", 100).flag("follow", true).flag("details", false);
/// assert_eq!(query.as_str(), "tail=100&follow=1");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Query(String);

impl Query {
    /// Starts without parameters.
    pub fn new() -> Query {
        Query::default()
    }

    /// Appends a parameter. A key that is pushed again is repeated.
    pub fn push(&mut self, key: &str, value: impl Display) -> &mut Query {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.extend(utf8_percent_encode(key, RESERVED));
        self.0.push('=');
        // The encoder never fails; a `Display` that does breaks its own contract, and what it wrote is kept.
        let _ = write!(Encoder(&mut self.0), "{value}");
        self
    }

    /// Appends a parameter if there is a value.
    pub fn optional(&mut self, key: &str, value: Option<impl Display>) -> &mut Query {
        if let Some(value) = value {
            self.push(key, value);
        }
        self
    }

    /// Appends `key=1` if the flag is set, and nothing otherwise: for parameters whose default is false.
    pub fn flag(&mut self, key: &str, set: bool) -> &mut Query {
        if set {
            self.push(key, 1);
        }
        self
    }

    /// Appends `key=1` or `key=0`: for parameters whose default is true, or differs between engines.
    ///
    /// The engine takes an empty value, `0`, `no`, `false` and `none` for false, all else for true.
    pub fn bool(&mut self, key: &str, value: bool) -> &mut Query {
        self.push(key, u8::from(value))
    }

    /// Appends the same key once for each value.
    pub fn each(&mut self, key: &str, values: impl IntoIterator<Item = impl Display>) -> &mut Query {
        for value in values {
            self.push(key, value);
        }
        self
    }

    /// Appends an instant, for `since` and `until`. See [`seconds`] for the form.
    pub fn seconds(&mut self, key: &str, whole: i64, nanoseconds: u32) -> &mut Query {
        self.push(key, seconds(whole, nanoseconds))
    }

    /// Appends `filters=` with the JSON of the filters, if there are any.
    pub fn filters(&mut self, filters: &Filters) -> &mut Query {
        if !filters.is_empty() {
            self.push("filters", filters.to_json());
        }
        self
    }

    /// Returns the encoded parameters, without a leading `?`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tells whether no parameter has been pushed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes an instant as the engine reads it: seconds since 1970, a point, nine digits of nanoseconds.
///
/// The nanoseconds count forward from the second also before 1970: half a second before is `-1.500000000`.
/// Nanoseconds of a billion and more carry over.
pub fn seconds(whole: i64, nanoseconds: u32) -> String {
    const BILLION: u32 = 1_000_000_000;
    let whole = whole.saturating_add(i64::from(nanoseconds / BILLION));
    format!("{whole}.{:09}", nanoseconds % BILLION)
}

struct Encoder<'a>(&'a mut String);

impl Write for Encoder<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(utf8_percent_encode(text, RESERVED));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::random::Random;
    use percent_encoding::percent_decode_str;

    #[test]
    fn parameters_are_joined_and_encoded() {
        let mut query = Query::new();
        assert!(query.is_empty());
        query.push("t", 5).push("a&b=c", "d e+f&g=h;i%j\n").push("empty", "");
        assert_eq!(query.as_str(), "t=5&a%26b%3Dc=d%20e%2Bf%26g%3Dh%3Bi%25j%0A&empty=");
        assert!(!query.is_empty());
        assert_eq!(query.to_string(), query.as_str());
    }

    #[test]
    fn flags_are_written_when_set_and_bools_always() {
        let mut query = Query::new();
        query.flag("v", true).flag("force", false);
        query.bool("stream", false).bool("pause", true);
        assert_eq!(query.as_str(), "v=1&stream=0&pause=1");
    }

    #[test]
    fn absent_values_are_left_out() {
        let mut query = Query::new();
        query.optional("signal", None::<&str>).optional("tag", Some("1.0"));
        query.optional("limit", Some(3)).each("names", ["a", "b/c"]);
        query.each("type", Vec::<String>::new());
        assert_eq!(query.as_str(), "tag=1.0&limit=3&names=a&names=b%2Fc");
    }

    #[test]
    fn filters_are_left_out_when_empty() {
        let mut query = Query::new();
        query.filters(&Filters::new());
        assert!(query.is_empty());
        query.filters(&Filters::new().with("label", "a=b"));
        assert_eq!(query.as_str(), "filters=%7B%22label%22%3A%5B%22a%3Db%22%5D%7D");
    }

    #[test]
    fn instants_keep_their_nanoseconds() {
        assert_eq!(seconds(1_700_000_000, 1), "1700000000.000000001");
        assert_eq!(seconds(0, 999_999_999), "0.999999999");
        assert_eq!(seconds(-1, 500_000_000), "-1.500000000");
        assert_eq!(seconds(7, 4_294_967_295), "11.294967295");
        assert_eq!(seconds(i64::MAX, 2_000_000_000), "9223372036854775807.000000000");
        let mut query = Query::new();
        query.seconds("since", 3, 40);
        assert_eq!(query.as_str(), "since=3.000000040");
    }

    #[test]
    fn any_parameters_decode_to_themselves() {
        let mut random = Random::new(2);
        for _ in 0..5_000 {
            let alphabet = "ab=&;+ %#?/\"\\\0\n~é日🐳";
            let pairs: Vec<(String, String)> =
                (0..random.below(5)).map(|_| (random.text(alphabet, 6), random.text(alphabet, 10))).collect();
            let mut query = Query::new();
            for (key, value) in &pairs {
                query.push(key, value);
            }
            let decode = |text| percent_decode_str(text).decode_utf8().unwrap().into_owned();
            let read: Vec<(String, String)> = query
                .as_str()
                .split('&')
                .filter(|pair| !pair.is_empty())
                .map(|pair| pair.split_once('=').unwrap())
                .map(|(key, value)| (decode(key), decode(value)))
                .collect();
            assert_eq!(read, pairs);
        }
    }
}
