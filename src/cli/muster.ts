#!/usr/bin/env node
/** The program muster: see programs/muster/musterCommand. */
import { fileURLToPath } from 'node:url'
import { processOptions } from '../programs/kit/processOptions.js'
import { realMachine } from '../programs/muster/managerMachine.js'
import { runMuster } from '../programs/muster/musterCommand.js'

const own = { daemon: fileURLToPath(new URL('./wazuh-clusterd.js', import.meta.url)), node: process.execPath }
process.exitCode = await runMuster(process.argv.slice(2), processOptions(), { machine: realMachine, own })
