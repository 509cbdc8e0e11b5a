//! A browser with a window of some width, and one theme.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

/// A colour scheme that the user prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    Light,
    Dark,
}

/// Says what is asked of a browser.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub(crate) width: u32,
    pub(crate) theme: Theme,
    /// Whether scripts of the page run.
    pub(crate) scripts: bool,
}

impl Wanted {
    pub(crate) const USUAL: Self = Self { width: 900, theme: Theme::Light, scripts: true };
}

/// A browser, and what drives it; both end with it.
pub(crate) struct Browser {
    pub(crate) client: Client,
    driver: Child,
    log: PathBuf,
    profile: PathBuf,
}

/// Where files of this run are.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("look");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// Whether a browser is here. If it is not, this is said, or is a failure where it is required.
pub(crate) fn is_here() -> bool {
    let is_here = |program: &str| {
        Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let missing: Vec<&str> = ["chromium", "chromedriver"].into_iter().filter(|program| !is_here(program)).collect();
    if missing.is_empty() {
        return true;
    }
    let skipped =
        format!("skipped: {} is not here (Debian's packages chromium and chromium-driver)", missing.join(" and "));
    assert!(std::env::var_os("SANSIP_LIVE").is_none_or(|value| value != "require"), "{skipped}");
    eprintln!("{skipped}");
    false
}

/// Runs a test in a browser of that kind, if there is one; the page must say nothing on the console.
pub(crate) fn with(wanted: Wanted, test: impl AsyncFnOnce(&Browser)) {
    if !is_here() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let browser = Browser::start(wanted).await;
        test(&browser).await;
        let said = browser.said();
        assert!(said.is_empty(), "on the console:\n{}", said.join("\n"));
        browser.client.clone().close().await.expect("an end");
    });
}

impl Browser {
    async fn start(wanted: Wanted) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let (log, profile) =
            (folder().join(format!("driver-{number}.log")), folder().join(format!("profile-{number}")));
        let mut driver = Command::new("chromedriver")
            .args(["--port=0", "--verbose", &format!("--log-path={}", log.display())])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver");
        let lines = BufReader::new(driver.stdout.take().expect("its output")).lines();
        let port = lines.map_while(Result::ok).find_map(|line| {
            let port: String = line.split("on port ").nth(1)?.chars().take_while(char::is_ascii_digit).collect();
            line.contains("started successfully").then_some(port)
        });
        let port = port.expect("chromedriver says its port");
        let mut arguments = vec![
            "--headless=new".to_owned(),
            "--disable-gpu".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            format!("--user-data-dir={}", profile.display()),
        ];
        // Chromium's sandbox is not for the superuser, as whom tests run in a container.
        arguments.push("--no-sandbox".to_owned());
        if wanted.theme == Theme::Dark {
            arguments.extend(["--force-dark-mode".to_owned(), "--blink-settings=preferredColorScheme=0".to_owned()]);
        }
        // A window has a least width; what stands for a screen has none.
        let metrics =
            json!({"width": wanted.width, "height": 1_000, "pixelRatio": 1.0, "mobile": false, "touch": false});
        let mut options = json!({"args": arguments, "mobileEmulation": {"deviceMetrics": metrics}});
        if !wanted.scripts {
            options["prefs"] = json!({"profile.managed_default_content_settings.javascript": 2});
        }
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".to_owned(), options);
        let connector = hyper_util::client::legacy::connect::HttpConnector::new();
        let client =
            ClientBuilder::new(connector).capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await;
        Self { client: client.expect("a session"), driver, log, profile }
    }

    /// Opens a page that is written to a file of that name.
    pub(crate) async fn open(&self, name: &str, page: &str) {
        let file = folder().join(name);
        std::fs::write(&file, page).expect("a file");
        self.client.goto(&format!("file://{}", file.display())).await.expect("the page");
    }

    /// Says what an expression of the page's language comes to.
    pub(crate) async fn ask(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{error}: {script}"))
    }

    /// Clicks the first element that fits.
    pub(crate) async fn click(&self, selector: &str) {
        let found =
            self.client.find(Locator::Css(selector)).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
        found.click().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    /// Presses keys where the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        let focused = self.client.active_element().await.expect("an element with the focus");
        focused.send_keys(keys).await.expect("keys");
    }

    /// Keeps a picture of the whole page.
    pub(crate) async fn keep(&self, name: &str) {
        let image = self.client.screenshot().await.expect("a picture");
        std::fs::write(folder().join(name), image).expect("a file");
    }

    /// Says what was said on the console so far, by the page or about it.
    pub(crate) fn said(&self) -> Vec<String> {
        const EVENTS: [&str; 3] = ["Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown"];
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let is_said =
            |line: &str| line.contains("DevTools WebSocket Event: ") && EVENTS.iter().any(|event| line.contains(event));
        let at = lines.iter().enumerate().filter(|(_, line)| is_said(line));
        at.map(|(number, _)| lines[number..lines.len().min(number + 12)].join("\n")).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends the browser that it started, too.
        let _ = Command::new("kill").arg(self.driver.id().to_string()).status();
        let _ = self.driver.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
        let _ = std::fs::remove_file(&self.log);
    }
}

#[test]
fn what_a_page_says_on_the_console_is_heard() {
    if !is_here() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let browser = Browser::start(Wanted::USUAL).await;
        browser
            .open("said.html", "<!doctype html><title>x</title><script>console.error('here'); nowhere()</script>")
            .await;
        let said = browser.said().join("\n");
        assert!(said.contains("here") && said.contains("nowhere"), "{said}");
        browser.client.clone().close().await.expect("an end");
    });
}
