//! Schedules of the house, and violators of each law.

use fattail_core::{Error, Result};
use fattail_descent::{Cosine, OneCycle, Schedule};
use fattail_testing::{Law, check_schedule};

use crate::fault::{caught, unseeded};

#[derive(Debug)]
struct Faulty(Law);

impl Schedule for Faulty {
    fn check(&self) -> Result<()> {
        if self.0 == Law::Works { Err(Error::empty("the schedule")) } else { Ok(()) }
    }

    fn rate(&self, step: u64) -> f64 {
        match self.0 {
            Law::Deterministic => unseeded(),
            // Falls below zero after its last step.
            _ => 1.0 - step as f64 / 1000.0,
        }
    }
}

#[test]
fn schedules_of_the_house_pass() {
    check_schedule(&Cosine { high: 0.1, low: 0.0, period: 300, growth: 2 }).unwrap();
    check_schedule(&OneCycle::default()).unwrap();
}

#[test]
fn every_violator_is_caught() {
    for law in [Law::Works, Law::Deterministic, Law::Rate] {
        caught(check_schedule(&Faulty(law)), law);
    }
}
