use serde::Deserialize;

use crate::rounds::Rounds;
use bench::Result;
use bench::work::{Client, Figure, Work};

/// Where the floors are written.
const FLOORS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/floors.toml");

/// By how much a figure may be worse than it was where its floor is missed.
const TOLERANCE: f64 = 1.15;

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
    /// What was measured where the bound can't be met. A check fails once it is worse than that.
    pub(crate) missed_at: Option<f64>,
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
    /// Whether it is met, or no worse than it was known to be.
    pub(crate) is_kept: bool,
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
        let is_met = measured.is_some_and(|measured| self.bound.holds(measured));
        let is_kept = is_met || measured.zip(self.missed_at).is_some_and(|(now, then)| self.is_as_before(now, then));
        Judgement { floor: self.clone(), measured, is_met, is_kept }
    }

    fn is_as_before(&self, now: f64, then: f64) -> bool {
        match self.bound {
            Bound::AtLeast(_) => now * TOLERANCE >= then,
            Bound::AtMost(_) => now <= then * TOLERANCE,
        }
    }
}

impl Bound {
    fn holds(self, measured: f64) -> bool {
        match self {
            Bound::AtLeast(least) => measured >= least,
            Bound::AtMost(most) => measured <= most,
        }
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
    fn a_floor_that_is_missed_is_kept_until_it_gets_worse() {
        let floor = "[[floor]]\nwork = 'live-ping'\nfigure = 'latency'\nbound = { at-most = 50.0 }\nmissed-at = 100.0";
        let floors = Floors::parse(floor).unwrap();
        for (latency, is_met, is_kept) in [(49e-6, true, true), (114e-6, false, true), (116e-6, false, false)] {
            let mut rounds = Rounds::new(Work::LivePing, 1, Work::LivePing.clients()[..4].to_vec());
            rounds.push(vec![Sample { latency, ..Sample::default() }; 4]);
            let judgement = floors.judge(&rounds).remove(0);
            assert_eq!((judgement.is_met, judgement.is_kept), (is_met, is_kept), "{latency}");
        }
        let least = Floors::parse(&floor.replace("at-most = 50.0", "at-least = 200.0")).unwrap();
        assert!(least.floors[0].is_as_before(87.0, 100.0) && !least.floors[0].is_as_before(86.0, 100.0));
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
