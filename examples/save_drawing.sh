# The lock graph as a drawing, from a shell.
psql -XAt -c 'SELECT lockstep.lock_graph_dot()' | dot -Tsvg -o locks.svg
