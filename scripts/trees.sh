# shellcheck shell=bash
# What scripts that make Debian trees share: the mirror, and a namespace to enter them in (scripts/matrix --enter does).
# Sourced after lib.sh, never run.

namespace=()
# With a process namespace, a server that a test left behind ends with the run.
try_namespace() {
    local options
    for options in '--mount --pid --ipc --fork --kill-child' '--mount'; do
        # shellcheck disable=SC2086
        if unshare $options --propagation private true 2>/dev/null; then
            # shellcheck disable=SC2206
            namespace=(unshare $options --propagation private)
            return 0
        fi
    done
}

# The mirror that this machine's own apt uses.
mirror() {
    local site
    site=$(apt-get indextargets --format '$(SITE) $(ORIGIN) $(LABEL)' 'Created-By: Packages' 2>/dev/null |
        sed -n 's/ Debian Debian$//p' | head -n 1)
    [ -n "$site" ] || site=$(sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\/debian\/\{0,1\}\) .*/\2/p; s/^URIs: *\([^ ]*\/debian\/\{0,1\}\) *$/\1/p' \
        /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)
    printf '%s\n' "${site:-http://deb.debian.org/debian}"
}

# The proxy of this machine's own apt, as an option of mmdebstrap.
proxy_options() {
    local proxy
    proxy=$(apt-config dump --format '%v' Acquire::http::Proxy 2>/dev/null)
    [ -z "$proxy" ] || printf '%s\n' "--aptopt=Acquire::http::Proxy \"$proxy\""
}
