# Everything a newcomer needs. Each target does its own set-up and says what it is doing.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

CLUSTER := tests/cluster/cluster.sh
# NODE=real: nodes that run containers, which takes root.
NODE ?= simulated
CLUSTER_DIR ?= $(CURDIR)/target/cluster/up$(if $(filter real,$(NODE)),-real)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: tools ## Build vas
	cargo build --locked

.PHONY: tools
tools:
	@command -v cargo >/dev/null || { echo "cargo is missing: install Rust 1.95 or newer with rustup (https://rustup.rs)" >&2; exit 2; }
	@command -v cc >/dev/null || { echo "a C compiler is missing: install gcc or clang (Debian: apt-get install gcc libc6-dev)" >&2; exit 2; }

.PHONY: cluster
cluster:
	@$(CLUSTER) build

# The tests install the chart with Helm and check alerts with promtool, which are built from source once.
.PHONY: helm
helm:
	@if [ ! -x "$${VAS_CLUSTER_BIN:-target/cluster/bin}/helm" ]; then \
		echo "test: first Helm is built from source (once, about 6 minutes)" >&2; \
	fi
	@$(CLUSTER) build helm promtool

.PHONY: demo
demo: tools announce cluster ## Autoscale VoiceAssist on a real local Kubernetes, and tell the story (KEEP=1 leaves it up)
	@echo "building vas and the demo (the first time takes a few minutes)" >&2
	@cargo build --locked --workspace --bin vas --bin demo --bin load-model
	@target/debug/demo

# What is still to be built, and about how long it takes on two cores.
.PHONY: announce
announce:
	@if [ ! -x "$${VAS_CLUSTER_BIN:-target/cluster/bin}/kube-apiserver" ]; then \
		echo "demo: first Kubernetes, Prometheus and kwok are built from source (once, about 10 minutes), then vas (about 4), then the story (6)" >&2; \
	elif [ ! -x target/debug/demo ]; then \
		echo "demo: first vas is built (about 4 minutes), then the story is told (6)" >&2; \
	else \
		echo "demo: what changed is built, then the story is told (6 minutes)" >&2; \
	fi

.PHONY: attack
attack: tools cluster ## Let a user with the role edit attack an installation, and measure its neighbour; 10 minutes (ARGS="--quick": 1)
	@echo "building vas and the attack in release mode (the first time takes minutes)" >&2
	@cargo build --locked --release -p vas -p vas-attack -p vas-load-model
	@target/release/attack $(ARGS)

# libtest starts tests by name and counts those that wait for others as running, so the integration tests are given many
# threads; tests/support/turn.rs decides who works. All commands build for the workspace, so that a crate has the same
# features in each of them and is built once.
.PHONY: test
test: tools cluster helm ## All tests: unit, and integration on a real Kubernetes and a real Prometheus (TEST=name: those whose name has it)
	cargo build --locked --workspace --bin vas --bin load-model
	RUST_BACKTRACE=0 RUST_TEST_THREADS=8 cargo test --locked --workspace --lib --bins $(TEST)
	RUST_BACKTRACE=0 RUST_TEST_THREADS=128 cargo test --locked --workspace --test integration $(TEST)
	@[ -n "$(TEST)" ] || (cd tests/cluster && GOTOOLCHAIN=local go vet ./launcher && GOTOOLCHAIN=local go test ./launcher)

.PHONY: test-e2e
test-e2e: tools ## vas from its image by its chart on nodes that run containers, under load; needs root, else ends with code 77 (CORE=1: the part for every change, 14 minutes once built)
	@CORE=$(CORE) tests/e2e/run.sh

.PHONY: test-voiceassist
test-voiceassist: tools ## The service in examples/voiceassist over a PostgreSQL 15 and Redis 7 of its own, which it fetches; ends with code 77 where it cannot (TEST=name)
	@examples/voiceassist/test.sh $(TEST)

.PHONY: image-voiceassist
image-voiceassist: tools ## Images of the service in examples/voiceassist, of PostgreSQL and of Redis for a local cluster, in target/image (ONLY="service postgres redis")
	@examples/voiceassist/image/build.sh $(ONLY)

.PHONY: bench-voiceassist
bench-voiceassist: tools ## Measure the service in examples/voiceassist, each optimisation off and on; writes docs/voiceassist-benchmarks.md (ARGS="--quick"; SUITE=release: all scenarios with one verdict)
	@examples/voiceassist/tests/servers.sh find >&2
	@echo "building vas and the service in release mode (the first time takes minutes)" >&2
	@cargo build --locked --release -p vas
	@cd examples/voiceassist && cargo bench --locked --bench report -- $(if $(SUITE),--suite $(SUITE)) $(ARGS)

PEERS ?= prometheus-adapter

.PHONY: bench
bench: tools cluster bench-peers ## Measure the metrics server beside prometheus-adapter; writes docs/benchmarks.md (ARGS="--quick")
	@echo "building vas and the benchmark in release mode (the first time takes minutes)" >&2
	@cargo build --locked --release -p vas -p vas-bench --bin vas --bin bench --bin read-path
	@BUILT=1 target/release/bench $(ARGS)
	@$(MAKE) --no-print-directory bench-load

.PHONY: bench-keda
bench-keda: tools cluster ## The same beside KEDA too, External reads only; KEDA's first build takes up to half an hour (ARGS="--quick")
	@$(MAKE) --no-print-directory bench-peers PEERS="prometheus-adapter keda"
	@echo "building vas and the benchmark in release mode (the first time takes minutes)" >&2
	@cargo build --locked --release -p vas -p vas-bench --bin vas --bin bench
	@BUILT=1 target/release/bench --peers prometheus-adapter,keda --reads external,discovery $(ARGS)

GENERATORS ?= oha vegeta k6

.PHONY: bench-load
bench-load: tools ## Measure the load engine beside oha, wrk, hey, vegeta and k6; writes docs/benchmarks.md (LOAD_ARGS="--quick"; VAS_BENCH_OTHER=PATH: beside another build of bench-load)
	@tests/bench/generators/build.sh $(GENERATORS) || echo "bench-load: goes on without them" >&2
	@echo "building the benchmark in release mode (the first time takes minutes)" >&2
	@cargo build --locked --release -p vas-bench --bin bench-load
	@target/release/bench-load $(LOAD_ARGS)

.PHONY: bench-fairness
bench-fairness: tools cluster ## Measure what one tenant gets beside 100 hostile ones; writes docs/benchmarks.md (ARGS="--quick")
	@echo "building vas and the benchmark in release mode (the first time takes minutes)" >&2
	@cargo build --locked --release -p vas -p vas-bench --bin vas --bin bench-fairness
	@target/release/bench-fairness $(ARGS)

.PHONY: bench-operator
bench-operator: tools cluster ## Measure what resources cost operator and API server, 3 GB for 10,000; writes docs/benchmarks.md (ARGS="--quick")
	@echo "building vas and the benchmark in release mode (the first time takes minutes)" >&2
	@cargo build --locked --release -p vas -p vas-bench --bin vas --bin bench-operator
	@target/release/bench-operator $(ARGS)

.PHONY: test-peers
test-peers: tools cluster ## vas beside the real prometheus-adapter and KEDA: every HPA goes on scaling through the move and back (PEERS="prometheus-adapter keda")
	@tests/bench/peers/build.sh $(PEERS)
	cargo build --locked --workspace --bin vas --bin load-model
	RUST_BACKTRACE=0 cargo test --locked -p vas-tests --test peers -- $(subst -,_,$(PEERS))

.PHONY: test-browser
test-browser: tools ## The live page of a load test in a Chromium on PATH: light, dark, 400 px; without one it ends with code 77
	@tests/browser/run.sh

.PHONY: bench-peers
bench-peers:
	@tests/bench/peers/build.sh $(PEERS) || echo "bench: goes on without it" >&2

.PHONY: bench-instructions
bench-instructions: tools ## Count the instructions of a read; fails if one grew by more than 5 %
	@tests/bench/instructions.sh check

FUZZ_SECONDS ?= 60
FUZZ_TARGETS ?= path selector quantity answer query resource import

.PHONY: fuzz
fuzz: tools ## Fuzz the parsers of what others send, FUZZ_SECONDS (60) each of FUZZ_TARGETS; needs nightly Rust and cargo-fuzz
	@cargo +nightly --version >/dev/null 2>&1 || { echo "nightly Rust is missing: rustup toolchain install nightly" >&2; exit 2; }
	@cargo fuzz --version >/dev/null 2>&1 || { echo "cargo-fuzz is missing: cargo install --locked cargo-fuzz" >&2; exit 2; }
	@for target in $(FUZZ_TARGETS); do \
		found=target/fuzz/found/$$target; mkdir -p $$found; \
		echo "fuzzing $$target for $(FUZZ_SECONDS) s" >&2; \
		cargo +nightly fuzz run --fuzz-dir tests/fuzz --target-dir target/fuzz --dev --sanitizer none $$target \
			$$found tests/fuzz/corpus/$$target -- -max_total_time=$(FUZZ_SECONDS) -max_len=32768 -rss_limit_mb=512 -timeout=60 -print_final_stats=1 \
			-artifact_prefix=$$found/ -verbosity=0; \
	done

.PHONY: lint
lint: tools ## Formatting, clippy with warnings denied, documentation
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --workspace --exclude vas --lib
	cd examples/voiceassist && cargo fmt --check && cargo clippy --locked --all-targets -- -D warnings

.PHONY: generate
generate: tools ## Write the CRD, the schemas of scenario files and reports, docs/reference, and the version wherever it stands
	cargo build --locked --workspace --bin vas
	target/debug/vas crd > crds/voiceassistscalings.yaml
	cp crds/voiceassistscalings.yaml charts/vas/files/
	sed -i 's/^\(  newTag:\) .*/\1 $(VERSION)/' manifests/image/kustomization.yaml
	sed -i 's/^\(version\|appVersion\): .*/\1: $(VERSION)/' charts/vas/Chart.yaml
	target/debug/vas test schema > docs/scenario.schema.json
	target/debug/vas test schema report > docs/report.schema.json
	target/debug/vas simulate schema sync > docs/simulate-sync.schema.json
	target/debug/vas simulate schema result > docs/simulate-sync-result.schema.json
	target/debug/vas monitoring reference > docs/metrics-reference.md
	target/debug/vas monitoring rules > manifests/monitoring/rules/vas.yaml
	target/debug/vas monitoring rules --format prometheus-rule > manifests/monitoring/prometheus-operator/prometheus-rule.yaml
	target/debug/vas monitoring dashboards -o manifests/monitoring/dashboards
	target/debug/vas simulate schema replay > docs/simulate-result.schema.json
	for page in resource cli conditions; do target/debug/vas reference $$page > docs/reference/$$page.md; done

.PHONY: cost
cost: tools ## Replay a week of VoiceAssist: what of the saving in its report scaling explains; writes docs/cost.md
	@cargo build --locked --quiet --workspace --bin vas
	@tests/bench/cost.sh target/debug/vas

SITUATIONS ?= 3000
SEED ?= 2

# Other random situations than those of tests/golden/hpa-syncs.jsonl, which `tests/cluster/hpa/record.sh` writes too.
.PHONY: hpa-syncs
hpa-syncs: tools ## Hold the HPA algorithm to the real controller in SITUATIONS random situations (SEED=n; the first time builds for minutes)
	tests/cluster/hpa/record.sh $(SITUATIONS) $(SEED) target/hpa/syncs.jsonl
	cargo test --locked -p vas-diagnose --lib differential
	rm target/hpa/syncs.jsonl

VERSION := $(shell sed -n 's/^version = "\(.*\)"$$/\1/p' Cargo.toml | head -n 1)
IMAGE ?= voiceassist/vas:$(VERSION)
ARCH ?= $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,amd64)
IMAGE_FILE := target/image/vas-$(ARCH).tar

.PHONY: image
image: tools ## Build the container image target/image/vas-ARCH.tar, and load it into docker or podman if one runs (IMAGE=NAME:TAG)
	@echo "building vas for the image in release mode (the first time takes minutes)" >&2
	@program=$$(image/build.sh $(ARCH)); \
	digest=$$(image/archive.sh --arch $(ARCH) --program "$$program" --image $(IMAGE) --output $(IMAGE_FILE) --root target/image/$(ARCH)/root); \
	echo "$(IMAGE_FILE): $(IMAGE), $$(stat -c %s $(IMAGE_FILE)) bytes, $$digest"
	@for tool in docker podman; do \
		if $$tool info >/dev/null 2>&1; then $$tool load --input $(IMAGE_FILE); fi; \
	done

.PHONY: test-image
test-image: image ## Run the image as the Deployments say; needs root, containerd and runc, and ends with code 77 without them
	@image/check.sh $(IMAGE_FILE) $(IMAGE)

.PHONY: cluster-up
cluster-up: ## Start the local Kubernetes; prints the export KUBECONFIG= line (NODE=real: nodes that run containers; needs root)
	@$(CLUSTER) up --detach --node $(NODE) --dir $(CLUSTER_DIR)

.PHONY: cluster-down
cluster-down: ## End the local Kubernetes (NODE=real as for cluster-up)
	@$(CLUSTER) down --dir $(CLUSTER_DIR)
