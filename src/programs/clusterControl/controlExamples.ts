/** One example for each thing that cluster_control does; shown by -h and -u. */
export const controlExamples = `  cluster_control -l                         List the nodes of the cluster
  cluster_control -l -fn worker-1 worker-2   List these nodes only
  cluster_control -i                         Show when each worker was last synchronized
  cluster_control -i more                    Show all that is known of each node
  cluster_control -i more -fn worker-1       Show all that is known of this node
  cluster_control -f                         Show which files are not in sync, and why
  cluster_control -f -fn worker-1 --json     Print the state of every file of this worker as JSON
  cluster_control -a                         List the agents
  cluster_control -a -fs disconnected        List the agents of this status only
  cluster_control -d -l --home DIR           Ask the daemon of another home, with debug messages
`
