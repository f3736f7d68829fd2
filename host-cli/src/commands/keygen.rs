//! `keygen`: a pair of keys that signs and verifies releases.

use crate::{
    args::release::KeygenArgs,
    exit::{Failure, Outcome},
    output,
    release::keys,
    seed,
};
use release::SecretKey;

/// Makes the pair; the public key is the result.
pub fn run(arguments: &KeygenArgs) -> Result<Outcome, Failure> {
    let key = SecretKey::new(seed::unpredictable()?.as_bytes());
    let beside = keys::create(&arguments.key, &key)?;
    output::remark(&format!(
        "wrote `{}`, which signs releases: keep it to yourself; and `{}`, for hosts\nmessages name the key by its id, `{}`\n",
        arguments.key.display(),
        beside.display(),
        key.public().id()
    ));
    output::result(format!("{}\n", key.public()).as_bytes())?;
    Ok(Outcome::Same)
}
