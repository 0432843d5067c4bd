//! The cookies of one user, kept as browsers keep them (RFC 6265): by domain and path, until they expire.
//!
//! ```text
//! parse  one Set-Cookie header        date  the many ways to write when a cookie expires
//! ```
//!
//! Of all domains a user has few cookies, so they stand in one list, and the oldest goes where there are too
//! many.

mod date;
mod parse;

use hyper::{
    HeaderMap, Uri,
    header::{COOKIE, HOST, HeaderValue, SET_COOKIE},
    http::uri::Authority,
};
use jiff::Timestamp;

use self::parse::Given;
use super::Target;

/// Most cookies of one user. Browsers keep about as many of one site.
const MOST: usize = 100;

/// Where a request goes, as far as cookies are concerned.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// `host` or `host:port`, as in the `Host` header.
    authority: &'a str,
    /// The path without the query.
    path: &'a str,
    /// Whether TLS protects the request.
    secure: bool,
}

impl<'a> Place<'a> {
    /// Where a request with these headers goes. Its host is the one that it names, which may be another than
    /// that of the target.
    pub fn of(headers: &'a HeaderMap, uri: &'a Uri, target: &'a Target) -> Self {
        let named = headers.get(HOST).and_then(|host| host.to_str().ok());
        let named = named.or(uri.authority().map(Authority::as_str));
        Self {
            authority: named.unwrap_or(&target.authority),
            path: uri.path(),
            secure: target.tls.is_some(),
        }
    }
}

/// The cookies of one user.
#[derive(Debug, Default)]
pub struct Jar(Vec<Cookie>);

#[derive(Debug)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    /// Whether only this host gets the cookie, and no host below it.
    host_only: bool,
    path: String,
    secure: bool,
    expires: Option<Timestamp>,
}

/// The value of the cookie of this name that an answer sets; the last one where there are several.
pub fn set_by<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let headers = headers.get_all(SET_COOKIE).iter();
    let mut given = headers.filter_map(|header| Given::parse(header.to_str().ok()?));
    let last = given.rfind(|given| given.name == name)?;
    Some(last.value)
}

impl Jar {
    /// Keeps the cookies that an answer sets.
    pub fn keep(&mut self, headers: &HeaderMap, place: Place<'_>, now: Timestamp) {
        for header in headers.get_all(SET_COOKIE) {
            if let Some(given) = header.to_str().ok().and_then(Given::parse) {
                self.set(&given, place, now);
            }
        }
    }

    fn set(&mut self, given: &Given<'_>, place: Place<'_>, now: Timestamp) {
        let host = host(place.authority);
        let domain = match given.domain.as_deref() {
            None => None,
            Some(domain) if domain == host => None,
            // Whoever could set a cookie for a whole top-level domain could set one for everybody.
            Some(domain) if domain.contains('.') && is_below(&host, domain) => Some(domain.to_owned()),
            Some(_) => return,
        };
        // A cookie for the host alone and one for the host and all below it are two, except where Domain named
        // the host itself.
        let host_only = given.domain.is_none();
        let cookie = Cookie {
            name: given.name.to_owned(),
            value: given.value.to_owned(),
            domain: domain.unwrap_or(host),
            host_only,
            path: given
                .path
                .map_or_else(|| default_path(place.path).to_owned(), str::to_owned),
            secure: given.secure,
            expires: given.expires(now),
        };
        let same = |known: &Cookie| {
            (&known.name, &known.domain, &known.path) == (&cookie.name, &cookie.domain, &cookie.path)
        };
        let known = self.0.iter().position(same);
        if cookie.is_over(now) {
            self.0.retain(|known| !same(known));
            return;
        }
        // A cookie that is replaced keeps its age.
        if let Some(known) = known.and_then(|place| self.0.get_mut(place)) {
            *known = cookie;
            return;
        }
        self.0.retain(|known| !known.is_over(now));
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push(cookie);
    }

    /// Adds the cookies for a place to the headers of a request, behind those that the headers already have.
    /// The result is `None` where there are none.
    pub fn added_to(&self, headers: &HeaderMap, place: Place<'_>, now: Timestamp) -> Option<HeaderMap> {
        let host = host(place.authority);
        let goes = |cookie: &&Cookie| {
            let there = if cookie.host_only {
                cookie.domain == host
            } else {
                cookie.domain == host || is_below(&host, &cookie.domain)
            };
            there
                && is_within(place.path, &cookie.path)
                && (place.secure || !cookie.secure)
                && !cookie.is_over(now)
        };
        let mut cookies: Vec<&Cookie> = self.0.iter().filter(goes).collect();
        if cookies.is_empty() {
            return None;
        }
        // Longer paths come first, then older cookies (section 5.4); the list is ordered by age.
        cookies.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let own = headers.get(COOKIE).and_then(|own| own.to_str().ok());
        let pairs = cookies
            .iter()
            .map(|cookie| format!("{}={}", cookie.name, cookie.value));
        let pairs: Vec<String> = own.map(str::to_owned).into_iter().chain(pairs).collect();
        let value = HeaderValue::try_from(pairs.join("; ")).ok()?;
        let mut headers = headers.clone();
        headers.insert(COOKIE, value);
        Some(headers)
    }
}

impl Cookie {
    fn is_over(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// The host of an authority in lower case, without port and brackets.
fn host(authority: &str) -> String {
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.to_ascii_lowercase()
}

/// Whether a host lies below a domain (section 5.1.3). An address lies below nothing.
fn is_below(host: &str, domain: &str) -> bool {
    let below = host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    below && host.parse::<std::net::IpAddr>().is_err()
}

/// The path of a cookie that has none (section 5.1.4): that of the request up to its last slash.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(last) => path.get(..last).unwrap_or("/"),
    }
}

/// Whether a path lies within that of a cookie (section 5.1.4).
fn is_within(path: &str, cookie: &str) -> bool {
    path.strip_prefix(cookie)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie.ends_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn place(url: &str) -> Place<'_> {
        let (scheme, rest) = url.split_once("://").unwrap();
        let slash = rest.find('/').unwrap();
        Place {
            authority: &rest[..slash],
            path: &rest[slash..],
            secure: scheme == "https",
        }
    }

    fn keep(jar: &mut Jar, url: &str, cookies: &[&str]) {
        let headers = cookies.iter().map(|cookie| (SET_COOKIE, cookie.parse().unwrap()));
        jar.keep(&headers.collect(), place(url), at(0));
    }

    fn sent(jar: &Jar, url: &str, after: i64) -> String {
        let headers = jar.added_to(&HeaderMap::new(), place(url), at(after));
        headers.map_or_else(String::new, |headers| {
            headers[COOKIE].to_str().unwrap().to_owned()
        })
    }

    #[test]
    fn cookies_go_back_to_their_host_and_path() {
        let mut jar = Jar::default();
        keep(
            &mut jar,
            "http://shop.example:8080/app/login",
            &[
                "session=1; HttpOnly; SameSite=Lax",
                "all=2; Path=/",
                "deep=3; Path=/app/cart",
            ],
        );
        for (url, cookies) in [
            ("http://shop.example:8080/app/x", "session=1; all=2"),
            ("http://SHOP.example/app", "session=1; all=2"),
            ("http://shop.example/apple", "all=2"),
            ("http://shop.example/app/cart/1", "deep=3; session=1; all=2"),
            ("http://www.shop.example/app", ""),
            ("http://other.example/app", ""),
        ] {
            assert_eq!(sent(&jar, url, 0), cookies, "{url}");
        }
    }

    #[test]
    fn a_domain_is_one_above_the_host_and_never_a_top_level_or_foreign_one() {
        let mut jar = Jar::default();
        keep(
            &mut jar,
            "http://www.shop.example/",
            &[
                "a=1; Domain=.shop.example",
                "b=2; Domain=example",
                "c=3; Domain=other.example",
                "d=4; Domain=www.shop.example",
                "e=5; Domain=op.example",
            ],
        );
        assert_eq!(sent(&jar, "http://www.shop.example/", 0), "a=1; d=4");
        assert_eq!(sent(&jar, "http://shop.example/", 0), "a=1");
        assert_eq!(sent(&jar, "http://x.www.shop.example/", 0), "a=1; d=4");
        let mut jar = Jar::default();
        keep(&mut jar, "http://127.0.0.1/", &["a=1; Domain=0.0.1", "b=2"]);
        assert_eq!(sent(&jar, "http://127.0.0.1:99/", 0), "b=2");
        keep(&mut jar, "http://[::1]:80/", &["v6=1"]);
        assert_eq!(sent(&jar, "http://[::1]/", 0), "v6=1");
    }

    #[test]
    fn secure_cookies_need_tls_and_expired_ones_go() {
        let mut jar = Jar::default();
        keep(
            &mut jar,
            "https://h/",
            &[
                "s=1; Secure",
                "m=2; Max-Age=10; Expires=Wed, 21 Oct 2015 07:28:00 GMT",
                "e=3; Expires=Wed, 21 Oct 2099 07:28:00 GMT",
            ],
        );
        assert_eq!(sent(&jar, "http://h/", 0), "m=2; e=3");
        assert_eq!(sent(&jar, "https://h/", 9), "s=1; m=2; e=3");
        assert_eq!(sent(&jar, "https://h/", 10), "s=1; e=3");
        keep(&mut jar, "https://h/", &["s=; Max-Age=0", "e=new"]);
        assert_eq!(sent(&jar, "https://h/", 0), "m=2; e=new");
    }

    #[test]
    fn a_user_has_so_many_cookies_and_the_oldest_goes() {
        let mut jar = Jar::default();
        for number in 0..=MOST {
            keep(&mut jar, "http://h/", &[&format!("c{number}=x")]);
        }
        let cookies = sent(&jar, "http://h/", 0);
        assert_eq!(cookies.split("; ").count(), MOST);
        assert!(cookies.starts_with("c1=x; "), "{cookies}");
    }

    #[test]
    fn cookies_of_the_scenario_stay_first_and_set_ones_are_found_by_name() {
        let mut jar = Jar::default();
        keep(&mut jar, "http://h/", &["a=1"]);
        let own: HeaderMap = [(COOKIE, "own=0".parse().unwrap())].into_iter().collect();
        let headers = jar.added_to(&own, place("http://h/"), at(0)).unwrap();
        assert_eq!(headers[COOKIE], "own=0; a=1");
        let headers: HeaderMap = ["a=1; Path=/", "b=2", "a=3"]
            .map(|cookie| (SET_COOKIE, cookie.parse().unwrap()))
            .into_iter()
            .collect();
        assert_eq!((set_by(&headers, "a"), set_by(&headers, "c")), (Some("3"), None));
    }
}
