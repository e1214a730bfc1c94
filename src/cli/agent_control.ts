#!/usr/bin/env node
/** The program agent_control: see control/agentControlCommand. */
import { runAgentControl } from '../control/agentControlCommand.js'
import { processWorld } from './processWorld.js'

process.exitCode = await runAgentControl(process.argv.slice(2), processWorld())
