use std::collections::VecDeque;
use std::thread::available_parallelism;

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;
use tokio::task::{JoinHandle, spawn_blocking};

use super::list::ListDecoder;
use crate::error::{Operation, Result};

/// How much of a list is decoded in the caller's own task.
const SMALL: usize = 256 * 1024;

/// How much of a large list is given to a thread at a time.
const BATCH: usize = 128 * 1024;

/// The most threads that a list is given to.
const MOST_THREADS: usize = 4;

/// Decodes a JSON list that comes in pieces: the beginning at once, what is more in other threads.
///
/// Where an element ends is only known once it is decoded. So the batches are cut where the next element seems to begin,
/// and what a thread has made of one counts only if the batch before ended there; else it is decoded again, in order.
pub(super) struct LargeList<T> {
    list: ListDecoder<T>,
    length: usize,
    threads: usize,
    /// What came since the last batch. It begins with an element, or so it seems.
    batch: BytesMut,
    decoding: VecDeque<(Bytes, JoinHandle<Result<ListDecoder<T>>>)>,
}

impl<T: DeserializeOwned + Send + 'static> LargeList<T> {
    pub(super) fn new(operation: Operation) -> Self {
        LargeList {
            list: ListDecoder::new(operation),
            length: 0,
            threads: 0,
            batch: BytesMut::new(),
            decoding: VecDeque::new(),
        }
    }

    /// Takes the next piece.
    pub(super) async fn push(&mut self, piece: &[u8]) -> Result<()> {
        if self.threads == 0 {
            self.list.push(piece)?;
            self.length += piece.len();
            if self.length >= SMALL {
                self.use_threads();
            }
            return Ok(());
        }
        self.batch.extend_from_slice(piece);
        match self.batch.len() >= BATCH {
            true => self.decode_batch().await,
            false => Ok(()),
        }
    }

    fn use_threads(&mut self) {
        if let Some(rest) = self.list.take_rest() {
            self.threads = available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
            self.batch.extend_from_slice(&rest);
        }
    }

    /// Gives the list once all of it has come.
    pub(super) async fn finish(mut self) -> Result<Vec<T>> {
        while self.collect_one().await? {}
        self.list.push(&self.batch)?;
        self.list.finish()
    }

    async fn decode_batch(&mut self) -> Result<()> {
        if self.decoding.len() >= self.threads {
            self.collect_one().await?;
        }
        let batch = self.batch.split_to(last_element(&self.batch)).freeze();
        let (mut list, text) = (self.list.between(), batch.clone());
        self.decoding.push_back((batch, spawn_blocking(move || list.push(&text).map(|()| list))));
        Ok(())
    }

    /// Waits for the oldest of the batches, and takes what was made of it; tells whether there was one.
    async fn collect_one(&mut self) -> Result<bool> {
        let Some((batch, decoded)) = self.decoding.pop_front() else { return Ok(false) };
        match decoded.await {
            Ok(Ok(decoded)) if self.list.is_between() => self.list.append(decoded),
            // An error is told once more, with the element's place in the whole list.
            _ => self.list.push(&batch)?,
        }
        Ok(true)
    }
}

/// Where the last element of a batch seems to begin: after a comma, with what the first one begins with.
fn last_element(batch: &[u8]) -> usize {
    let beginning = batch.iter().take(64).position(|byte| *byte == b':').unwrap_or_default();
    let beginning = &batch[..=beginning];
    let begins = |window: &[u8]| window.strip_prefix(b",") == Some(beginning);
    batch.windows(beginning.len() + 1).rposition(begins).map_or(batch.len(), |comma| comma + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::error::ErrorKind;

    async fn decode<T: DeserializeOwned + Send + 'static>(text: &str, pieces: usize) -> Result<Vec<T>> {
        let mut list = LargeList::new(Operation::new("list"));
        for piece in text.as_bytes().chunks(pieces) {
            list.push(piece).await?;
        }
        assert_eq!(list.threads > 0, text.len() > SMALL + pieces.max(2000), "the list is too short for this test");
        list.finish().await
    }

    const PIECES: [usize; 3] = [997, BATCH - 1, 3 * BATCH];

    fn containers(count: usize) -> Vec<Value> {
        let container = |number| json!({"Id": format!("{number:064x}"), "Names": ["\u{e9}\u{1f433}".repeat(100)]});
        (0..count).map(container).collect()
    }

    #[tokio::test]
    async fn a_large_list_is_the_same_however_it_comes() {
        let containers = containers(1200);
        let long = json!([[{"Id": "x".repeat(3 * SMALL)}], "x".repeat(3 * SMALL), 7]);
        for list in [
            Value::from(containers.clone()),
            // What seems to be the next element is a part of one.
            containers.iter().map(|container| json!({"Id": 1, "Parts": [container, container]})).collect(),
            containers.iter().map(|container| json!({"Id": container.to_string() + ",{\"Id\":"})).collect(),
            (100_000..200_000).collect(),
            (0..60_000).map(|number| number.to_string()).chain(["a,\"".repeat(SMALL)]).collect(),
            containers.iter().cloned().chain(long.as_array().cloned().unwrap()).collect(),
        ] {
            for pieces in PIECES {
                for text in [list.to_string(), list.to_string().replace("},{", "} , {")] {
                    let whole: Vec<Value> = serde_json::from_str(&text).unwrap();
                    let decoded = decode::<Value>(&text, pieces).await.unwrap();
                    assert!(decoded == whole, "pieces of {pieces}: {}", &text[..100]);
                }
            }
        }
    }

    #[test]
    fn batches_end_where_an_element_seems_to_begin() {
        for (batch, expected) in [
            (r#"{"Id":"a"},{"Id":"b","Of":{"Id":1}},{"Id":"c"},{"I"#, r#"{"Id":"a"},{"Id":"b","Of":{"Id":1}},"#),
            (r#""a","b","c""#, r#""a","b","#),
            (r#"{"Id":"a"}"#, r#"{"Id":"a"}"#),
            ("12,13,14", "12,13,"),
        ] {
            assert_eq!(&batch[..last_element(batch.as_bytes())], expected);
        }
    }

    #[tokio::test]
    async fn a_large_list_that_is_cut_is_an_error() {
        let text = Value::from(containers(1200)).to_string();
        for end in (600_000..text.len()).step_by(7919).chain([text.len() - 1]).filter(|end| text.is_char_boundary(*end))
        {
            let error = decode::<Value>(&text[..end], 16 * 1024).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Truncated, "cut at {end}: {error}");
        }
    }

    #[tokio::test]
    async fn what_is_wrong_is_told_with_its_place_in_the_whole_list() {
        #[derive(Debug, serde::Deserialize)]
        struct Item {
            #[serde(rename = "Names")]
            _names: Vec<String>,
        }
        for place in [0, 900, 1100, 1199] {
            let mut list = containers(1200);
            list[place]["Names"][0] = json!({});
            for pieces in PIECES {
                let error = match decode::<Item>(&Value::from(list.clone()).to_string(), pieces).await {
                    Err(error) => error,
                    Ok(_) => panic!("{place} was not noticed"),
                };
                assert_eq!(error.kind(), ErrorKind::Decode);
                assert!(error.message().contains(&format!("at `[{place}].Names[0]`")), "{error}");
            }
        }
        let trailing = Value::from(containers(1200)).to_string() + ",";
        let error = decode::<Value>(&trailing, BATCH).await.unwrap_err();
        assert!(error.message().contains("trailing characters"), "{error}");
    }
}
