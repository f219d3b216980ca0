//! Changes bytes a little, the same at every run, for tests that have no fuzzer behind them.
//!
//! A fuzzer learns from what the program does; this does not, and so draws on the corpus, which a fuzzer has made: it
//! puts parts of its files together, and breaks something.

/// Numbers of no great quality, the same everywhere.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Begins with this number.
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// Begins with a number that depends on these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Random(
            bytes
                .iter()
                .fold(bytes.len() as u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)),
        )
    }

    /// A number below `limit`, which is at least 1.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit.max(1)
    }
}

/// What often matters somewhere.
const ODD: [&[u8]; 18] = [
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"\"",
    b"\\",
    b"/",
    b"..",
    b":",
    b"%",
    b"{",
    b"}",
    b"\x1b[",
    b"\xc2\x9b",
    b"\xff",
    b"18446744073709551616",
];

/// The most bytes of an input.
const LONGEST: usize = 4096;

/// Makes an input of those of a corpus.
pub fn mutate(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = part(corpus, random, false).to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(9)).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
            3 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.below(256) as u8),
            4 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.below(8)),
            5 => drop(bytes.splice(at..at, ODD[random.below(ODD.len())].iter().copied())),
            6 => drop(bytes.splice(at..end, part(corpus, random, true).iter().copied())),
            _ => drop(bytes.splice(at.., part(corpus, random, true).iter().copied())),
        }
    }
    bytes.truncate(LONGEST);
    bytes
}

/// A file of the corpus, or a part of one.
fn part<'a>(corpus: &'a [Vec<u8>], random: &mut Random, cut: bool) -> &'a [u8] {
    let Some(file) = corpus.get(random.below(corpus.len())) else { return &[] };
    let (start, end) = (random.below(file.len() + 1), random.below(file.len() + 1));
    if cut { &file[start.min(end)..start.max(end)] } else { file }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_are_the_same_at_every_run_and_differ_from_one_another() {
        let corpus = [b"one two three".to_vec(), b"four".to_vec()];
        let run = || {
            let mut random = Random::new(7);
            (0..1000).map(|_| mutate(&corpus, &mut random)).collect::<Vec<_>>()
        };
        let (inputs, mut different) = (run(), run());
        assert_eq!(inputs, different);
        different.sort();
        different.dedup();
        assert!(different.len() > 500, "{}", different.len());
        assert!(mutate(&[], &mut Random::new(1)).len() < 100);
    }
}
