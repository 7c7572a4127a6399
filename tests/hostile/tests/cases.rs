//! Every case of the table as a test of its own, cut short. What there is nothing to
//! run for yet is ignored; a case that is known to fall short fails in the command only.

use libtest_mimic::{Arguments, Failed, Trial};
use tradepost_hostile::arena::run;
use tradepost_hostile::case::Run;
use tradepost_hostile::cases::all;
use tradepost_hostile::{Case, Effort, Verdict, own_process};

fn main() {
    own_process::program_is(env!("CARGO_BIN_EXE_tradepost-hostile"));
    let trials = all().into_iter().map(trial).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn trial(case: Case) -> Trial {
    let ignored = matches!(case.run, Run::NotRun(_));
    Trial::test(case.test_name(), move || {
        let report = run(&case, Effort::Quick);
        match report.verdict {
            Verdict::DoesNotHold if !case.open => Err(Failed::from(report.measured)),
            Verdict::DoesNotHold | Verdict::Holds | Verdict::NotRun => Ok(()),
        }
    })
    .with_ignored_flag(ignored)
}
