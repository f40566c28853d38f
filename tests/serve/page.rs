//! The page: to browsers only, by a strict policy, asked for again at no cost.

use crate::world::Service;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const BROWSER: (&str, &str) = ("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");

#[test]
fn browsers_get_the_page_and_others_a_sign_of_life() {
    let service = Service::usual();
    let client = service.client();
    for (path, content_type, holds) in [
        ("/", "text/html; charset=utf-8", "/assets/app.js"),
        ("/assets/app.js", "text/javascript; charset=utf-8", ""),
        ("/assets/app.css", "text/css; charset=utf-8", ""),
    ] {
        let reply = client.get_with(path, &[BROWSER]);
        assert_eq!((reply.status, &*reply.content_type), (200, content_type), "{path}");
        assert!(reply.body.contains(holds) && !reply.body.is_empty());
        let says = |name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(says("content-security-policy"), Some(POLICY), "{path}");
        assert_eq!(says("x-content-type-options"), Some("nosniff"));
        assert_eq!(says("cache-control"), Some("no-cache"));
    }
    for accept in ["*/*", "application/json", "text/htmlx"] {
        let reply = client.get_with("/", &[("Accept", accept)]);
        assert_eq!((&*reply.content_type, &*reply.body), ("application/json", r#"{"status":"alive"}"#), "{accept}");
    }
    assert_eq!(client.get("/assets/none.js").status, 404);
}

#[test]
fn the_page_needs_nothing_that_its_policy_forbids() {
    let service = Service::usual();
    let page = service.client().get_with("/", &[BROWSER]).body;
    assert!(!page.contains("<style") && !page.contains(" style="), "styles in the page are forbidden");
    let scripts: Vec<_> = page.split("<script").skip(1).map(|tag| tag.split('>').next().unwrap()).collect();
    assert!(scripts.iter().all(|tag| tag.contains("src=\"/")), "scripts in the page are forbidden: {scripts:?}");
    for tag in page.split("src=\"").chain(page.split("<link")).skip(1) {
        assert!(!tag.split('>').next().unwrap().contains("://") || tag.contains("data:"), "{tag}");
    }
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let service = Service::usual();
    let client = service.client();
    let tag = client.get("/assets/app.js").headers["etag"].to_str().unwrap().to_owned();
    let again = client.get_with("/assets/app.js", &[("If-None-Match", &tag)]);
    assert_eq!((again.status, &*again.body), (304, ""));
    assert_eq!(again.headers["etag"], tag.as_str());
    assert_eq!(client.get_with("/assets/app.js", &[("If-None-Match", "\"other\"")]).status, 200);
    let zipped = client.get_with("/assets/app.js", &[("Accept-Encoding", "br, gzip")]);
    assert_eq!(zipped.headers["content-encoding"], "gzip");
}
