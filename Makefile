# Thin lines into `cargo xtask`, which does the work and says what it does.
# Arguments go in ARGS: `make test ARGS="unit e2e"`, `make serve ARGS=--help`.

SHELL := /bin/sh
# rustup's own folder, for shells that were started before it was installed.
export PATH := $(HOME)/.cargo/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help serve test lint dev bench release lighthouse site tools

help:
	@echo "make serve       build what is out of date and serve the demo on http://127.0.0.1:3000"
	@echo "make test        every test: unit, stores on SQLite and PostgreSQL, API, sandbox, browser"
	@echo "make lint        formatting and clippy"
	@echo "make dev         hot reload, with cargo-leptos"
	@echo "make bench       the benchmarks"
	@echo "make release     one optimised binary with everything inside"
	@echo "make lighthouse  Lighthouse against the release build"

serve test lint dev bench release lighthouse site: tools
	@cargo xtask $@ $(ARGS)

# What the xtask can't check because it can't be built without it.
tools:
	@command -v cargo >/dev/null || { \
	  echo "Rust is needed and there is no cargo here. To get it:"; \
	  echo "  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh"; exit 1; }
	@command -v cc >/dev/null || { \
	  echo "A C compiler and linker is needed and there is no cc here. To get it:"; \
	  echo "  Debian, Ubuntu: apt-get install build-essential    macOS: xcode-select --install"; exit 1; }
	@test -x target/debug/xtask || { \
	  echo "First the build tool itself: a minute or so, once"; cargo build --package xtask; }
