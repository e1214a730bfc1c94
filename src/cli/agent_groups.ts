#!/usr/bin/env node
/** The program agent_groups: see programs/agentGroups/agentGroupsCommand. */
import { runAgentGroups } from '../programs/agentGroups/agentGroupsCommand.js'
import { processOptions } from '../programs/kit/processOptions.js'

process.exitCode = await runAgentGroups(process.argv.slice(2), processOptions())
