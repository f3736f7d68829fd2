//! Requirements on every backend, written once against the trait: each sentence of `wit/storage.wit` as a case.
//!
//! A backend's tests use `storage_conformance!(make)`, where `make` is a function that returns a new, empty store; this generates one test
//! for each case. [`CASES`] and [`run_all`] are for programs that create their tests at run time.

#![allow(clippy::unwrap_used, reason = "a failed expectation is a failed case")]

mod client;
mod concurrency;
mod cursors;
mod expiry;
mod index;
mod items;
mod limits;
mod preconditions;
mod queries;
mod tenancy;
mod transactions;

pub use self::client::{Client, World};
use super::Storage;
use std::{pin::Pin, sync::Arc};

/// A case: panics if the store does not behave as specified.
pub type Case = fn(World) -> Pin<Box<dyn Future<Output = ()> + Send>>;

/// Passes the list of all cases to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! with_storage_cases {
    ([$($callback:tt)*] $($arguments:tt)*) => {
        $($callback)* {
            ($($arguments)*)
            items: [
                what_is_not_there_is_none,
                an_item_reads_back_in_canonical_text,
                a_put_replaces_the_whole_item,
                every_write_makes_a_new_revision,
                revisions_are_not_reused_after_a_deletion,
                deleting_what_is_absent_is_done,
                get_many_answers_in_the_order_asked,
                keys_are_any_unicode_and_exact,
            ]
            preconditions: [
                puts_follow_their_precondition,
                deletes_follow_their_precondition,
                a_failed_write_changes_nothing,
            ]
            queries: [
                sort_keys_are_ordered_by_bytes,
                ranges_cover_what_they_say,
                prefixes_end_where_the_next_text_starts,
                partitions_do_not_mix,
                the_limit_bounds_a_page,
                a_page_ends_before_it_gets_too_large,
            ]
            cursors: [
                following_cursors_gives_everything_once,
                a_cursor_goes_on_after_changes,
                cursors_are_bound_to_their_query,
                forged_cursors_are_invalid,
            ]
            index: [
                an_index_orders_by_secondary_then_primary_key,
                an_index_follows_changes,
                index_ranges_cover_what_they_say,
                index_cursors_give_everything_once,
            ]
            expiry: [
                an_expired_item_is_as_if_deleted,
                expired_items_do_not_show_in_queries,
                expiry_is_replaced_by_a_put,
                preconditions_see_no_expired_item,
                expired_items_in_the_way_do_not_end_a_query,
            ]
            transactions: [
                a_transaction_does_everything,
                a_transaction_does_nothing_if_one_precondition_fails,
                the_first_failing_position_is_reported,
                a_repeated_token_answers_as_the_first_time,
                a_token_is_for_one_transaction,
                a_token_is_forgotten_after_ten_minutes,
                a_failed_transaction_does_not_use_up_its_token,
            ]
            limits: [
                keys_up_to_their_limit,
                secondary_keys_up_to_their_limit,
                items_up_to_their_limit,
                revisions_up_to_their_limit,
                query_arguments_are_checked,
                get_many_arguments_are_checked,
                transaction_arguments_are_checked,
                transactions_up_to_their_size,
                values_up_to_their_number,
                found_documents_up_to_their_size,
                numbers_keep_38_digits,
            ]
            concurrency: [
                racing_puts_have_one_winner,
                racing_updates_lose_nothing,
                transfers_keep_the_sum,
                racing_transactions_under_one_token_apply_once,
            ]
            tenancy: [
                guests_do_not_see_each_other,
                tokens_and_cursors_do_not_cross,
            ]
        }
    };
}

/// Generates one test for each case, on stores from `make`: `storage_conformance!(make)`.
#[macro_export]
macro_rules! storage_conformance {
    ($make:path) => {
        $crate::with_storage_cases! { [$crate::storage_conformance!] @tests $make }
    };
    ((@tests $make:path) $($module:ident: [$($case:ident,)*])*) => {
        $($(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                $crate::conformance::run(stringify!($case), $make()).await;
            }
        )*)*
    };
}

macro_rules! list {
    (() $($module:ident: [$($case:ident,)*])*) => {
        /// All cases by name.
        pub const CASES: &[(&str, Case)] = &[$($((stringify!($case), |world| Box::pin($module::$case(world))),)*)*];
    };
}

with_storage_cases! { [list!] }

/// Runs the case of this name on a new store.
pub async fn run(name: &str, store: Arc<dyn Storage>) {
    let (_, case) = CASES
        .iter()
        .find(|(case_name, _)| *case_name == name)
        .unwrap();
    case(World::new(store)).await;
}

/// Runs all cases, each on a new store.
pub async fn run_all(make: impl AsyncFn() -> Arc<dyn Storage>) {
    for (_, case) in CASES {
        case(World::new(make().await)).await;
    }
}
