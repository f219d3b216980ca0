use bench::meter::Sample;
use bench::work::{Client, Figure, Work};

/// What has been measured of a work, round by round.
///
/// Clients are compared within a round, since what a machine gives changes from one moment to the next.
pub(crate) struct Rounds {
    pub(crate) work: Work,
    pub(crate) amount: usize,
    /// Who has done it.
    pub(crate) clients: Vec<Client>,
    /// A sample of each client, in their order.
    rounds: Vec<Vec<Sample>>,
}

/// Where several values lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) least: f64,
    pub(crate) median: f64,
    pub(crate) most: f64,
}

impl Rounds {
    pub(crate) fn new(work: Work, amount: usize, clients: Vec<Client>) -> Self {
        Rounds { work, amount, clients, rounds: Vec::new() }
    }

    pub(crate) fn push(&mut self, round: Vec<Sample>) {
        self.rounds.push(round);
    }

    pub(crate) fn len(&self) -> usize {
        self.rounds.len()
    }

    /// A figure of a client; `None` if it was not measured.
    pub(crate) fn figure(&self, figure: Figure, client: Client) -> Option<Spread> {
        Spread::of(self.rounds.iter().filter_map(|round| self.value(round, figure, client)))
    }

    /// A figure of a client divided by that of another in the same round; `None` if there is no such ratio.
    pub(crate) fn ratio(&self, figure: Figure, client: Client, peer: Client) -> Option<Spread> {
        let ratio = |round: &Vec<Sample>| Some(self.value(round, figure, client)? / self.value(round, figure, peer)?);
        Spread::of(self.rounds.iter().filter_map(ratio).filter(|ratio| ratio.is_finite()))
    }

    fn value(&self, round: &[Sample], figure: Figure, client: Client) -> Option<f64> {
        let place = self.clients.iter().position(|other| *other == client)?;
        Some(figure.of(round.get(place)?, self.work, self.amount))
    }
}

impl Spread {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.collect();
        values.sort_unstable_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        // The middle one, or the mean of the two in the middle.
        let (low, high) = (values.get((values.len() - 1) / 2)?, values.get(values.len() / 2)?);
        Some(Spread { least, median: f64::midpoint(*low, *high), most })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_in_the_middle() {
        let median = |values: &[f64]| Spread::of(values.iter().copied()).map(|spread| spread.median);
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    }

    #[test]
    fn ratios_are_taken_within_a_round() {
        let sample = |latency| Sample { latency, ..Sample::default() };
        let mut rounds = Rounds::new(Work::LivePing, 1, Work::LivePing.clients()[..4].to_vec());
        for slowness in [1.0, 10.0, 100.0] {
            rounds.push([1.0, 3.0, 2.0, 4.0].map(|latency| sample(latency * slowness)).to_vec());
        }
        let ratio = rounds.ratio(Figure::Latency, Client::Longshore, Client::Bollard);
        assert_eq!(ratio, Some(Spread { least: 0.5, median: 0.5, most: 0.5 }));
        assert_eq!(rounds.ratio(Figure::Cpu, Client::Longshore, Client::Bollard), None);
        assert_eq!(rounds.figure(Figure::Latency, Client::Raw64K), None);
    }
}
