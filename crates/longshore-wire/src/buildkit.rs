//! What BuildKit tells of its progress: a protocol buffer, in base64, in a message of the build.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What BuildKit tells at a time. Each list may be empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildTrace {
    /// Steps that began, ended or were found in the cache. The same step is told several times, each time with more.
    pub steps: Vec<TraceStep>,
    /// How far parts of steps are.
    pub progress: Vec<TraceProgress>,
    /// What the commands of steps wrote.
    pub output: Vec<TraceOutput>,
    /// What BuildKit advises against.
    pub warnings: Vec<TraceWarning>,
}

/// A step of a build by BuildKit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceStep {
    /// The digest by which others name it.
    pub digest: String,
    /// The digests of the steps that it needs.
    pub inputs: Vec<String>,
    /// What it does, such as `[2/3] RUN make`.
    pub name: String,
    /// Whether its outcome was in the cache.
    pub cached: bool,
    /// When it began, if it has.
    pub started: Option<SystemTime>,
    /// When it ended, if it has.
    pub completed: Option<SystemTime>,
    /// Why it failed; empty if it did not.
    pub error: String,
}

/// How far a part of a step is, such as the transfer of a layer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceProgress {
    /// What it is about, such as the digest of a layer.
    pub id: String,
    /// The digest of the step.
    pub step: String,
    /// What is being done; often empty, since `id` tells it.
    pub name: String,
    /// How much is done, usually in bytes.
    pub current: u64,
    /// How much there is to do; 0 if not known.
    pub total: u64,
    /// When it began, if it has.
    pub started: Option<SystemTime>,
    /// When it was done, if it is.
    pub completed: Option<SystemTime>,
}

/// What the command of a step wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceOutput {
    /// The digest of the step.
    pub step: String,
    /// When it was written.
    pub time: Option<SystemTime>,
    /// 1 for stdout, 2 for stderr.
    pub stream: u64,
    /// The bytes, which may end inside a line or a character.
    pub bytes: Vec<u8>,
}

/// What BuildKit advises against.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TraceWarning {
    /// The digest of the step.
    pub step: String,
    /// The advice in short.
    pub message: String,
    /// More of it, line by line.
    pub detail: Vec<String>,
    /// Where to read about it.
    pub url: String,
}

impl BuildTrace {
    /// Reads a trace in base64. Fields that are not known are read over.
    ///
    /// # Errors
    /// [`InvalidTrace`] for what is no base64, or no protocol buffer.
    pub fn from_base64(text: &str) -> Result<BuildTrace, InvalidTrace> {
        BuildTrace::from_bytes(&STANDARD.decode(text.trim()).map_err(|_| InvalidTrace)?)
    }

    /// Reads a trace.
    ///
    /// # Errors
    /// [`InvalidTrace`] for what is no protocol buffer.
    pub fn from_bytes(bytes: &[u8]) -> Result<BuildTrace, InvalidTrace> {
        let mut trace = BuildTrace::default();
        for field in Fields(bytes) {
            match field? {
                (1, Value::Bytes(bytes)) => trace.steps.push(step(bytes)?),
                (2, Value::Bytes(bytes)) => trace.progress.push(progress(bytes)?),
                (3, Value::Bytes(bytes)) => trace.output.push(output(bytes)?),
                (4, Value::Bytes(bytes)) => trace.warnings.push(warning(bytes)?),
                _ => {}
            }
        }
        Ok(trace)
    }
}

fn step(bytes: &[u8]) -> Result<TraceStep, InvalidTrace> {
    let mut step = TraceStep::default();
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(bytes)) => step.digest = text(bytes),
            (2, Value::Bytes(bytes)) => step.inputs.push(text(bytes)),
            (3, Value::Bytes(bytes)) => step.name = text(bytes),
            (4, Value::Number(number)) => step.cached = number != 0,
            (5, Value::Bytes(bytes)) => step.started = time(bytes)?,
            (6, Value::Bytes(bytes)) => step.completed = time(bytes)?,
            (7, Value::Bytes(bytes)) => step.error = text(bytes),
            _ => {}
        }
    }
    Ok(step)
}

fn progress(bytes: &[u8]) -> Result<TraceProgress, InvalidTrace> {
    let mut progress = TraceProgress::default();
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(bytes)) => progress.id = text(bytes),
            (2, Value::Bytes(bytes)) => progress.step = text(bytes),
            (3, Value::Bytes(bytes)) => progress.name = text(bytes),
            (4, Value::Number(number)) => progress.current = unsigned(number),
            (5, Value::Number(number)) => progress.total = unsigned(number),
            (7, Value::Bytes(bytes)) => progress.started = time(bytes)?,
            (8, Value::Bytes(bytes)) => progress.completed = time(bytes)?,
            _ => {}
        }
    }
    Ok(progress)
}

fn output(bytes: &[u8]) -> Result<TraceOutput, InvalidTrace> {
    let mut output = TraceOutput::default();
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(bytes)) => output.step = text(bytes),
            (2, Value::Bytes(bytes)) => output.time = time(bytes)?,
            (3, Value::Number(number)) => output.stream = unsigned(number),
            (4, Value::Bytes(bytes)) => output.bytes = bytes.to_vec(),
            _ => {}
        }
    }
    Ok(output)
}

fn warning(bytes: &[u8]) -> Result<TraceWarning, InvalidTrace> {
    let mut warning = TraceWarning::default();
    for field in Fields(bytes) {
        match field? {
            (1, Value::Bytes(bytes)) => warning.step = text(bytes),
            (3, Value::Bytes(bytes)) => warning.message = text(bytes),
            (4, Value::Bytes(bytes)) => warning.detail.push(text(bytes)),
            (5, Value::Bytes(bytes)) => warning.url = text(bytes),
            _ => {}
        }
    }
    Ok(warning)
}

/// A point in time; `None` for one that the system's clock can't tell.
fn time(bytes: &[u8]) -> Result<Option<SystemTime>, InvalidTrace> {
    let (mut seconds, mut nanoseconds) = (0, 0);
    for field in Fields(bytes) {
        match field? {
            (1, Value::Number(number)) => seconds = unsigned(number),
            (2, Value::Number(number)) => nanoseconds = unsigned(number),
            _ => {}
        }
    }
    let since = Duration::from_secs(seconds).checked_add(Duration::from_nanos(nanoseconds));
    Ok(since.and_then(|since| UNIX_EPOCH.checked_add(since)))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A number that is signed on the wire, but never should be below 0.
fn unsigned(number: u64) -> u64 {
    u64::try_from(number.cast_signed()).unwrap_or(0)
}

/// The fields of a protocol buffer: their numbers and values.
struct Fields<'a>(&'a [u8]);

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// A value of a fixed size, which a trace has none of.
    Fixed,
}

impl<'a> Fields<'a> {
    fn number(&mut self) -> Result<u64, InvalidTrace> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(InvalidTrace)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(InvalidTrace)
    }

    fn bytes(&mut self, length: u64) -> Result<&'a [u8], InvalidTrace> {
        let length = usize::try_from(length).map_err(|_| InvalidTrace)?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(InvalidTrace)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn field(&mut self) -> Result<(u64, Value<'a>), InvalidTrace> {
        let key = self.number()?;
        let value = match key & 7 {
            0 => Value::Number(self.number()?),
            1 => self.bytes(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.number()?;
                Value::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Value::Fixed)?,
            _ => return Err(InvalidTrace),
        };
        Ok((key >> 3, value))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), InvalidTrace>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

/// What was to be a trace of BuildKit's progress can't be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidTrace;

impl fmt::Display for InvalidTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("what was to be a trace of BuildKit's progress can't be read")
    }
}

impl std::error::Error for InvalidTrace {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::random::Random;

    /// A field of bytes.
    fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
        let mut field = vec![number << 3 | 2];
        let mut length = bytes.len();
        while length > 0x7f {
            field.push(length as u8 | 0x80);
            length >>= 7;
        }
        field.push(length as u8);
        [&field, bytes].concat()
    }

    fn whole() -> Vec<u8> {
        let step = [
            field(1, b"sha256:a"),
            field(2, b"sha256:b"),
            field(3, b"[2/3] RUN make"),
            vec![4 << 3, 1],
            field(5, b"\x08\x02\x10\x05"),
            field(7, b"no"),
        ];
        let progress = [
            field(1, b"layer"),
            field(2, b"sha256:a"),
            vec![4 << 3, 0xac, 2],
            vec![5 << 3, 0xd8, 4],
            field(7, b"\x08\x01"),
            field(8, b""),
        ];
        let output = [field(1, b"sha256:a"), field(2, b"\x08\x01"), vec![3 << 3, 2], field(4, b"oops\n\xff")];
        let warning = [field(1, b"sha256:a"), field(3, b"short"), field(4, b"long"), field(4, b"er"), field(5, b"url")];
        let unknown =
            [vec![9 << 3, 7], vec![10 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8], vec![11 << 3 | 5, 1, 2, 3, 4]].concat();
        [
            field(1, &step.concat()),
            field(2, &progress.concat()),
            field(3, &output.concat()),
            field(4, &warning.concat()),
            unknown,
        ]
        .concat()
    }

    #[test]
    fn a_trace_is_read_with_what_is_not_known_in_it() {
        let trace = BuildTrace::from_bytes(&whole()).unwrap();
        let step = &trace.steps[0];
        assert_eq!((step.digest.as_str(), step.inputs.as_slice()), ("sha256:a", &["sha256:b".to_owned()][..]));
        assert_eq!((step.name.as_str(), step.error.as_str()), ("[2/3] RUN make", "no"));
        assert!(step.cached && step.completed.is_none());
        assert_eq!(step.started, Some(UNIX_EPOCH + Duration::new(2, 5)));
        let progress = &trace.progress[0];
        assert_eq!((progress.id.as_str(), progress.current, progress.total), ("layer", 300, 600));
        assert_eq!(
            (progress.started, progress.completed),
            (Some(UNIX_EPOCH + Duration::from_secs(1)), Some(UNIX_EPOCH))
        );
        assert_eq!(progress.step, step.digest);
        let output = &trace.output[0];
        assert_eq!(output.time, Some(UNIX_EPOCH + Duration::from_secs(1)));
        assert_eq!((output.stream, output.bytes.as_slice()), (2, &b"oops\n\xff"[..]));
        let warning = &trace.warnings[0];
        assert_eq!(
            (warning.message.as_str(), warning.detail.join("-"), warning.url.as_str()),
            ("short", "long-er".into(), "url")
        );
        assert_eq!(BuildTrace::from_base64(&STANDARD.encode(whole())).unwrap(), trace);
        assert_eq!(BuildTrace::from_bytes(b"").unwrap(), BuildTrace::default());
        assert_eq!(time(b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x10\x80\x94\xeb\xdc\x03").unwrap(), None);
    }

    #[test]
    fn what_engines_send_is_read() {
        let text = "CnkKR3NoYTI1NjpmMWM5ZDIzNTNhOWRlZjgwOTI2OGRmMjhhMjU4YzExNTA2ODcxMWE0ZmFiYzM1MjNkOGJhZDIxOTgyMDc3MjFjGhJleHBv\
            cnRpbmcgdG8gaW1hZ2UqDAjblZTYBhCursPZATIMCNuVlNgGEOHYxeUB";
        let trace = BuildTrace::from_base64(text).unwrap();
        assert_eq!(trace.steps[0].name, "exporting to image");
        let took = trace.steps[0].completed.unwrap().duration_since(trace.steps[0].started.unwrap()).unwrap();
        assert!(took < Duration::from_secs(1) && !trace.steps[0].cached, "{took:?}");
    }

    #[test]
    fn a_trace_that_is_cut_or_broken_is_refused_or_read_but_never_more() {
        let whole = whole();
        assert_eq!(BuildTrace::from_base64("%"), Err(InvalidTrace));
        assert_eq!(BuildTrace::from_bytes(&[0xff; 11]), Err(InvalidTrace));
        assert_eq!(BuildTrace::from_bytes(b"\x0a\x05abc"), Err(InvalidTrace));
        assert_eq!(BuildTrace::from_bytes(b"\x0b"), Err(InvalidTrace));
        for end in 0..whole.len() {
            let _ = BuildTrace::from_bytes(&whole[..end]);
        }
        let mut random = Random::new(12);
        for _ in 0..20_000 {
            let mut broken = whole.clone();
            for _ in 0..1 + random.below(4) {
                let at = random.below(broken.len());
                broken[at] = random.below(256) as u8;
            }
            let _ = BuildTrace::from_bytes(&broken);
        }
    }
}
