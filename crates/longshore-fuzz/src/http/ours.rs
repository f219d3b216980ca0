//! longshore's decoders, put together as its client does.

use bytes::{Buf, BytesMut};
use longshore_wire::body::{BodyDecoder, BodyError, Framing, Step};
use longshore_wire::head::{self, HeadError, ResponseHead};
use longshore_wire::request::Method;

use super::{Case, Outcome};

/// Why an answer is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has no head that can be read.
    Head(HeadError),
    /// Its body is not framed as the head says.
    Body(BodyError),
    /// The connection ended before it did.
    Cut,
}

/// Reads the answer, as it comes in pieces: the status and the body.
///
/// # Errors
/// A [`Refusal`].
pub fn read(case: &Case) -> Result<(u16, Vec<u8>), Refusal> {
    let mut input = case.bytes.chunks(case.pieces);
    let mut buffer = BytesMut::new();
    let head = final_head(&mut buffer, &mut input)?;
    let method = if case.head { Method::Head } else { Method::Get };
    let mut decoder = BodyDecoder::new(Framing::of(method, &head).map_err(Refusal::Body)?);
    let mut body = Vec::new();
    loop {
        let mut rest = &buffer[..];
        let step = decoder.decode(&mut rest).map_err(Refusal::Body)?;
        let framing = buffer.len() - rest.len();
        buffer.advance(framing);
        match step {
            Step::Data(length) => body.extend_from_slice(&buffer.split_to(length)),
            Step::End => break,
            Step::More => match input.next() {
                Some(piece) => buffer.extend_from_slice(piece),
                None => break decoder.end_of_input().map_err(|_| Refusal::Cut)?,
            },
        }
    }
    Ok((head.status, body))
}

/// What it comes to.
pub fn outcome(read: &Result<(u16, Vec<u8>), Refusal>) -> Outcome {
    match read {
        Ok((status, body)) => Outcome::Accepted { status: *status, body: body.clone() },
        Err(_) => Outcome::Rejected,
    }
}

fn final_head<'a>(buffer: &mut BytesMut, input: &mut impl Iterator<Item = &'a [u8]>) -> Result<ResponseHead, Refusal> {
    loop {
        match head::parse(buffer).map_err(Refusal::Head)? {
            Some((head, length)) => {
                buffer.advance(length);
                if !matches!(head.status, 100 | 102..=199) {
                    return Ok(head);
                }
            }
            None => buffer.extend_from_slice(input.next().ok_or(Refusal::Cut)?),
        }
    }
}
