#!/usr/bin/env node
/** The program wazuh-certs-tool: see programs/certsTool/certsCommand. */
import { runCertsTool } from '../programs/certsTool/certsCommand.js'
import { processOptions } from '../programs/kit/processOptions.js'

const options = processOptions()
process.exitCode = await runCertsTool(process.argv.slice(2), {
  env: options.env,
  get stdin() {
    return options.stdin
  },
  stdout: options.stdout,
  stderr: options.stderr,
  directory: process.cwd(),
  now: Date.now,
})
