//! A tab of the browser, as somebody looks at it.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::browser::Browser;
use support::cluster::root;

const DEADLINE: Duration = Duration::from_secs(60);

/// Colours that the reader of a page prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Light,
    Dark,
}

/// A tab.
pub(crate) struct Page {
    pub(crate) browser: Browser,
    session: String,
}

impl Page {
    pub(crate) async fn open(mut browser: Browser) -> Self {
        let devtools = &mut browser.devtools;
        let made = devtools.send(None, "Target.createTarget", json!({"url": "about:blank"}));
        let target = made.await["targetId"].clone();
        let attach = json!({"targetId": target, "flatten": true});
        let attached = devtools.send(None, "Target.attachToTarget", attach).await;
        let session = attached["sessionId"].as_str().expect("a session").to_owned();
        let mut page = Self { browser, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.command(&format!("{domain}.enable"), json!({})).await;
        }
        page
    }

    pub(crate) async fn command(&mut self, method: &str, parameters: Value) -> Value {
        let devtools = &mut self.browser.devtools;
        devtools.send(Some(&self.session), method, parameters).await
    }

    pub(crate) async fn navigate(&mut self, url: &str) {
        self.command("Page.navigate", json!({"url": url})).await;
    }

    /// Shows the page to somebody with a window of this width.
    pub(crate) async fn looked_at(&mut self, width: u32, scheme: Scheme) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.command("Emulation.setDeviceMetricsOverride", metrics).await;
        let value = match scheme {
            Scheme::Light => "light",
            Scheme::Dark => "dark",
        };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": value}]});
        self.command("Emulation.setEmulatedMedia", media).await;
    }

    /// The value of an expression of JavaScript. The page's policy is not in its way.
    pub(crate) async fn value(&mut self, expression: &str) -> Value {
        let parameters = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.command("Runtime.evaluate", parameters).await;
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// Waits until an expression is true. While another page is loaded it has no value.
    pub(crate) async fn until(&mut self, expression: &str) {
        let end = tokio::time::Instant::now() + DEADLINE;
        loop {
            if self.value(expression).await == true {
                return;
            }
            if tokio::time::Instant::now() > end {
                let text = self.value("document.body.innerText").await;
                panic!("not in time: {expression}; the page says {text}");
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Clicks into the middle of an element, as a mouse does.
    pub(crate) async fn click(&mut self, selector: &str) {
        let place = format!(
            "(() => {{ const e = document.querySelector({selector:?}); e.scrollIntoView(); const r = e.getBoundingClientRect(); \
             return [r.x + r.width / 2, r.y + r.height / 2]; }})()"
        );
        let place = self.value(&place).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.command("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Saves a picture of the whole page in `target/browser`.
    pub(crate) async fn picture(&mut self, name: &str) {
        let folder = root().join("target/browser");
        std::fs::create_dir_all(&folder).expect("a folder");
        let shot = json!({"captureBeyondViewport": true, "format": "png"});
        let shot = self.command("Page.captureScreenshot", shot).await;
        let picture = STANDARD.decode(shot["data"].as_str().expect("a picture"));
        std::fs::write(folder.join(format!("{name}.png")), picture.expect("base64")).expect("written");
    }

    /// The bytes of the last document whose URL has these words.
    pub(crate) async fn document(&mut self, words: &str) -> Vec<u8> {
        let events = self.browser.devtools.events.iter().rev();
        let mut received = events.filter(|event| event["method"] == "Network.responseReceived");
        let found = received.find(|event| {
            let response = &event["params"]["response"]["url"];
            event["params"]["type"] == "Document" && response.as_str().is_some_and(|url| url.contains(words))
        });
        let id = found.expect("it was loaded")["params"]["requestId"].clone();
        let body = self
            .command("Network.getResponseBody", json!({"requestId": id}))
            .await;
        let text = body["body"].as_str().expect("a body");
        if body["base64Encoded"] == true {
            STANDARD.decode(text).expect("base64")
        } else {
            text.as_bytes().to_vec()
        }
    }

    /// What the browser complained about: errors of scripts, of the policy, and of loading.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let events = self.browser.devtools.events.iter();
        let complaints = events.filter(|event| match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => event["params"]["entry"]["level"] == "error",
            _ => false,
        });
        complaints.map(ToString::to_string).collect()
    }

    /// URLs that were asked for.
    pub(crate) fn requested(&self) -> Vec<String> {
        let events = self.browser.devtools.events.iter();
        let requests = events.filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = requests.filter_map(|event| event["params"]["request"]["url"].as_str());
        urls.map(str::to_owned).collect()
    }
}
