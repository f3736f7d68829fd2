//! Any bytes as a tape, directly and in CloudWatch's form: requests with their calls, or errors, never a panic.
#![no_main]

use std::sync::LazyLock;
use tape::{
    Exchange, Identity, Line, TapeFinder, TapeReader, decrypt_line, id_of, read_arguments,
    read_messages,
};

/// Bytes of a key that is used only here.
static IDENTITY: LazyLock<Identity> = LazyLock::new(|| {
    "AGE-SECRET-KEY-1ADKVNJHKPU4LE9PMG84U78U8SYEN8AZFLUN5JWS9LDRA022FDU4QECXLGL"
        .parse()
        .expect("a valid identity")
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut reader = TapeReader::new(bytes);
    while let Ok(Some(line)) = reader.next_tape() {
        look(&line);
    }
    let (mut finder, mut number) = (TapeFinder::default(), 0);
    let _ = read_messages(bytes, &mut |message| {
        number += 1;
        if let Ok(message) = message
            && let Ok(Some(line)) = finder.look(number, message)
        {
            look(&line);
        }
        true
    });
});

/// Reads everything that a replay reads from a line.
fn look(line: &Line) {
    let decrypted = decrypt_line(&line.bytes, &IDENTITY);
    let bytes = match &decrypted {
        Ok(Some(decrypted)) => decrypted,
        Ok(None) | Err(_) => &line.bytes,
    };
    let Ok(exchange) = Exchange::read(bytes) else {
        return;
    };
    assert_eq!(id_of(bytes).as_deref(), Some(&*exchange.id));
    for call in &exchange.calls {
        let _ = read_arguments(call.call, call.arguments);
        if let Ok(Some(result)) = call.result() {
            let _ = result.storage_error();
        }
    }
    exchange.log_lines();
    let _ = exchange.host.limits();
    let _ = exchange.redacted.as_ref().map(|redacted| redacted.rules());
}
