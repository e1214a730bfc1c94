#!/usr/bin/env node
/** The program muster-agents: see programs/musterAgents/agentsCommand. */
import { processOptions } from '../programs/kit/processOptions.js'
import { runMusterAgents } from '../programs/musterAgents/agentsCommand.js'

process.exitCode = await runMusterAgents(process.argv.slice(2), processOptions())
