# Puts the values in Lockstep's messages into quotes, so that pgBadger makes one group of a kind of error:
#   sed -E -f pgbadger.sed postgresql.log | pgbadger ... -
/ ERROR:  /{
s/row ([^"]*) of ledger/row "\1" of ledger/g
s/request id ([0-9a-f-]{36})/request id "\1"/
s/(amount [^:]*|name the same row): (.*)$/\1: "\2"/
s/(batch is too large): [0-9]+ items/\1: "..." items/
}
