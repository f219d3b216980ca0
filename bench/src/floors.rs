use serde::Deserialize;

use crate::rounds::Rounds;
use bench::Result;
use bench::work::{Client, Figure, Work};

/// Where the floors are written.
const FLOORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/floors.toml");

/// What longshore must reach.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Floors {
    #[serde(rename = "floor")]
    floors: Vec<Floor>,
}

/// A bound on a figure of longshore.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Floor {
    pub(crate) work: Work,
    pub(crate) figure: Figure,
    /// Whose figure it is divided by; the figure itself is bounded if it is nobody's.
    pub(crate) against: Option<Client>,
    pub(crate) bound: Bound,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A floor beside what was measured.
#[derive(Debug)]
pub(crate) struct Judgement {
    pub(crate) floor: Floor,
    pub(crate) measured: Option<f64>,
    pub(crate) is_met: bool,
}

impl Floors {
    pub(crate) fn read() -> Result<Self> {
        Floors::parse(&std::fs::read_to_string(FLOORS)?).map_err(|error| format!("bench/floors.toml: {error}").into())
    }

    fn parse(text: &str) -> Result<Self> {
        Ok(toml::from_str(text)?)
    }

    /// Judges a work by its floors, but for those against clients that this machine has not.
    pub(crate) fn judge(&self, rounds: &Rounds) -> Vec<Judgement> {
        let is_there = |peer: Client| !peer.is_python() || rounds.clients.contains(&peer);
        let floors = self.floors.iter().filter(|floor| floor.work == rounds.work && floor.against.is_none_or(is_there));
        floors.map(|floor| floor.judge(rounds)).collect()
    }
}

impl Floor {
    fn judge(&self, rounds: &Rounds) -> Judgement {
        let spread = match self.against {
            Some(peer) => rounds.ratio(self.figure, Client::Longshore, peer),
            None => rounds.figure(self.figure, Client::Longshore),
        };
        let measured = spread.map(|spread| spread.median);
        let is_met = measured.is_some_and(|measured| match self.bound {
            Bound::AtLeast(least) => measured >= least,
            Bound::AtMost(most) => measured <= most,
        });
        Judgement { floor: self.clone(), measured, is_met }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bench::meter::Sample;

    #[test]
    fn the_floors_are_about_what_is_measured() {
        for floor in Floors::read().unwrap().floors {
            let Floor { work, figure, against, .. } = floor;
            assert!(work.figures().contains(&figure), "{work:?} {figure:?}");
            assert!(against.is_none_or(|peer| work.clients().contains(&peer)), "{work:?} {against:?}");
        }
    }

    #[test]
    fn a_floor_that_says_too_little_or_too_much_is_refused() {
        let floor = "[[floor]]\nwork = 'live-ping'\nfigure = 'latency'\n";
        assert!(Floors::parse(floor).is_err());
        assert!(Floors::parse(&format!("{floor}bound = {{ at-most = 1.0, at-least = 1.0 }}")).is_err());
        assert!(Floors::parse(&format!("{floor}bound = {{ at-most = 1.0 }}\nword = 1")).is_err());
        assert!(Floors::parse(&format!("{floor}bound = {{ at-most = 1.0 }}")).is_ok());
    }

    #[test]
    fn what_was_not_measured_is_missed() {
        let floors =
            Floors::parse("[[floor]]\nwork = 'live-ping'\nfigure = 'latency'\nbound = { at-most = 100.0 }").unwrap();
        let mut rounds = Rounds::new(Work::LivePing, 1, Work::LivePing.clients()[..4].to_vec());
        let is_met = |rounds: &Rounds| floors.judge(rounds).iter().all(|judgement| judgement.is_met);
        assert!(!is_met(&rounds));
        rounds.push(vec![Sample { latency: 99e-6, ..Sample::default() }; 4]);
        assert!(is_met(&rounds));
    }
}
