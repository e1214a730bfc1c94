#!/usr/bin/env node
/** The program cluster_control: see programs/clusterControl/controlCommand. */
import { runControl } from '../programs/clusterControl/controlCommand.js'
import { processWorld } from '../programs/kit/processWorld.js'

process.exitCode = await runControl(process.argv.slice(2), processWorld())
