use longshore_models::decode::{self, Decode, List};
use longshore_models::lenient;
use serde::de::Error as _;

use crate::error::{Error, Operation, Result};

/// How much of a piece is put behind an element that has begun before it, unless the element is long.
const TAKEN: usize = 4 * 1024;

/// Decodes a JSON list that comes in pieces.
pub(super) struct ListDecoder {
    operation: Operation,
    /// How many elements are decoded.
    count: usize,
    place: Place,
    /// What came and is not decoded yet: a part of an element, unless the answer is no list.
    rest: String,
    /// The beginning of a character that goes on in the next piece.
    cut: Vec<u8>,
    /// How long `rest` has to be before it is looked at again, so that an element of many pieces is not begun anew with
    /// each of them.
    enough: usize,
}

/// Where in the answer the next byte is.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Start,
    /// Where the first element begins, unless the list is empty.
    First,
    Element,
    Comma,
    End,
    /// In an answer that is no list, such as `null`. It is decoded as a whole.
    Other,
}

impl ListDecoder {
    pub(super) fn new(operation: Operation) -> Self {
        ListDecoder { operation, count: 0, place: Place::Start, rest: String::new(), cut: Vec::new(), enough: 0 }
    }

    /// Takes the next piece, and adds the elements in it.
    pub(super) fn push(&mut self, piece: &[u8], items: &mut dyn List) -> Result<()> {
        let joined;
        let piece = match self.cut.is_empty() {
            true => piece,
            false => {
                joined = [std::mem::take(&mut self.cut).as_slice(), piece].concat();
                &joined
            }
        };
        let (whole, cut) = piece.split_at(piece.len() - cut_length(piece));
        self.cut.extend_from_slice(cut);
        self.push_text(&lenient::text(whole), items)
    }

    fn push_text(&mut self, mut text: &str, items: &mut dyn List) -> Result<()> {
        while !self.rest.is_empty() {
            if text.is_empty() {
                return Ok(());
            }
            // The element that has begun is put together; what follows it is decoded where it is.
            let mut taken = text.len().min(TAKEN.max(self.enough.saturating_sub(self.rest.len())));
            while !text.is_char_boundary(taken) {
                taken += 1;
            }
            self.rest.push_str(&text[..taken]);
            if self.rest.len() >= self.enough {
                self.decode_rest(items)?;
            }
            match self.rest.len() <= taken {
                true => {
                    text = &text[taken - self.rest.len()..];
                    self.rest.clear();
                }
                false => text = &text[taken..],
            }
        }
        let done = self.decode(text, items)?;
        self.rest.push_str(&text[done..]);
        Ok(())
    }

    /// Knows that all of the list has come.
    pub(super) fn finish<T: Decode + Default>(mut self, items: &mut Vec<T>) -> Result<()> {
        let cut = std::mem::take(&mut self.cut);
        self.push_text(&lenient::text(&cut), items)?;
        self.decode_rest(items)?;
        match self.place {
            Place::End => Ok(()),
            Place::Start | Place::Other => {
                decode::fill(items, &self.rest).map_err(|source| self.operation.bad_json(source, self.rest.as_bytes()))
            }
            _ => Err(self.operation.cut_json(self.rest.as_bytes())),
        }
    }

    fn decode_rest(&mut self, items: &mut dyn List) -> Result<()> {
        let mut rest = std::mem::take(&mut self.rest);
        let done = self.decode(&rest, items)?;
        rest.drain(..done);
        self.rest = rest;
        Ok(())
    }

    /// Decodes what is complete, and tells its length.
    fn decode(&mut self, json: &str, items: &mut dyn List) -> Result<usize> {
        let before = self.count;
        let mut done = 0;
        loop {
            done += json.as_bytes()[done..].iter().take_while(|byte| is_space(**byte)).count();
            let Some(next) = json.as_bytes().get(done) else { break };
            let (length, place) = match (self.place, next) {
                (Place::Start, b'[') => (1, Place::First),
                (Place::First | Place::Comma, b']') => (1, Place::End),
                (Place::Comma, b',') => (1, Place::Element),
                (Place::First | Place::Element, _) => match self.element(&json[done..], items)? {
                    Some(length) => (length, Place::Comma),
                    None => break,
                },
                (Place::Start | Place::Other, _) => {
                    self.place = Place::Other;
                    break;
                }
                (Place::Comma, _) => {
                    return Err(self.bad_element(serde_json::Error::custom("expected `,` or `]`"), &json[done..]));
                }
                (Place::End, _) => {
                    let source = serde_json::Error::custom("trailing characters");
                    return Err(self.operation.bad_json(source, &json.as_bytes()[done..]));
                }
            };
            done += length;
            self.place = place;
        }
        self.enough = if self.count == before { (json.len() - done) * 2 } else { 0 };
        Ok(done)
    }

    /// Decodes the element at the beginning of a text, and tells its length.
    fn element(&mut self, json: &str, items: &mut dyn List) -> Result<Option<usize>> {
        match decode::push_first(items, json) {
            // More digits of a number may come.
            Ok(length) if length == json.len() => {
                items.take_back();
                Ok(None)
            }
            Ok(length) => {
                self.count += 1;
                Ok(Some(length))
            }
            // Of a number that nobody asks for, what is cut behind one of these is no number to the decoder.
            Err(error) if error.is_eof() || json.ends_with(['-', '+', '.', 'e', 'E']) => Ok(None),
            Err(error) => Err(self.bad_element(error, json)),
        }
    }

    #[cold]
    fn bad_element(&self, source: serde_json::Error, json: &str) -> Error {
        self.operation.bad_json_in(&format!("[{}]", self.count), source, json.as_bytes())
    }
}

/// Whether JSON takes it for space, which is less than ASCII does.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// How much of a character that is cut in two stands at the end.
fn cut_length(bytes: &[u8]) -> usize {
    let last = bytes.iter().rev().take(3).position(|byte| !(0x80..0xc0).contains(byte));
    let Some(behind) = last else { return 0 };
    let length = match bytes[bytes.len() - 1 - behind] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 1,
    };
    if length > behind + 1 { behind + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::ErrorKind;

    fn decode<T: Decode + Default>(pieces: &[&[u8]]) -> Result<Vec<T>> {
        let mut items = Vec::new();
        let mut list = ListDecoder::new(Operation::new("list"));
        for piece in pieces {
            list.push(piece, &mut items)?;
        }
        list.finish(&mut items)?;
        Ok(items)
    }

    #[test]
    fn a_list_is_the_same_however_it_is_cut() {
        let text = " [ {\"a\": \"b]\\\"[\u{e9}\u{1f433}\"} , 12,null ,[1, {}],\"x\"\n,-1.5e3 ] \n";
        let whole: Vec<Value> = serde_json::from_str(text).unwrap();
        let bytes = text.as_bytes();
        for first in 0..=bytes.len() {
            for second in first..=bytes.len() {
                let pieces = [&bytes[..first], &bytes[first..second], &bytes[second..]];
                assert_eq!(decode::<Value>(&pieces).unwrap(), whole, "cut at {first} and {second}");
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(decode::<Value>(&single).unwrap(), whole);
    }

    #[test]
    fn a_long_list_is_the_same_however_it_is_cut() {
        let length = |number: usize| if number == 100 { 5 * TAKEN } else { number * 7 % 900 };
        let whole: Vec<String> = (0..200).map(|number| number.to_string().repeat(length(number))).collect();
        let text = serde_json::to_string(&whole).unwrap();
        for size in [63, TAKEN - 1, TAKEN, TAKEN + 1, 3 * TAKEN, 7 * TAKEN + 5, text.len()] {
            let pieces: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            assert_eq!(decode::<String>(&pieces).unwrap(), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn an_empty_list_may_be_written_in_other_ways() {
        for text in ["[]", "[ ]", " [\n] ", "null", " null "] {
            let single: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(decode::<Value>(&single).unwrap(), Vec::<Value>::new(), "{text:?}");
            assert_eq!(decode::<Value>(&[text.as_bytes()]).unwrap(), Vec::<Value>::new(), "{text:?}");
        }
    }

    #[test]
    fn null_is_what_is_empty() {
        assert_eq!(decode::<String>(&[b"[null,\"a\",null]"]).unwrap(), ["", "a", ""]);
    }

    #[test]
    fn a_cut_list_is_an_error_wherever_it_is_cut() {
        let text = b"[{\"a\":1},12,\"x\"]";
        for end in 1..text.len() {
            let error = decode::<Value>(&[&text[..end]]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Truncated, "{end}: {error}");
        }
        assert_eq!(decode::<Value>(&[]).unwrap_err().to_string(), "list: the engine's answer is empty");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases: [(&[u8], &str); 9] = [
            (b"[\"a\"\x0c]", "at `[1]`: expected `,` or `]`"),
            (b"[\"a\",{}]", "at `[1]`: invalid type: map, expected a text"),
            (b"[\"a\" \"b\"]", "at `[1]`: expected `,` or `]`"),
            (b"[\"a\"],", "can't be read: trailing characters"),
            (b"[\"a\",]", "at `[1]`: expected value"),
            (b"[,\"a\"]", "at `[0]`: expected value"),
            (b"[\"a\xff\"]", "at `[0]`: lone leading surrogate in hex escape"),
            (b"{\"message\":\"no\"}", "invalid type: map, expected a list"),
            (b"\xff\"", "expected value"),
        ];
        for (text, expected) in cases {
            let error = decode::<String>(&[text]).unwrap_err();
            assert!(error.kind() == ErrorKind::Decode && error.message().contains(expected), "{error}");
            let single: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(decode::<String>(&single).unwrap_err().kind(), ErrorKind::Decode, "{expected}");
        }
        #[derive(Debug, Default, Decode)]
        struct Item {
            #[serde(rename = "Names")]
            _names: Vec<String>,
        }
        let error = decode::<Item>(&[b"[{\"Names\":[]},{\"Names\":[{}]}]"]).unwrap_err();
        assert!(error.message().contains("at `[1].Names[0]`"), "{error}");
    }

    #[test]
    fn what_is_no_text_is_read_over_where_nobody_asks_for_it() {
        #[derive(Debug, Default, PartialEq, Decode)]
        struct Item {
            #[serde(rename = "Id")]
            id: String,
        }
        let text = b"[{\"New\":\"\xff\",\"Id\":\"a\"} , {\"Id\":\"\xc3\xa9\",\"New\":[\"\xc3\"]}]";
        let expected = [Item { id: "a".to_owned() }, Item { id: "\u{e9}".to_owned() }];
        for cut in 0..=text.len() {
            assert_eq!(decode::<Item>(&[&text[..cut], &text[cut..]]).unwrap(), expected, "cut at {cut}");
        }
        let single: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(decode::<Item>(&single).unwrap(), expected);
    }

    #[test]
    fn numbers_that_nobody_asks_for_may_be_cut_anywhere() {
        #[derive(Debug, Default, PartialEq, Decode)]
        struct Item {
            #[serde(rename = "Id")]
            id: String,
        }
        let text = b"[{\"New\":-5,\"Id\":\"a\",\"Newer\":[1.5e-3,-0.25E+2,1e9]},{\"New\":-0,\"Id\":\"b\"}]";
        let expected = ["a", "b"].map(|id| Item { id: id.to_owned() });
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let pieces = [&text[..first], &text[first..second], &text[second..]];
                assert_eq!(decode::<Item>(&pieces).unwrap(), expected, "cut at {first} and {second}");
            }
        }
        for (text, kind) in [(&b"[{\"New\":-"[..], ErrorKind::Truncated), (b"[{\"New\":-}]", ErrorKind::Decode)] {
            assert_eq!(decode::<Item>(&[text]).unwrap_err().kind(), kind);
            let single: Vec<&[u8]> = text.chunks(1).collect();
            assert_eq!(decode::<Item>(&single).unwrap_err().kind(), kind);
        }
    }

    #[test]
    fn an_element_of_many_pieces_is_not_decoded_with_each() {
        let large = json!([{"a": "x".repeat(1 << 20)}, 1]);
        let text = large.to_string();
        let mut list = ListDecoder::new(Operation::new("list"));
        let (mut items, mut tries) = (Vec::<Value>::new(), 0);
        for piece in text.as_bytes().chunks(64) {
            let before = list.enough;
            list.push(piece, &mut items).unwrap();
            tries += usize::from(list.enough != before);
        }
        assert!((10..20).contains(&tries), "{tries} tries");
        list.finish(&mut items).unwrap();
        assert_eq!(Value::from(items), large);
    }
}
