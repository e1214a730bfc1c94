#!/usr/bin/env node
/** The program cluster_control: see control/controlCommand. */
import { runControl } from '../control/controlCommand.js'
import { processWorld } from './processWorld.js'

process.exitCode = await runControl(process.argv.slice(2), processWorld())
