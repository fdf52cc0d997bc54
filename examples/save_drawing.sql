-- The lock graph in a file, from psql (psql -f save_drawing.sql): for Graphviz, and for Mermaid. Nothing but the page, without heading and margin.
SELECT lockstep.lock_graph_dot() \g (format=unaligned tuples_only=on) locks.dot
SELECT lockstep.lock_graph_mermaid() \g (format=unaligned tuples_only=on) locks.mmd
