//! `keygen`: creates a key pair that signs and verifies releases.

use crate::{
    args::release::KeygenArgs,
    exit::{CommandError, Outcome},
    output,
    release::keys,
    seed,
};
use release::SecretKey;

/// Creates the pair and prints the public key.
pub fn run(arguments: &KeygenArgs) -> Result<Outcome, CommandError> {
    let key = SecretKey::new(seed::unpredictable()?.as_bytes());
    let beside = keys::create(&arguments.key, &key)?;
    output::remark(&format!(
        "wrote `{}`, the secret key that signs releases: keep it private; and `{}`, the public key for hosts\nthe key's id in messages is `{}`\n",
        arguments.key.display(),
        beside.display(),
        key.public().id()
    ));
    output::result(format!("{}\n", key.public()).as_bytes())?;
    Ok(Outcome::Same)
}
