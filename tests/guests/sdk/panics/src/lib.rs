//! A mistake in a handler, for the log.

use tenon::{App, Path};

fn app() -> App {
    App::new().get("/divide/{divisor}", divide)
}

tenon::main!(app);

fn divide(Path(divisor): Path<u32>) -> String {
    assert!(divisor != 7, "nobody divides by {divisor}");
    (100 / divisor).to_string()
}
