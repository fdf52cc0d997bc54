# shellcheck shell=bash
# Counts what the suites say: a log in, "passed failed skipped" out, then one line a skipped test with its
# reason. Sourced, never run.

count_checks() {
    awk '/^ok /{p++} /^not ok /{f++} /^skipped /{s++; r = r "\n" substr($0, 9)}
        END {print p + 0, f + 0, s + 0 r}' "$1"
}

# "test name ... ok" up to PostgreSQL 15, TAP after it.
count_regress() {
    awk '/^(test|parallel group)? .*\.\.\. ok /{p++; next} /^test .*\.\.\. FAILED/{f++; next}
        /^ok [0-9]+ /{p++} /^not ok [0-9]+ /{f++} END {print p + 0, f + 0, 0}' "$1"
}

# Assertions; a script that dies without a failed one counts as one failure.
count_tap() {
    awk 'function close_script() {if (broken && !failed_here) f++; failed_here = 0; broken = 0; whole = 0}
        /^# tap: /{close_script(); script = $3}
        /^ok [0-9]+ .*# [Ss][Kk][Ii][Pp]/ || /^1\.\.0 # [Ss][Kk][Ii][Pp]/ {
            s++; sub(/.*# [Ss][Kk][Ii][Pp]/, ""); r = r "\n" script ":" $0; next}
        /^ok [0-9]+/{p++; next}
        /^not ok [0-9]+.*# TO[D]O/{s++; next}
        /^not ok [0-9]+/{f++; failed_here = 1; next}
        # As prove tells of a script that is skipped as a whole.
        /\.pl \.+ skipped: /{s++; sub(/.*\.pl \.+ skipped:/, ""); r = r "\n" script ":" $0; whole = 1; next}
        /^Result: FAIL/ || (/^Result: NOTESTS/ && !whole){broken = 1}
        END {close_script(); print p + 0, f + 0, s + 0 r}' "$1"
}

# From ctest's own report, beside its log; the reason of a skipped GoogleTest case is the line after ": Skipped".
count_ctest() {
    local report=${1%.log}.xml number
    [ -f "$report" ] || {
        echo 0 0 0
        return
    }
    number() { grep -o -m 1 "$1=\"[0-9]*\"" "$report" | head -n 1 | tr -dc 0-9; }
    local all failed skipped
    all=$(number tests) failed=$(number failures) skipped=$(number skipped)
    echo "$((all - failed - skipped)) $failed $skipped"
    awk -F'"' '/<testcase /{name = $2} /<skipped/{print name}' "$report" | while IFS= read -r number; do
        printf '%s: %s\n' "$number" "$(awk -v RS='</testcase>' -v name="name=\"$number\"" 'index($0, name)' "$report" |
            sed -n '/: Skipped$/{n;p;q}')"
    done
}
