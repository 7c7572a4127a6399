//! Refunds: told where something was given back, as it was, and nowhere else.

use serde_json::json;

use super::ending::{short, told};
use super::writing::holds;
use crate::kit::Kit;
use crate::report::{Finding, Found, failed, skipped};

pub(super) async fn refunds_as_given(kit: &Kit) -> Found {
    let operations = kit.operations();
    let Some(operation) = operations.into_iter().find(|operation| operation.name == "refunds.list") else {
        return skipped("the connector offers no refunds, or the description does not call refunds.list");
    };
    let Some(kind) = operation.record.as_ref() else {
        return failed("the description does not say of which record refunds.list tells the refunds");
    };
    let bench = kit.bench()?;
    let untouched = bench.seed(kind, 1).remove(0);
    let ended = bench.perform(operation, &untouched).await?;
    match &ended {
        Ok(outcome) if outcome.value == json!([]) => {}
        _ => {
            return failed(format!(
                "refunds.list of a record as the sample has it, of which nothing was given back: expected no refund, seen {}",
                told(&ended)
            ));
        }
    }
    if operation.answers.is_empty() {
        return Ok("nothing is told where nothing was given back; the description shows no refund".into());
    }
    let (bench, id) = kit.ready(operation)?;
    let ended = bench.perform(operation, &id).await?;
    let Ok(outcome) = &ended else {
        return failed(format!("refunds.list of a record with a refund: {}", told(&ended)));
    };
    holds(&outcome.value, &operation.answers, &id)
        .map_err(|seen| Finding::Failed(format!("refunds.list of a record with a refund: the result {seen}")))?;
    Ok(format!("nothing is told where nothing was given back, and a refund as {}", short(&outcome.value)))
}
