#!/usr/bin/env node
/** Writes the configuration reference into docs/operating.md, between its markers; with `--check` only reports whether it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { updateReference } from '../config/renderConfigReference.js'

const document = fileURLToPath(new URL('../../docs/operating.md', import.meta.url))
const says = (text: string): void => void process.stderr.write(`${text}\n`)

const run = (check: boolean): number => {
  const before = readFileSync(document, 'utf8')
  const after = updateReference(before)
  if (after === undefined) {
    says('docs/operating.md lacks the markers <!-- config:begin --> and <!-- config:end -->')
    return 1
  }
  if (after === before) return 0
  if (check) {
    says('The configuration reference in docs/operating.md is out of date: run "npm run build && npm run docs:config"')
    return 1
  }
  writeFileSync(document, after)
  return 0
}

process.exitCode = run(process.argv.includes('--check'))
