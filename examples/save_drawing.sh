# The lock graph as a drawing, from a shell (Debian: postgresql-client, graphviz): sh save_drawing.sh
psql -XAt -c 'SELECT lockstep.lock_graph_dot()' | dot -Tsvg -o locks.svg
