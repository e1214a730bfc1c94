#!/usr/bin/env node
/** The program cluster_control: see programs/clusterControl/controlCommand. */
import { runControl } from '../programs/clusterControl/controlCommand.js'
import { processOptions } from '../programs/kit/processOptions.js'

process.exitCode = await runControl(process.argv.slice(2), processOptions())
