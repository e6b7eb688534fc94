# keyfence alone: a program that reads what is mounted and writes reports.
#
#   docker build -t keyfence .
#   docker run --rm --network none -v "$PWD:/repository:ro" keyfence scan .
FROM rust:1.90-slim-bookworm AS build
WORKDIR /source
COPY . .
RUN cargo install --locked --path . --root /keyfence

FROM debian:bookworm-slim
COPY --from=build /keyfence/bin/keyfence /usr/local/bin/keyfence
RUN useradd --create-home --uid 1000 keyfence
USER keyfence
WORKDIR /repository
ENTRYPOINT ["keyfence"]
CMD ["scan", "."]
