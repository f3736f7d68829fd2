//! Transactions: all or nothing, and exactly once.
//!
//! Each call sends a DynamoDB token of its own with all its attempts, by which DynamoDB recognises a retry for ten minutes. It is drawn
//! anew for each call, because two equal calls may be intended. A guest's token works across requests and hosts: an item with the token's
//! digest and result is written in the same transaction.

use super::{
    ApiOperation, DynamoDbStorage, charge,
    condition::Condition,
    error_class::{ErrorClass, Verdict, judge, of_code},
    in_the_way,
    layout::{self, Attributes, number, text},
    malformed_item::MalformedItemError,
    retry::{Answer, Effect, Retry, traced},
    unexpected, unreadable,
};
use aws_sdk_dynamodb::{
    error::SdkError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{
        AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnConsumedCapacity,
        ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    },
};
use contract::{
    hexadecimal::{self, Hexadecimal},
    limits::TOKEN_DURATION,
};
use storage::{
    Call, Key, Operation, Precondition, Revision, StorageError, TransactOutcome,
    memory::new_item,
    transaction::{self, OperationsDigest, Remembered, digest},
};

const DONE_AT: &str = "done_at_ms";
const DIGEST: &str = "digest";
/// Joined with commas; empty for operations without a revision.
const REVISIONS: &str = "revs";
/// Reason for an operation whose precondition did not hold.
const CONDITION_FAILED: &str = "ConditionalCheckFailed";
/// Reason for an operation that would have succeeded.
const NO_REASON: &str = "None";

impl DynamoDbStorage {
    pub(super) async fn transact_all(
        &self,
        call: &Call,
        operations: &[Operation],
        token: Option<&str>,
    ) -> Result<TransactOutcome, StorageError> {
        let revisions = transaction::revisions(call, operations);
        let mut retry = Retry::new(call, ApiOperation::TransactWriteItems, Effect::WriteOnce);
        let digest = digest(operations);
        let names_state = |precondition: &&_| matches!(precondition, Precondition::Revision(_));
        let mut preconditions = operations.iter().map(Operation::precondition);
        if let Some(precondition) = preconditions.find(names_state) {
            retry.wait_for_others(precondition).await;
        }
        let mut request_token = request_token()?;
        let mut found = ReturnValuesOnConditionCheckFailure::AllOld;
        let reasons = loop {
            // A tree of the documents needs much memory: it is created for each attempt, and dropped once it is text.
            let send = || async {
                let items = self
                    .writes(
                        call,
                        operations,
                        token.map(|token| (token, &digest)),
                        &revisions,
                        &found,
                    )
                    .map_err(SdkError::construction_failure)?;
                let request = self
                    .client
                    .transact_write_items()
                    .set_transact_items(Some(items))
                    .client_request_token(&request_token)
                    .return_consumed_capacity(ReturnConsumedCapacity::Total);
                traced(call, request.customize()).send().await
            };
            match retry.run(judge_transaction, send).await? {
                Answer::Done(output) => {
                    charge(call, output.consumed_capacity.unwrap_or_default());
                    return Ok(TransactOutcome::Done(revisions));
                }
                Answer::Refused(TransactWriteItemsError::TransactionCanceledException(
                    cancelled,
                )) => break cancelled.cancellation_reasons.unwrap_or_default(),
                // Only items that prevented the transaction make a response large, so nothing was done: the first of them is read later.
                Answer::TooLarge if found == ReturnValuesOnConditionCheckFailure::AllOld => {
                    found = ReturnValuesOnConditionCheckFailure::None;
                    request_token = self::request_token()?;
                }
                Answer::TooLarge => return Err(retry.give_up_on_answer()),
                Answer::Refused(error) => return Err(unexpected(&retry, &error)),
            }
        };
        self.lost(&retry, operations, token, &digest, reasons).await
    }

    /// The meaning of preconditions that did not hold. The token comes first, because its transaction has already been done.
    async fn lost(
        &self,
        retry: &Retry<'_>,
        operations: &[Operation],
        token: Option<&str>,
        digest: &OperationsDigest,
        mut reasons: Vec<CancellationReason>,
    ) -> Result<TransactOutcome, StorageError> {
        let call = retry.call();
        let has_failed =
            |reason: &CancellationReason| reason.code.as_deref() == Some(CONDITION_FAILED);
        let of_token = reasons.split_off(operations.len().min(reasons.len()));
        if let (Some(reason), Some(token)) = (of_token.into_iter().find(has_failed), token) {
            let found = self.found(call, &token_key(token), reason.item).await?;
            let remembered = found
                .ok_or_else(|| layout::missing(DIGEST))
                .and_then(remembered)
                .map_err(|error| unreadable(retry, &error))?;
            return match remembered.answer(call.now_ms, digest) {
                Some(answer) => answer.map(TransactOutcome::Done),
                // This condition would have held.
                None => Err(retry.give_up(
                    ErrorClass::Defect,
                    "an expired token prevented the transaction",
                )),
            };
        }
        let mut failed = (0..).zip(operations.iter().zip(reasons));
        match failed.find(|(_, (_, reason))| has_failed(reason)) {
            Some((position, (operation, reason))) => {
                call.count_lost_race(operation.precondition());
                let found = self.found(call, operation.key(), reason.item).await?;
                Ok(TransactOutcome::PreconditionFailed {
                    position,
                    item: in_the_way(retry, found)?,
                })
            }
            None => Err(retry.give_up(ErrorClass::Defect, "cancelled without a reason")),
        }
    }

    /// All writes, and the record of the token if there is one. `found` says whether a refusal returns the items that prevented it.
    fn writes(
        &self,
        call: &Call,
        operations: &[Operation],
        token: Option<(&str, &OperationsDigest)>,
        revisions: &[Option<Revision>],
        found: &ReturnValuesOnConditionCheckFailure,
    ) -> Result<Vec<TransactWriteItem>, MalformedItemError> {
        let mut items = Vec::with_capacity(operations.len() + 1);
        for (operation, revision) in operations.iter().zip(revisions) {
            items.push(self.write(call, operation, revision.as_ref(), found)?);
        }
        if let Some((token, digest)) = token {
            items.push(self.token_write(call, token, digest, revisions)?);
        }
        Ok(items)
    }

    fn write(
        &self,
        call: &Call,
        operation: &Operation,
        revision: Option<&Revision>,
        found: &ReturnValuesOnConditionCheckFailure,
    ) -> Result<TransactWriteItem, MalformedItemError> {
        let condition = Condition::of(operation.precondition(), call);
        let all_old = condition.is_some().then(|| found.clone());
        let (expression, values) = condition
            .map(|condition| (condition.expression.to_owned(), condition.values))
            .unzip();
        let write = TransactWriteItem::builder();
        let key = Some(layout::key_attributes(operation.key()));
        Ok(match (operation, revision) {
            (
                Operation::Put {
                    key,
                    document,
                    options,
                },
                Some(revision),
            ) => {
                let item = new_item(document, options, revision.clone());
                let put = Put::builder()
                    .table_name(&self.table)
                    .set_item(Some(layout::item_attributes(key, &item)?))
                    .set_condition_expression(expression)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(all_old);
                write.put(put.build().map_err(incomplete)?)
            }
            (Operation::Put { .. }, None) => {
                return Err(MalformedItemError("a put without a revision".to_owned()));
            }
            (Operation::Delete { .. }, _) => {
                let delete = Delete::builder()
                    .table_name(&self.table)
                    .set_key(key)
                    .set_condition_expression(expression)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(all_old);
                write.delete(delete.build().map_err(incomplete)?)
            }
            (Operation::Check { .. }, _) => {
                let check = ConditionCheck::builder()
                    .table_name(&self.table)
                    .set_key(key)
                    .set_condition_expression(expression)
                    .set_expression_attribute_values(values)
                    .set_return_values_on_condition_check_failure(all_old);
                write.condition_check(check.build().map_err(incomplete)?)
            }
        }
        .build())
    }

    /// Writes the token's record, unless another transaction is recorded under the token.
    fn token_write(
        &self,
        call: &Call,
        token: &str,
        digest: &OperationsDigest,
        revisions: &[Option<Revision>],
    ) -> Result<TransactWriteItem, MalformedItemError> {
        let duration_ms = TOKEN_DURATION.as_millis() as u64;
        let mut attributes = layout::key_attributes(&token_key(token));
        let revisions: Vec<&str> = revisions
            .iter()
            .map(|revision| revision.as_ref().map_or("", Revision::as_str))
            .collect();
        let forgotten_at = call.now_ms.saturating_add(duration_ms).div_ceil(1000);
        attributes.extend([
            (DONE_AT.to_owned(), number(call.now_ms)),
            (DIGEST.to_owned(), text(Hexadecimal(digest).to_string())),
            (REVISIONS.to_owned(), text(revisions.join(","))),
            (layout::EXPIRY.to_owned(), number(forgotten_at)),
        ]);
        let forgotten = i128::from(call.now_ms) - i128::from(duration_ms);
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(attributes))
            .condition_expression("attribute_not_exists(pk) OR done_at_ms <= :forgotten")
            .expression_attribute_values(":forgotten", number(forgotten))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        Ok(TransactWriteItem::builder()
            .put(put.build().map_err(incomplete)?)
            .build())
    }
}

/// The key of a token's record.
fn token_key(token: &str) -> Key {
    Key {
        partition: layout::TOKEN_PARTITION.to_owned(),
        sort: token.to_owned(),
    }
}

fn incomplete(error: impl std::error::Error) -> MalformedItemError {
    MalformedItemError(error.to_string())
}

/// A cancelled transaction is an outcome if only preconditions prevented it. Other reasons may have hidden the result of preconditions, so
/// it is retried.
fn judge_transaction(error: &TransactWriteItemsError, status: u16) -> Verdict {
    let TransactWriteItemsError::TransactionCanceledException(cancelled) = error else {
        return judge(error, status);
    };
    let mut has_failed = false;
    let mut class = None;
    for reason in cancelled.cancellation_reasons() {
        match reason.code() {
            None | Some(NO_REASON) => {}
            Some(CONDITION_FAILED) => has_failed = true,
            code => {
                let found = of_code(code, reason.message().unwrap_or_default(), status);
                // A reason that waiting cannot cure takes precedence.
                if !matches!(class, Some(ErrorClass::Misconfigured | ErrorClass::Defect)) {
                    class = Some(found);
                }
            }
        }
    }
    match class {
        Some(class) => Verdict::Failed(class),
        None if has_failed => Verdict::Answer,
        None => Verdict::Failed(ErrorClass::Conflict),
    }
}

/// The transaction that a token's record describes.
fn remembered(mut attributes: Attributes) -> Result<Remembered, MalformedItemError> {
    let done_at_ms = match attributes.remove(DONE_AT) {
        Some(AttributeValue::N(digits)) => digits.parse().ok(),
        _ => None,
    };
    let digest =
        layout::take_text(&mut attributes, DIGEST)?.and_then(|digits| hexadecimal::read(&digits));
    let revisions = layout::take_text(&mut attributes, REVISIONS)?;
    Ok(Remembered {
        done_at_ms: done_at_ms.ok_or_else(|| layout::missing(DONE_AT))?,
        digest: digest.ok_or_else(|| layout::missing(DIGEST))?,
        revisions: revisions
            .ok_or_else(|| layout::missing(REVISIONS))?
            .split(',')
            .map(|text| (!text.is_empty()).then(|| Revision::from(text.to_owned())))
            .collect(),
    })
}

/// The token by which DynamoDB distinguishes the attempts of one call from other calls: 32 random digits.
fn request_token() -> Result<String, StorageError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| StorageError::Internal)?;
    Ok(Hexadecimal(&bytes).to_string())
}
