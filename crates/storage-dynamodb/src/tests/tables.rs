//! Creating and checking tables.

use super::{
    engine::{options_at, start},
    *,
};
use crate::table::{Created, TableError, check, create};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, TimeToLiveSpecification,
};

#[tokio::test]
async fn a_table_is_made_once_and_is_then_as_needed() {
    let options = options_at(&start().await);
    assert_eq!(
        check(&options).await,
        Err(TableError::Missing(options.table.clone()))
    );
    assert_eq!(create(&options).await, Ok(Created::Made));
    assert_eq!(check(&options).await, Ok(()));
    assert_eq!(create(&options).await, Ok(Created::WasThere));
    let store = DynamoDbStorage::new(&options);
    store.cursor_key(None).await.unwrap();
}

#[tokio::test]
async fn a_creation_that_was_interrupted_is_finished() {
    let options = options_at(&start().await);
    table::create_without_expiry(&options).await.unwrap();
    let error = check(&options).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "table `{}` differs from what the store needs: expiry (TTL) is off, but must be on attribute `expires_at`",
            options.table
        )
    );
    assert_eq!(create(&options).await, Ok(Created::ExpirySwitchedOn));
    assert_eq!(check(&options).await, Ok(()));
}

struct Other {
    keys: [(&'static str, ScalarAttributeType); 2],
    index: Option<(&'static str, ProjectionType)>,
    expiry: &'static str,
}

async fn make(options: &DynamoDbOptions, other: Other) {
    let client = options.client();
    let [(hash, hash_type), (range, range_type)] = other.keys;
    let schema = |name: &str, kind: KeyType| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(kind)
            .build()
            .unwrap()
    };
    let attribute = |name: &str, kind: ScalarAttributeType| {
        AttributeDefinition::builder()
            .attribute_name(name)
            .attribute_type(kind)
            .build()
            .unwrap()
    };
    let mut request = client
        .create_table()
        .table_name(&options.table)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute(hash, hash_type))
        .attribute_definitions(attribute(range, range_type))
        .key_schema(schema(hash, KeyType::Hash))
        .key_schema(schema(range, KeyType::Range));
    if let Some((name, projection)) = other.index {
        let index = GlobalSecondaryIndex::builder()
            .index_name(name)
            .key_schema(schema("ipk", KeyType::Hash))
            .key_schema(schema("isk", KeyType::Range))
            .projection(Projection::builder().projection_type(projection).build());
        request = request
            .attribute_definitions(attribute("ipk", ScalarAttributeType::S))
            .attribute_definitions(attribute("isk", ScalarAttributeType::S))
            .global_secondary_indexes(index.build().unwrap());
    }
    request.send().await.unwrap();
    let expiry = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(other.expiry);
    client
        .update_time_to_live()
        .table_name(&options.table)
        .time_to_live_specification(expiry.build().unwrap())
        .send()
        .await
        .unwrap();
}

#[tokio::test]
async fn a_table_of_another_layout_is_refused_by_its_differences_and_left_alone() {
    use ScalarAttributeType::{B, N, S};
    let keys = [("pk", S), ("sk", S)];
    let index = || Some(("index", ProjectionType::All));
    let cases = [
        (
            Other {
                keys: [("pk", S), ("sort", N)],
                index: index(),
                expiry: "expires_at",
            },
            "the key is `pk` (HASH, S), `sort` (RANGE, N), but must be `pk` (HASH, S), `sk` (RANGE, S)",
        ),
        (
            Other {
                keys: [("pk", S), ("sk", B)],
                index: index(),
                expiry: "expires_at",
            },
            "the key is `pk` (HASH, S), `sk` (RANGE, B), but must be `pk` (HASH, S), `sk` (RANGE, S)",
        ),
        (
            Other {
                keys: keys.clone(),
                index: None,
                expiry: "ttl",
            },
            "index `index` is missing, but must be `ipk` (HASH, S), `isk` (RANGE, S); expiry (TTL) is on attribute `ttl`, but must be on attribute `expires_at`",
        ),
        (
            Other {
                keys: keys.clone(),
                index: Some(("index", ProjectionType::KeysOnly)),
                expiry: "expires_at",
            },
            "the projection of index `index` is KEYS_ONLY, but must be ALL",
        ),
        (
            Other {
                keys,
                index: index(),
                expiry: "ttl",
            },
            "expiry (TTL) is on attribute `ttl`, but must be on attribute `expires_at`",
        ),
    ];
    let endpoint = start().await;
    for (other, expected) in cases {
        let options = options_at(&endpoint);
        make(&options, other).await;
        let before = options.client().describe_table().table_name(&options.table);
        let described = before.clone().send().await.unwrap().table;
        let error = check(&options).await.unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "table `{}` differs from what the store needs: {expected}",
                options.table
            )
        );
        let refused = create(&options).await.unwrap_err().to_string();
        assert!(expected.starts_with(refused.split_once("needs: ").unwrap().1));
        assert_eq!(before.send().await.unwrap().table, described);
    }
}
