# The image of a release: the binary and nothing else, for
#
#	COPY --from=ghcr.io/naver/scavenger-wrap:VERSION /scavenger-wrap /usr/local/bin/
#
# Its context is goreleaser's dist (docs/releasing.md). To build scavenger-wrap in an image
# from a checkout, see e2e/examples/docker/Dockerfile.
FROM scratch
ARG TARGETARCH
COPY scavenger-wrap_linux_${TARGETARCH}_*/scavenger-wrap /scavenger-wrap
ENTRYPOINT ["/scavenger-wrap"]
