# syntax=docker/dockerfile:1

FROM rust:1-bookworm AS build
RUN rustup target add wasm32-unknown-unknown
WORKDIR /src
COPY . .
# The target folder is a cache and not part of the image, so the binary leaves it in the same step.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo xtask release && cp target/release/tollgate /tollgate

FROM debian:bookworm-slim
RUN useradd --system --uid 10001 --no-create-home tollgate \
    && install --directory --owner=tollgate --group=tollgate /data
COPY --from=build /tollgate /usr/local/bin/tollgate

USER tollgate
WORKDIR /data
VOLUME /data
ENV DATABASE_URL=sqlite:///data/tollgate.db \
    LISTEN_ADDR=0.0.0.0:3000
EXPOSE 3000

# bash opens the connection itself: the image has no curl.
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 CMD ["bash", "-c", \
    "exec 3<>/dev/tcp/127.0.0.1/3000 && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && read -r _ status _ <&3 && test \"$status\" = 200"]

ENTRYPOINT ["tollgate"]
CMD ["serve"]
