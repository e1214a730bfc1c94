#!/usr/bin/env node
/** The program agent_groups: see control/agentGroupsCommand. */
import { runAgentGroups } from '../control/agentGroupsCommand.js'
import { processWorld } from './processWorld.js'

process.exitCode = await runAgentGroups(process.argv.slice(2), processWorld())
