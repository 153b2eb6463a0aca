//! The job that fetches URLs in the window.

use std::sync::Arc;

use super::window::{Window, file};

/// A server that answers every path but `/missing` with `hello`.
struct Server(Arc<tiny_http::Server>);

impl Server {
    fn start() -> Self {
        let server = tiny_http::Server::http("127.0.0.1:0").expect("a port is free");
        let server = Arc::new(server);
        let answering = Arc::clone(&server);
        let answer = move || {
            for request in answering.incoming_requests() {
                let status = if request.url() == "/missing" {
                    404
                } else {
                    200
                };
                let answer = tiny_http::Response::from_string("hello");
                // The client may have gone.
                request.respond(answer.with_status_code(status)).ok();
            }
        };
        let thread = std::thread::Builder::new().spawn(answer);
        thread.expect("the system has a thread left");
        Self(server)
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.0.server_addr())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.unblock();
    }
}

#[test]
fn typed_urls_are_fetched_listed_and_saved() {
    let server = Server::start();
    let mut window = Window::open();
    window.choose("Job", "Fetch URLs");
    assert!(!window.is_enabled("Start"));
    let urls = [server.url("/a.txt"), server.url("/missing")].join("\n");
    window.type_into("URLs", &urls);
    window.click("Start");
    window.until("200 · 5 B · text/plain");
    window.until("answered 404 Not Found.");
    window.until("2 of 2 items · 1 failed");

    let out = window.dir.path().join("out");
    window.type_into("Save to", out.to_str().expect("plain"));
    window.click("Start");
    window.until("→ ");
    assert_eq!(
        std::fs::read(out.join("a.txt")).expect("it was saved"),
        b"hello"
    );
}

#[test]
fn digest_of_a_response_is_compared() {
    const SHA256_OF_HELLO: &str =
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let server = Server::start();
    let mut window = Window::open();
    window.choose("Job", "Fetch URLs");
    let (one, other) = (server.url("/a.txt"), server.url("/b.txt"));
    let urls = format!("{one} sha256:{SHA256_OF_HELLO}\n{other}");
    window.type_into("URLs", &urls);
    window.click("Start");
    window.until_it(|window| window.is_enabled("Remove"), "the end of the job");
    window.open_menu("a.txt");
    window.click("Compare…");
    window.step();
    for (pasted, verdict) in [
        (SHA256_OF_HELLO.to_owned(), "The digests are the same."),
        ("0".repeat(64), "The digests are different."),
    ] {
        let field = window.named("Digest to compare with");
        field.set_text_value_accesskit(&pasted);
        window.step();
        window.step();
        assert!(window.shows(verdict), "{}", window.texts());
    }
    window.click("Close");
    window.open_menu("b.txt");
    assert!(!window.is_enabled("Compare…"));
}

#[test]
fn url_list_is_an_input_and_time_limits_apply() {
    let server = Server::start();
    let mut window = Window::open();
    let list = format!("# two\n{}\nnot a url\n", server.url("/a"));
    let list = file(window.dir.path(), "list", list.as_bytes());
    window.type_into("Path", list.to_str().expect("plain"));
    window.click("Add");
    window.choose("Job", "Fetch URLs");
    window.click("More options");
    window.set("Connect (s)", 5.0);
    window.set("Idle limit (s)", 0.0);
    assert!(!window.is_enabled("Start"));
    window.set("Idle limit (s)", 50.0);
    window.set("Retries", 0.0);
    window.set("Pause (s)", 1.0);
    window.set("Size limit (MiB)", 1.0);
    let bottom = window.harness.ctx.content_rect().bottom() - 32.0;
    let start = window.named("Start").rect();
    assert!(start.bottom() < bottom, "{start} is out of sight");
    window.click("Start");
    window.until("200 · 5 B");
    window.until("Line 3 of ");
    window.until("2 of 2 items · 1 failed");
}
