# shellcheck shell=bash
# What every script here needs: where the checkout is, which server is meant, how a program is run as
# the server's user, and a folder that this user can reach. Sourced, never run.

# The shell has a path even in an empty environment; what it starts needs it too.
export PATH
root_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
build_dir=$root_dir/build
# The server reads the extension from here, so that nothing has to be installed into the system.
stage_dir=${LOCKSTEP_STAGE:-$build_dir/stage}

fail() {
    printf '%s: %s\n' "$(basename -- "$0")" "$*" >&2
    exit 1
}

# Prints the pg_config to use: PG_CONFIG where it is given, otherwise the newest server below
# /usr/lib/postgresql that is really there. /usr/bin/pg_config belongs to libpq-dev and may name a
# server that is not installed, so it comes last.
find_pg_config() {
    if [ -n "${PG_CONFIG:-}" ]; then
        printf '%s\n' "$PG_CONFIG"
        return 0
    fi
    local candidate fallback=''
    while IFS= read -r candidate; do
        [ -x "${candidate%/*}/postgres" ] && [ -x "$candidate" ] || continue
        # Only a server with its headers can be built against.
        if [ -f "$("$candidate" --pgxs 2>/dev/null)" ]; then
            printf '%s\n' "$candidate"
            return 0
        fi
        fallback=${fallback:-$candidate}
    done < <(printf '%s\n' /usr/lib/postgresql/*/bin/pg_config | sort -t / -k 5,5nr)
    if [ -n "$fallback" ]; then
        printf '%s\n' "$fallback"
        return 0
    fi
    candidate=$(command -v pg_config) && [ -x "$("$candidate" --bindir)/postgres" ] || return 1
    printf '%s\n' "$candidate"
}

# The operating-system user that runs the server: PostgreSQL refuses to run as root.
server_user() {
    if [ "$(id -u)" -ne 0 ]; then
        id -un
        return 0
    fi
    local name=${LOCKSTEP_SERVER_USER:-postgres}
    id -u "$name" >/dev/null 2>&1 ||
        fail "as root the server runs as the user \"$name\", who does not exist (set LOCKSTEP_SERVER_USER)"
    printf '%s\n' "$name"
}

# Runs a command as the server's user, from a folder that everybody can enter.
as_server_user() {
    if [ "$(id -u)" -ne 0 ]; then
        (cd / && exec "$@")
    else
        (cd / && exec runuser -u "$(server_user)" -- "$@")
    fi
}

# True when the server's user can read and enter the folder; its parents may forbid that.
reachable() {
    as_server_user test -r "$1" -a -x "$1"
}

# Settings of a caller's own PostgreSQL must not reach ours.
forget_pg_environment() {
    local name
    while IFS= read -r name; do
        case $name in
        PG_CONFIG | PG_TEST_* | PG_COLOR*) ;;
        PG[A-Z]*) unset "$name" ;;
        esac
    done < <(compgen -e)
}

# What a server's log says, by itself or as a warning, of a mistake in the code: a failed assertion, memory written past
# its end, and what a transaction has left behind.
fault_signs='^TRAP: |WARNING: +(problem in |detected write past|[^"]* leak: |resource was not closed|leaked hash_seq_search'
fault_signs+='|snapshot .* still active|registered snapshots seem|locallock table corrupted|tuple lock held at commit'
# The other modes are those of advisory locks, which anybody may try to give back.
fault_signs+='|you don.t own a lock of type (Access|Row|Share[RU])'
fault_signs+='|[A-Za-z]*Transaction while in|did not find subXID|(sub)?transaction left non-empty SPI|attempt to delete invalid'
fault_signs+='|[0-9]+ temporary files and directories not closed|(file|fd|dir) passed to [A-Za-z]* was not obtained)'

# faults_in LOG...: prints those lines; false where there is none.
faults_in() {
    grep -aHE "$fault_signs" "$@" /dev/null
}

# The locale of our servers, whatever the caller's is.
server_locale() {
    if locale -a 2>/dev/null | grep -ix 'C.UTF-\?8' >/dev/null; then echo C.UTF-8; else echo C; fi
}

# Gives what root has made in a checkout of somebody else (by sudo) to its owner, who has to go on with it.
give_to_owner() {
    [ "$(id -u)" -ne 0 ] || chown --reference="$root_dir" -- "$@"
}

# A value for a line of postgresql.conf.
quoted() {
    printf "'%s'" "${1//\'/\'\'}"
}

# Prints the settings that make the server of BINDIR find the staged extension. Where the server's user
# cannot read the stage, it is copied into FOLDER.
stage_settings() {
    local bindir=$1 folder=$2 stage=$stage_dir names
    if [ -d "$stage" ] && ! reachable "$stage"; then
        rm -rf "$folder/stage"
        cp -a "$stage" "$folder/stage"
        chmod -R a+rX "$folder/stage"
        stage=$folder/stage
    fi
    names=$("$bindir/postgres" --describe-config | cut -f 1)
    if grep -qx extension_control_path <<<"$names"; then
        printf 'extension_control_path = %s\n' "$(quoted "$stage$("$bindir/pg_config" --sharedir):\$system")"
        printf 'dynamic_library_path = %s\n' "$(quoted "$stage$("$bindir/pg_config" --pkglibdir):\$libdir")"
    elif grep -qx extension_destdir <<<"$names"; then
        printf 'extension_destdir = %s\n' "$(quoted "$stage")"
        # For shared_preload_libraries, which does not look there.
        printf 'dynamic_library_path = %s\n' "$(quoted "$stage$("$bindir/pg_config" --pkglibdir):\$libdir")"
    elif [ ! -f "$("$bindir/pg_config" --sharedir)/extension/lockstep.control" ]; then
        fail "this server knows neither extension_control_path (PostgreSQL 18) nor extension_destdir" \
            "(Debian): run make install first, then the installed extension is used"
    fi
}

# The mount points below a folder, deepest first. In /proc a blank is written \040.
mounts_below() {
    local point
    while read -r _ _ _ _ point _; do
        printf -v point '%b' "$point"
        case $point in "$1"/*) printf '%s\n' "$point" ;; esac
    done </proc/self/mountinfo | LC_ALL=C sort -r
}

# Unmounts all that is mounted below a folder; false when something stays.
release_mounts() {
    local point
    while IFS= read -r point; do
        umount "$point" 2>/dev/null || umount -l "$point" || true
    done < <(mounts_below "$1")
    [ -z "$(mounts_below "$1")" ]
}

# The files of the source, relative to the checkout, each ended by a NUL: what git tracks or would track,
# or, without git, everything but what the build makes.
source_files() {
    (
        cd "$root_dir" || exit 1
        git ls-files -z --cached --others --exclude-standard 2>/dev/null || find . \
            \( -path ./.git -o -path ./build -o -path ./results -o -path ./output_iso -o -path ./tmp_check \) -prune \
            -o -type f ! -name '*.o' ! -name '*.d' ! -name '*.so' ! -path ./regression.diffs \
            ! -path ./regression.out -printf '%P\0'
    )
}

# following HEAD STATUS COMMAND...: runs COMMAND, and says meanwhile what STATUS, a command, prints: on a terminal in
# one line, each second, elsewhere in a line each half minute. HEAD stands before it, and is printed again at the end.
following() {
    local head=$1 status=$2 watcher result=0
    shift 2
    (
        set +e
        seconds=0 last=''
        # Whoever was killed leaves no watcher behind.
        while sleep 1 && kill -0 $$; do
            seconds=$((seconds + 1))
            if [ -t 1 ]; then
                width=$(stty size </dev/tty | cut -d ' ' -f 2)
                [ "${width:-0}" -gt 0 ] || width=80
                line="$head$($status)"
                printf '\r\033[K%s' "${line:0:width-1}"
            elif [ $((seconds % 30)) -eq 0 ]; then
                line=$($status)
                [ "$line" = "$last" ] || printf '%s\n%s' "$line" "$head"
                last=$line
            fi
        done
    ) </dev/null 2>/dev/null &
    watcher=$!
    "$@" || result=$?
    kill "$watcher" 2>/dev/null || true
    wait "$watcher" 2>/dev/null || true
    [ ! -t 1 ] || printf '\r\033[K%s' "$head"
    return "$result"
}

# build_status LOG: how far a build of ours is, for following: CMake's own count, or that of the Makefile's sources.
build_status() {
    local last count all
    last=$(grep -E '^\[ *[0-9]+(%|/[0-9]+)\]| -c .*-o build/' "$1" | tail -n 1)
    case $last in
    '') echo starting ;;
    '['*) sed 's/Building C*X* object //; s#CMakeFiles/[^/]*\.dir/##; s/\.o$//' <<<"$last" ;;
    *)
        count=$(grep -cE ' -c .*-o build/(obj|wall)/' "$1") || true
        all=$(find "$root_dir/extension" "$root_dir/tests/wall" -name '*.cpp' -o -name '*.c' | wc -l)
        printf '[%3d/%d] %s\n' "$count" "$all" "${last##* }"
        ;;
    esac
}

# The one version: the extension's.
lockstep_version() {
    sed -n "s/^default_version *= *'\(.*\)'.*/\1/p" "$root_dir/extension/lockstep.control"
}

# build_cmake PG_CONFIG JOBS (with-tests|without-tests) [TARGET...]: the CMake tree in build/cmake. One that
# was configured in another place or for another server is of no use, and is made anew. Without tests, an
# existing tree is taken as it is, so that the demo needs no test library and undoes no configuration.
build_cmake() {
    local pg_config=$1 jobs=$2 tests=$3 tree=$build_dir/cmake made_for strict=OFF
    shift 3
    [ -f "$root_dir/CMakeLists.txt" ] || fail "CMakeLists.txt is missing"
    [ "${WERROR:-0}" != 1 ] || strict=ON
    made_for="$root_dir $pg_config $("$pg_config" --version) $(c++ --version | head -n 1)"
    if [ "$(cat "$tree/.made-for" 2>/dev/null)" != "$made_for" ]; then
        rm -rf "$tree"
        cmake -S "$root_dir" -B "$tree" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
            -DLOCKSTEP_TESTS="$([ "$tests" = with-tests ] && echo ON || echo OFF)" -DLOCKSTEP_WERROR=$strict || return 1
        printf '%s\n' "$made_for" >"$tree/.made-for"
    elif [ "$tests" = with-tests ] && ! { grep -q '^LOCKSTEP_TESTS:BOOL=ON' "$tree/CMakeCache.txt" &&
        grep -q "^LOCKSTEP_WERROR:BOOL=$strict" "$tree/CMakeCache.txt"; }; then
        cmake -S "$root_dir" -B "$tree" -DLOCKSTEP_TESTS=ON -DLOCKSTEP_WERROR=$strict || return 1
    else
        # A target that is new since the tree was configured is found.
        cmake "$tree" || return 1
    fi
    cmake --build "$tree" -j "$jobs" ${1:+--target "$@"}
}
