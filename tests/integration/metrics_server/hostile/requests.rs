//! Requests that no well-behaved client sends.

use tokio::io::AsyncWriteExt as _;

use super::{
    target,
    wire::{
        CONTINUATION, END_STREAM, HEADERS, HTTP2_PREFACE, SETTINGS, frame, get_block, raw, tls, tls_config,
        until_closed,
    },
};

const READ: &str = "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/rate";

#[tokio::test]
async fn a_url_of_a_megabyte_is_refused_and_harms_nobody() {
    let target = target().await;
    let old = target.front_proxy();
    assert_eq!(target.read_by_hpa(&old).await, Ok(()));
    let before = target.memory();
    let config = tls_config(target, "http/1.1", Some("admin"));
    for path in [
        "a".repeat(1 << 20),
        format!("{READ}?labelSelector={}", "a,".repeat(1 << 19)),
    ] {
        let (status, _) = raw(target, &config, "GET", &format!("/{path}")).await;
        // No status is read if the connection is reset first.
        assert!([0, 414, 431].contains(&status), "{status}");
    }
    let stream = tls(target, &tls_config(target, "h2", Some("admin"))).await;
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut attack = HTTP2_PREFACE.to_vec();
    attack.extend(frame(SETTINGS, 0, 0, &[]));
    let mut block = get_block(READ);
    // One more header, without a name of the table, whose value has a million bytes.
    block.extend([0, 1, b'x', 0x7F, 0xC1, 0x83, 0x3D]);
    attack.extend(frame(HEADERS, END_STREAM, 1, &block));
    for _ in 0..62 {
        attack.extend(frame(CONTINUATION, 0, 1, &[b'a'; 16 << 10]));
    }
    let writing = async {
        let _ = writer.write_all(&attack).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        _ = until_closed(&mut reader) => {}
        () = writing => unreachable!(),
    }
    target.assert_unharmed(before, &old).await;
}

#[tokio::test]
async fn a_selector_of_a_thousand_terms_is_refused() {
    let target = target().await;
    let config = tls_config(target, "http/1.1", Some("admin"));
    for parameter in ["labelSelector", "metricLabelSelector"] {
        for term in ["!k", "k"] {
            let terms: Vec<String> = (0..1000).map(|number| format!("{term}{number}")).collect();
            let path = format!("{READ}?{parameter}={}", terms.join(","));
            let (status, body) = raw(target, &config, "GET", &path).await;
            assert_eq!(status, 400, "{body}");
            assert!(body.contains("no more than 256"), "{body}");
        }
    }
}

#[tokio::test]
async fn names_that_try_to_be_paths_name_nothing() {
    let target = target().await;
    let config = tls_config(target, "http/1.1", Some("admin"));
    for path in [
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/../pods/*/rate",
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/%2e%2e/pods/*/rate",
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/../kube-system/pods/*/rate",
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default%2f..%2fkube-system/pods/*/rate",
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods%2f*/x/rate",
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/%00/rate",
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default%00/pods/*/rate",
        "/apis/custom.metrics.k8s.io/v1beta2//namespaces/default/pods/*/rate",
        "//apis/custom.metrics.k8s.io/v1beta2",
        "/apis//custom.metrics.k8s.io",
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/%ff",
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/default/pods/*/%",
        "/apis/external.metrics.k8s.io/v1beta1/namespaces/%2e%2e/x",
        "/healthz/../apis/custom.metrics.k8s.io",
        "/%2e%2e/%2e%2e/etc/passwd",
    ] {
        let (status, body) = raw(target, &config, "GET", path).await;
        assert!([400, 404].contains(&status), "{path}: {status} {body}");
        assert!(body.contains("\"kind\":\"Status\""), "{path}: {body}");
    }
}

#[tokio::test]
async fn no_method_but_get_is_served_and_nothing_is_watched() {
    let target = target().await;
    let config = tls_config(target, "http/1.1", Some("admin"));
    for path in [READ, "/apis/custom.metrics.k8s.io", "/healthz"] {
        for method in [
            "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "WHATEVER",
        ] {
            let (status, body) = raw(target, &config, method, path).await;
            assert_eq!(status, 405, "{method} {path}: {body}");
        }
    }
    for query in ["watch=true", "watch=1", "watch"] {
        let (status, body) = raw(target, &config, "GET", &format!("{READ}?{query}")).await;
        assert!([404, 405].contains(&status), "{query}: {body}");
        assert!(query == "watch" || status == 405, "{query}: {body}");
    }
}
