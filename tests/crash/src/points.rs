//! The crash points: each a place at which the daemon dies, how it is brought there, and whether a command may be left in doubt by it.
//!
//! The numbers are those of the project's crash matrix: S for walks, O for commands, T for logins, W for webhooks. Where a kill must meet
//! the process in the middle of something that takes a moment, it comes from another thread after a time drawn from the seed.

use std::time::Duration;

use fastrand::Rng;

use crate::failpoint::{Arm, Deed};

/// What is going on while the daemon is to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traffic {
    /// Orders change and come in. Commands are recorded only afterwards, so none can be caught by the kill.
    Walks,
    /// The same, and commands one after the other: the next is recorded when the one before is settled.
    OneByOne,
    /// The same with commands to the marketplace only, which can be asked what became of them.
    Sales,
    /// The same with an order handed over and then changes of it, which may be sent again.
    Updates,
    /// Everything at once.
    Flood,
    /// The producer tells what becomes of orders.
    Webhooks,
}

/// How the daemon dies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Death {
    /// At failpoints.
    At(Vec<Arm>),
    /// When a platform has carried out its write number so-and-so and not answered yet.
    Unanswered(u32),
    /// When it has answered so many webhooks with 200.
    Acknowledged(u32),
    /// After so long.
    After(Duration),
}

/// What is done in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is going on.
    pub traffic: Traffic,
    /// One death after the other. The daemon that comes after the last one lives.
    pub deaths: Vec<Death>,
    /// What the marketplace does wrong until then.
    pub seller_fault: Option<&'static str>,
    /// What the producer does wrong until then.
    pub producer_fault: Option<&'static str>,
    /// Whether the producer forgets the tokens that it gave, now and then.
    pub tokens_expire: bool,
}

/// How many commands may be parked in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// None: nothing is in doubt.
    None,
    /// The one command that a kill meets.
    OneAKill,
    /// Any number: a kill meets all that is under way, or requests break off without one.
    Any,
}

impl Doubt {
    /// Whether so many are too many after so many kills.
    pub fn is_exceeded(self, parked: usize, kills: usize) -> bool {
        match self {
            Self::None => parked > 0,
            Self::OneAKill => parked > kills,
            Self::Any => false,
        }
    }
}

/// One crash point.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// Its number in the matrix.
    pub name: &'static str,
    /// Where the daemon dies.
    pub what: &'static str,
    /// How many commands the kills may leave in doubt, which are then parked.
    pub doubt: Doubt,
    plan: fn(&mut Rng) -> Plan,
}

impl Point {
    /// The plan of a run.
    pub fn plan(&self, random: &mut Rng) -> Plan {
        (self.plan)(random)
    }

    /// The family: the first letter of its number, or all of it where it has none.
    pub fn family(&self) -> &'static str {
        match self.name.as_bytes() {
            [b'S' | b'O' | b'T' | b'W', b'0'..=b'9', ..] => &self.name[..1],
            _ => self.name,
        }
    }
}

/// The point with this number, whatever its case.
pub fn point(name: &str) -> Option<&'static Point> {
    POINTS.iter().find(|point| point.name.eq_ignore_ascii_case(name))
}

/// The stock is walked fast and would take most passings of the walks' points, so it is slowed down.
const SLOW_STOCK: Option<&str> = Some("slow=700ms:path=/stock");

fn plan(traffic: Traffic, deaths: Vec<Death>) -> Plan {
    Plan { traffic, deaths, seller_fault: None, producer_fault: None, tokens_expire: false }
}

fn kill(point: &str, hit: u32) -> Death {
    Death::At(vec![Arm::new(point, hit, Deed::Kill)])
}

fn micros(random: &mut Rng, most: u64) -> Duration {
    Duration::from_micros(random.u64(0..=most))
}

/// A kill during a walk, while no command is under way.
fn walk(random: &mut Rng, point: &str, hits: u32) -> Plan {
    let deaths = vec![kill(point, random.u32(1..=hits))];
    Plan { producer_fault: SLOW_STOCK, ..plan(Traffic::Walks, deaths) }
}

fn walk_deed(random: &mut Rng, point: &str, hits: u32, deed: Deed) -> Plan {
    let arm = Arm::new(point, random.u32(1..=hits), deed);
    Plan { producer_fault: SLOW_STOCK, ..plan(Traffic::Walks, vec![Death::At(vec![arm])]) }
}

/// A kill during a command, while no other one is under way.
fn command(random: &mut Rng, point: &str) -> Plan {
    plan(Traffic::OneByOne, vec![kill(point, random.u32(1..=3))])
}

/// A kill during a login. At the second one the other account is at work already, so there are no commands then.
fn login(random: &mut Rng, point: &str) -> Plan {
    let (hit, traffic) = [(1, Traffic::OneByOne), (1, Traffic::OneByOne), (2, Traffic::Walks)][random.usize(0..3)];
    plan(traffic, vec![kill(point, hit)])
}

fn webhook(random: &mut Rng, point: &str) -> Plan {
    plan(Traffic::Webhooks, vec![kill(point, random.u32(1..=3))])
}

const fn strict(name: &'static str, what: &'static str, plan: fn(&mut Rng) -> Plan) -> Point {
    Point { name, what, doubt: Doubt::None, plan }
}

const fn in_doubt(name: &'static str, what: &'static str, plan: fn(&mut Rng) -> Plan) -> Point {
    Point { name, what, doubt: Doubt::OneAKill, plan }
}

const fn at_once(name: &'static str, what: &'static str, plan: fn(&mut Rng) -> Plan) -> Point {
    Point { name, what, doubt: Doubt::Any, plan }
}

/// All points.
pub const POINTS: &[Point] = &[
    strict("S01", "stream claimed, connector not called", |random| walk(random, "pull.claimed", 3)),
    strict("S02", "before a request of a walk", |random| walk(random, "request.about-to-be-sent", 12)),
    strict("S03", "request of a walk answered", |random| walk(random, "request.answered", 2)),
    strict("S04", "connector in the middle of its page", |random| {
        let hit = random.u32(3..=8);
        let deaths = vec![kill("request.answered", hit)];
        Plan { producer_fault: SLOW_STOCK, ..plan(Traffic::Walks, deaths) }
    }),
    strict("S05", "page read, nothing written", |random| walk(random, "pull.page-read", 5)),
    strict("S06", "page's events written, not committed", |random| walk(random, "page.events-written", 5)),
    strict("S07", "all written, about to commit", |random| walk(random, "page.about-to-commit", 5)),
    strict("S08", "during the commit", |random| {
        let wait = micros(random, 2000);
        walk_deed(random, "page.about-to-commit", 5, Deed::KillAfter(wait))
    }),
    strict("S09", "walk committed, stream not given back", |random| walk(random, "pull.before-release", 3)),
    strict("S10", "page committed, readers not woken", |random| walk(random, "pull.before-readers-wake", 5)),
    strict("S11", "during a checkpoint", |random| {
        let wait = micros(random, 3000);
        walk_deed(random, "page.committed", 5, Deed::KillInCheckpoint(wait))
    }),
    strict("S12", "between two pages", |random| walk(random, "pull.between-pages", 3)),
    strict("O01", "command recorded, about to be claimed", |_| {
        // Later passings look for more work while a command is under way, which the kill would meet.
        plan(Traffic::OneByOne, vec![kill("command.about-to-be-claimed", 1)])
    }),
    strict("O02", "command claimed", |random| command(random, "command.claimed")),
    strict("O03", "write about to be entered in the journal", |random| command(random, "journal.about-to-be-entered")),
    in_doubt("O04", "write entered, not sent", |random| command(random, "journal.entered")),
    in_doubt("O05", "write being sent", |random| {
        let deed = Deed::KillAfter(micros(random, 3000));
        let arm = Arm::new("request.write-about-to-be-sent", random.u32(1..=3), deed);
        plan(Traffic::OneByOne, vec![Death::At(vec![arm])])
    }),
    in_doubt("O06", "write carried out, not answered", |random| {
        plan(Traffic::OneByOne, vec![Death::Unanswered(random.u32(1..=3))])
    }),
    in_doubt("O07", "answer's head read", |random| {
        // The first two passings are the logins.
        plan(Traffic::OneByOne, vec![kill("request.write-headers-read", random.u32(3..=5))])
    }),
    in_doubt("O08", "answer read, not in the journal", |random| command(random, "journal.answer-not-kept")),
    strict("O09", "answer in the journal, connector not told", |random| command(random, "journal.answer-kept")),
    strict("O10", "connector traps over an answer, then", |random| {
        let hit = random.u32(1..=2);
        let behind = ["command.about-to-end", "command.ended"][random.usize(0..2)];
        let arms = vec![Arm::new("command.trap", hit, Deed::Return), Arm::new(behind, hit, Deed::Kill)];
        plan(Traffic::OneByOne, vec![Death::At(arms)])
    }),
    strict("O11", "attempt over, end not committed", |random| command(random, "command.about-to-end")),
    strict("O12", "end committed", |random| command(random, "command.ended")),
    in_doubt("O13", "looking what became of a write in doubt", |random| {
        let look = || kill("journal.probing", 1);
        if random.bool() {
            // The doubt comes from a kill.
            let first = kill("journal.answer-not-kept", random.u32(1..=3));
            plan(Traffic::Sales, vec![first, look()])
        } else {
            // The doubt comes from the marketplace.
            let fault = Some("apply-then-reset:next=1:path=/transition");
            Plan { seller_fault: fault, ..plan(Traffic::Sales, vec![look()]) }
        }
    }),
    in_doubt("O14", "killed again at the re-send", |random| {
        let (first, second) = match random.u8(0..3) {
            0 => (kill("journal.answer-not-kept", 2), kill("journal.answer-not-kept", 1)),
            1 => (kill("journal.entered", 2), kill("request.write-about-to-be-sent", 1)),
            _ => (kill("journal.entered", random.u32(2..=3)), kill("journal.answer-not-kept", random.u32(1..=2))),
        };
        plan(Traffic::Updates, vec![first, second])
    }),
    strict("T1", "login answered, token not kept", |random| login(random, "login.answered")),
    strict("T1b", "token kept, not used", |random| login(random, "login.kept")),
    at_once("T2", "several need the token at once", |random| {
        let point = ["login.answered", "login.kept", "login.about-to-be-sent"][random.usize(0..3)];
        let deaths = vec![kill(point, random.u32(3..=5))];
        Plan { tokens_expire: true, ..plan(Traffic::Flood, deaths) }
    }),
    strict("T3", "login about to be sent", |random| login(random, "login.about-to-be-sent")),
    strict("W1", "webhook here, nothing kept", |random| webhook(random, "webhook.arrived")),
    strict("W1b", "webhook kept, not read", |random| webhook(random, "webhook.kept")),
    strict("W2", "webhook's events committed, not answered", |random| webhook(random, "webhook.committed")),
    strict("W3", "webhook answered", |random| plan(Traffic::Webhooks, vec![Death::Acknowledged(random.u32(1..=3))])),
    at_once("RANDOM", "at any moment, eight times", |random| {
        let deaths = (0..8).map(|_| Death::After(Duration::from_millis(random.u64(0..3000)))).collect();
        let fault = Some("apply-then-reset:every=9:path=/order");
        Plan { producer_fault: fault, ..plan(Traffic::Flood, deaths) }
    }),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_point_has_a_name_of_its_own_and_a_death() {
        let names: HashSet<&str> = POINTS.iter().map(|point| point.name).collect();
        assert_eq!(names.len(), POINTS.len());
        for point in POINTS {
            for seed in 0..50 {
                let plan = point.plan(&mut Rng::with_seed(seed));
                assert!(!plan.deaths.is_empty(), "{}", point.name);
                assert_eq!(plan, point.plan(&mut Rng::with_seed(seed)), "{}: a seed is a run", point.name);
            }
        }
    }

    #[test]
    fn families_are_the_matrix_letters() {
        let families: HashSet<&str> = POINTS.iter().map(Point::family).collect();
        assert_eq!(families, HashSet::from(["S", "O", "T", "W", "RANDOM"]));
    }
}
