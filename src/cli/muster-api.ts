#!/usr/bin/env node
/** The program muster-api: see programs/musterApi/apiCommand. */
import { processOptions } from '../programs/kit/processOptions.js'
import { runMusterApi } from '../programs/musterApi/apiCommand.js'

process.exitCode = await runMusterApi(process.argv.slice(2), processOptions())
