//! The HTML report in a real browser, if this machine has one: it opens, filters, opens a request by keyboard, and makes a screenshot.
//! Chromium is only available as a system package (`apt-get install chromium`), so the test says when it did not run.

use crate::support::{fresh_folder, host_cli, workspace};
use serde_json::Value;
use std::{fs, path::Path, process::Command};

const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "chrome"];

/// Acts like a person, and leaves what it saw in the page.
const VISIT: &str = r#"<script>
const seen = { rows: [], errors: [] };
window.addEventListener("error", (event) => seen.errors.push(event.message));
const rows = () => [...document.querySelectorAll(".row")];
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
setTimeout(() => {
  seen.atFirst = rows().length;
  document.querySelector('[data-verdict="same"]').click();
  seen.withSame = rows().length;
  press("/");
  seen.searchFocused = document.activeElement.id === "filter";
  const search = document.activeElement;
  search.value = "vase";
  search.dispatchEvent(new Event("input"));
  seen.filtered = rows().length;
  seen.count = document.querySelector(".count").textContent;
  press("ArrowDown");
  seen.rowFocused = document.activeElement.classList.contains("row");
  document.activeElement.click();
  const detail = document.querySelector(".detail");
  seen.headings = [...detail.querySelectorAll("h2")].map((heading) => heading.textContent);
  seen.gone = [...detail.querySelectorAll("td.gone")].map((cell) => cell.textContent.trim()).filter(Boolean);
  seen.new = [...detail.querySelectorAll("td.new")].map((cell) => cell.textContent.trim()).filter(Boolean);
  seen.steps = [...detail.querySelectorAll(".kind")].map((kind) => kind.textContent);
  seen.dark = getComputedStyle(document.body).backgroundColor;
  seen.wide = document.documentElement.scrollWidth > document.documentElement.clientWidth;
  const out = document.createElement("script");
  out.type = "seen";
  out.textContent = JSON.stringify(seen).replaceAll("<", "\\u003c");
  document.body.append(out);
}, 0);
</script>"#;

fn browser() -> Option<&'static str> {
    let runs = |name: &&&str| {
        Command::new(name)
            .arg("--version")
            .output()
            .is_ok_and(|output| output.status.success())
    };
    BROWSERS.iter().find(runs).copied()
}

/// The state of the page during the visit, as recorded by its own script.
fn visit(browser: &str, page: &Path, options: &[&str]) -> Value {
    let output = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1300,1600",
            "--virtual-time-budget=2000",
        ])
        .args(options)
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&output.stdout);
    let seen = dom
        .split("<script type=\"seen\">")
        .nth(1)
        .and_then(|rest| rest.split("</script>").next());
    serde_json::from_str(
        seen.unwrap_or_else(|| panic!("the page's script did not run: {dom:.2000}")),
    )
    .unwrap()
}

#[test]
fn the_report_works_in_a_browser() {
    let Some(browser) = browser() else {
        eprintln!("skipped: none of {BROWSERS:?} is installed");
        return;
    };
    let folder = fresh_folder("tape-report");
    let tape = fs::read_to_string(workspace().join("tests/tapes/version-1.tape")).unwrap();
    // Changes the recorded guest's output on the tape: that request now differs.
    let changed = folder.join("changed.tape");
    fs::write(&changed, tape.replacen("lamp", "vase", 1)).unwrap();
    let report = folder.join("report.html");
    let output = host_cli::command()
        .args([
            "replay", "--guest", "embedded", "--mode", "state", "--report",
        ])
        .args([&report, &changed])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let page = fs::read_to_string(&report).unwrap();
    let visited = folder.join("visited.html");
    fs::write(
        &visited,
        page.replace("</body>", &format!("{VISIT}</body>")),
    )
    .unwrap();

    let seen = visit(browser, &visited, &["--dump-dom"]);
    assert_eq!(seen["errors"], serde_json::json!([]), "{seen:#}");
    assert!(seen["atFirst"].as_u64() >= Some(1), "{seen:#}");
    assert!(
        seen["withSame"].as_u64() > seen["atFirst"].as_u64(),
        "{seen:#}"
    );
    assert_eq!(seen["searchFocused"], true, "{seen:#}");
    assert_eq!(seen["filtered"], 1, "{seen:#}");
    assert_eq!(seen["rowFocused"], true, "{seen:#}");
    assert_eq!(seen["wide"], false, "the page scrolls sideways: {seen:#}");
    let headings = seen["headings"].to_string();
    for heading in [
        "What changed",
        "Response",
        "Writes",
        "As recorded, step by step",
        "Cost",
    ] {
        assert!(headings.contains(heading), "{heading}: {seen:#}");
    }
    assert!(
        seen["gone"].to_string().contains("lamp") && seen["new"].to_string().contains("vase"),
        "{seen:#}"
    );
    assert_eq!(
        seen["steps"],
        serde_json::json!(["event", "put", "response"])
    );
    let dark = visit(
        browser,
        &visited,
        &["--dump-dom", "--blink-settings=preferredColorScheme=0"],
    );
    assert_ne!(dark["dark"], seen["dark"], "light and dark look alike");

    let picture = folder.join("report.png");
    let taken = Command::new(browser)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1300,1600",
            "--virtual-time-budget=2000",
        ])
        .arg(format!("--screenshot={}", picture.display()))
        .arg(format!("file://{}", visited.display()))
        .output()
        .unwrap();
    assert!(taken.status.success());
    assert!(
        fs::metadata(&picture).unwrap().len() > 20_000,
        "the picture is empty"
    );
}
