//! Cuts the same bytes in different ways.

use crate::mutation::Random;

/// Places at which these bytes are cut: nowhere, after every byte (of long ones, at 512 places), and at some that depend on
/// the bytes, so that a failure comes again.
pub(crate) fn cuts(bytes: &[u8]) -> [Vec<usize>; 4] {
    let mut random = Random::of(bytes);
    let mut some = |count: usize| {
        let mut cuts: Vec<usize> = (0..count).map(|_| random.below(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        cuts
    };
    let (one, many) = (some(1), some(1 + bytes.len() / 8));
    [Vec::new(), (1..bytes.len()).step_by(1 + bytes.len() / 512).collect(), one, many]
}

/// The pieces between the cuts; some may be empty.
pub(crate) fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let starts = [0].into_iter().chain(cuts.iter().copied());
    let ends = cuts.iter().copied().chain([bytes.len()]);
    starts.zip(ends).map(|(start, end)| &bytes[start..end]).collect()
}

/// Checks that `read` makes the same of these bytes in whatever pieces they come, and gives what it makes of them.
#[track_caller]
pub(crate) fn same_in_pieces<T: PartialEq + std::fmt::Debug>(bytes: &[u8], read: impl Fn(&[usize]) -> T) -> T {
    let [whole, others @ ..] = cuts(bytes);
    let expected = read(&whole);
    for cuts in others {
        let found = read(&cuts);
        assert!(found == expected, "cut at {cuts:?}: {found:?}\nwhole: {expected:?}");
    }
    expected
}
