//! Loan applicants of two groups, told apart by one of ten rules (`rule`) on age, education, salary, commission, the
//! value of the house, how long it has been owned, and the loan; car and zip code say little. Numbers are shown up to
//! a share `blur` of their range away from what decided.
//!
//! Agrawal, Imielinski and Swami, Database mining: a performance perspective, 1993; the rules as MOA has them.

use super::{Concept, Param, real, whole};
use crate::event::{Event, Line, round};
use crate::random::Random;

pub(super) const PARAMS: &[Param] = &[whole("rule", 1.0, 1.0, 10.0), real("blur", 0.05, 0.0, 1.0)];

struct Agrawal {
    random: Random,
}

struct Applicant {
    salary: f64,
    commission: f64,
    age: f64,
    elevel: usize,
    hvalue: f64,
    hyears: f64,
    loan: f64,
}

pub(super) fn start(_: &[f64], seed: u64) -> Box<dyn Concept> {
    Box::new(Agrawal { random: Random::new(seed) })
}

impl Applicant {
    /// One of three, by age: below 40, below 60, older.
    fn by_age<T>(&self, young: T, middle: T, old: T) -> T {
        if self.age < 40.0 {
            young
        } else if self.age < 60.0 {
            middle
        } else {
            old
        }
    }

    /// Whether the applicant is of group A.
    fn holds(&self, rule: u32) -> bool {
        let thousand = |x: f64, low: f64, high: f64| (low * 1e3..=high * 1e3).contains(&x);
        let earned = self.salary + self.commission;
        let schooled = self.by_age(self.elevel <= 1, (1..=3).contains(&self.elevel), (2..=4).contains(&self.elevel));
        let pays = |x: f64| self.by_age(thousand(x, 50., 100.), thousand(x, 75., 125.), thousand(x, 25., 75.));
        let left = 2.0 * earned / 3.0;
        let taught = 5_000.0 * self.elevel as f64;
        match rule {
            1 => self.by_age(true, false, true),
            2 => pays(self.salary),
            3 => schooled,
            4 => {
                let (low, high) = match (self.by_age(0, 1, 2), schooled) {
                    (0, true) | (2, false) => (25., 75.),
                    (0, false) | (1, true) | (2, true) => (50., 100.),
                    _ => (75., 125.),
                };
                thousand(self.salary, low, high)
            }
            5 => {
                let (yes, no) = self.by_age((100., 200.), (200., 300.), (300., 100.));
                let from = if pays(self.salary) { yes } else { no };
                thousand(self.loan, from, from + 200.)
            }
            6 => pays(earned),
            7 => left - self.loan / 5.0 - 20_000.0 > 0.0,
            8 => left - taught - 20_000.0 > 0.0,
            9 => left - taught - self.loan / 5.0 - 10_000.0 > 0.0,
            _ => {
                let equity = 0.1 * self.hvalue * (self.hyears - 20.0).max(0.0);
                left - taught + equity / 5.0 - 10_000.0 > 0.0
            }
        }
    }
}

impl Concept for Agrawal {
    fn event(&mut self, p: &[f64], line: Line) -> Event {
        let &[rule, blur] = p else { unreachable!("as many as there are parameters") };
        let random = &mut self.random;
        let salary = random.between(20_000.0, 150_000.0);
        let commission = random.between(10_000.0, 75_000.0);
        let commission = if salary < 75_000.0 { commission } else { 0.0 };
        let (age, elevel, car, zipcode) =
            (20 + random.below(61), random.below(5), 1 + random.below(20), random.below(9));
        let dear = (9 - zipcode) as f64 * 100_000.0;
        let a = Applicant {
            salary,
            commission,
            age: age as f64,
            elevel,
            hvalue: random.between(0.5 * dear, 1.5 * dear),
            hyears: 1.0 + random.below(30) as f64,
            loan: random.between(0.0, 500_000.0),
        };
        let mut show = |x: f64, low: f64, high: f64| {
            let off = blur * (high - low) * (2.0 * random.uniform() - 1.0);
            round((x + off).clamp(low, high), 0)
        };
        let commission = if commission > 0.0 { show(commission, 10_000.0, 75_000.0) } else { 0.0 };
        line.number("salary", show(salary, 20_000.0, 150_000.0))
            .number("commission", commission)
            .number("age", show(a.age, 20.0, 80.0))
            .number("elevel", elevel as f64)
            .number("car", car as f64)
            .number("zipcode", zipcode as f64)
            .number("hvalue", show(a.hvalue, 0.5 * dear, 1.5 * dear))
            .number("hyears", show(a.hyears, 1.0, 30.0))
            .number("loan", show(a.loan, 0.0, 500_000.0))
            .text("target", if a.holds(rule as u32) { "A" } else { "B" })
            .end("")
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{events, number, share};

    #[test]
    fn each_rule_has_its_share_of_group_a() {
        let shares: Vec<f64> = (1..=10)
            .map(|rule| {
                let events = events("agrawal", &[("rule", f64::from(rule))], 1, 10_000);
                share(&events, |e| e["target"] == "A")
            })
            .map(|share| (share * 100.0).round())
            .collect();
        // Rules 8 and 10 hold for nearly everybody.
        assert_eq!(shares, [67.0, 38.0, 53.0, 38.0, 40.0, 40.0, 49.0, 98.0, 49.0, 100.0]);
    }

    #[test]
    fn without_blur_the_fields_decide() {
        let first = events("agrawal", &[("blur", 0.0)], 1, 5_000);
        let young_or_old = |e: &_| !(40.0..60.0).contains(&number(e, "age"));
        assert!(first.iter().all(|e| (e["target"] == "A") == young_or_old(e)));
        let seventh = events("agrawal", &[("rule", 7.0), ("blur", 0.0)], 1, 5_000);
        let left = |e: &_| 2.0 * (number(e, "salary") + number(e, "commission")) / 3.0 - number(e, "loan") / 5.0;
        assert!(share(&seventh, |e| (e["target"] == "A") == (left(e) > 20_000.0)) > 0.999);
    }
}
