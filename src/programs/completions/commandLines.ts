/** The command lines of all programs of the package, as shells complete them. A new program is a row here. */
import type { Command } from 'commander'
import { agentControlCommandLine } from '../agentControl/agentControlArguments.js'
import { agentGroupsCommandLine } from '../agentGroups/agentGroupsArguments.js'
import { certsProgram } from '../certsTool/certsHelp.js'
import { clusterControlCommandLine } from '../clusterControl/controlArguments.js'
import { clusterdCommandLine } from '../clusterd/clusterdArguments.js'
import { musterCommandLine } from '../muster/musterArguments.js'
import { agentsCommandLine } from '../musterAgents/agentsArguments.js'
import { apiCommandLine } from '../musterApi/apiArguments.js'

export const commandLines = (): readonly Command[] => [
  clusterdCommandLine(),
  clusterControlCommandLine(),
  agentControlCommandLine(),
  agentGroupsCommandLine(),
  agentsCommandLine(),
  apiCommandLine(),
  musterCommandLine(),
  certsProgram(),
]
