#!/usr/bin/env node
/** The program agent_control: see programs/agentControl/agentControlCommand. */
import { runAgentControl } from '../programs/agentControl/agentControlCommand.js'
import { processOptions } from '../programs/kit/processOptions.js'

process.exitCode = await runAgentControl(process.argv.slice(2), processOptions())
